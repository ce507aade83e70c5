import { jest } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { busybox } from '../support/images.js';
import { eventually } from '../support/eventually.js';
import { type KubeObject, Product } from '../support/product.js';

/** ConfigMaps and Secrets in the environment of containers, on real Docker. */
let product: Product;
let image: string;
/** Long enough that no alignment of base64 hides it, and found nowhere by chance. */
const PLANTED = 'correct-horse-battery-staple-7Qx';

beforeAll(async () => {
  product = await Product.create();
  image = await busybox(product.docker);
  await product.start();
}, 180_000);
afterAll(() => product.destroy(), 120_000);
jest.setTimeout(60_000);

const configMap = (name: string, data: object) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });
const pod = (name: string, command: string, more: object) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: 1,
    containers: [{ name: 'app', image, imagePullPolicy: 'IfNotPresent', command: ['sh', '-c', command], ...more }],
  },
});
const ended = (name: string): Promise<unknown> =>
  eventually(`${name} has ended`, async () => {
    const { phase } = (await product.get<KubeObject>(`pod ${name}`)).status;
    return phase === 'Succeeded' || phase === 'Failed';
  });

it('fills the environment, the later source over the earlier and env over all', async () => {
  await product.apply(configMap('settings', { color: 'red', shape: 'round' }));
  await product.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'login' },
    stringData: { color: 'blue', user: 'ann' },
  });
  await product.apply(
    pod('reader', 'echo "$color,$shape,$P_shape,$USER_NAME,$BOTH,${NONE-unset}"', {
      envFrom: [
        { configMapRef: { name: 'settings' } },
        { secretRef: { name: 'login' } },
        { prefix: 'P_', configMapRef: { name: 'settings' } },
        { configMapRef: { name: 'nowhere', optional: true } },
      ],
      env: [
        { name: 'shape', value: 'square' },
        { name: 'USER_NAME', valueFrom: { secretKeyRef: { name: 'login', key: 'user' } } },
        { name: 'BOTH', value: '$(color)-$(USER_NAME)' },
        { name: 'NONE', valueFrom: { configMapKeyRef: { name: 'settings', key: 'none', optional: true } } },
      ],
    }),
  );
  await ended('reader');
  expect(await product.kubectl('logs reader')).toBe('blue,square,round,ann,blue-ann,unset\n');
});

it('waits for what is missing, says for what, and begins as soon as it is there', async () => {
  await product.apply(
    pod('waiter', 'echo "$WORD"', {
      env: [{ name: 'WORD', valueFrom: { configMapKeyRef: { name: 'late', key: 'word' } } }],
    }),
  );
  const waits = async (message: string): Promise<boolean> => {
    const waiting = (await product.get<KubeObject>('pod waiter')).status.containerStatuses?.[0]?.state.waiting;
    return waiting?.reason === 'CreateContainerConfigError' && waiting.message === message;
  };
  await eventually('it waits for the config map', () => waits('configmap "late" not found'));
  await product.apply(configMap('late', { other: 'x' }));
  await eventually('it waits for the key', () => waits("couldn't find key word in ConfigMap default/late"));
  await product.apply(configMap('late', { word: 'arrived' }));
  await ended('waiter');
  expect(await product.kubectl('logs waiter')).toBe('arrived\n');
});

it('keeps a secret out of everything but the environment that asks for it', async () => {
  const data = { password: Buffer.from(PLANTED).toString('base64') };
  await product.apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'planted' }, data });
  const check = `[ "$PASSWORD" = "$(echo ${Buffer.from(PLANTED).toString('hex')} | sed 's/../\\\\x&/g' | xargs -0 printf)" ] && sleep 3600`;
  await product.apply(
    pod('holder', check, {
      env: [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'planted', key: 'password' } } }],
    }),
  );
  await product.kubectl('wait --for=condition=Ready pod/holder --timeout=40s');
  const { metadata } = await product.get<KubeObject>('pod holder');
  const containers = await product.containers(metadata.uid);
  const inspected = await Promise.all(
    [...containers].map(async ([name, { Id }]) => ({ name, info: await product.docker.getContainer(Id).inspect() })),
  );
  const app = inspected.find(({ name }) => name === 'app');
  expect(app?.info.Config.Env).toContain(`PASSWORD=${PLANTED}`);
  for (const { info } of inspected)
    expect(leaksIn(JSON.stringify({ ...info, Config: { ...info.Config, Env: [] } }))).toEqual([]);
  expect(leaksIn((await product.command('log', '--json')).stdout)).toEqual([]);
  expect(leaksIn(product.printed)).toEqual([]);
  // Database, NATS, logs and keys: all that the product keeps is in its home.
  expect(filesOf(product.home).filter((file) => leaksIn(readIfThere(file)).length > 0)).toEqual([]);
  expect(leaksIn(await product.kubectl('get secret planted -o yaml'))).not.toEqual([]);
});

/** The forms of the planted value that a text has: plain, and base64 in each of its alignments. */
function leaksIn(text: string): string[] {
  const forms = [0, 1, 2].map((shift) => {
    const encoded = Buffer.from('x'.repeat(shift) + PLANTED).toString('base64');
    // The first and last characters depend on what is beside the value.
    return encoded.slice(shift === 0 ? 0 : 4, -4);
  });
  return [PLANTED, ...forms].filter((form) => text.includes(form));
}

function filesOf(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** A database removes files while it is read. */
function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
