import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import pg from 'pg';
import { eventually } from '../support/eventually.js';
import { type KubectlBinary, kubectls, type Ran } from '../support/kubectl.js';
import { foundIn, plant } from '../support/planted.js';
import { Product } from '../support/product.js';

/** Config maps, secrets, service accounts and priority classes, as people write them. */
const binaries = (await kubectls()).filter(({ minor }) => minor >= 27);
const planted = plant();
let product: Product;

beforeAll(async () => {
  product = await Product.create();
  await product.start();
}, 180_000);
afterAll(() => product.destroy(), 120_000);
jest.setTimeout(60_000);

const kubectl = (words: string, input?: string): Promise<string> => product.kubectl(words, input);
const run = (words: string, input?: string): Promise<Ran> => product.kubectlOf(undefined, words.split(' '), input);
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const manifest = (kind: string, name: string, more: object): string =>
  JSON.stringify({ apiVersion: 'v1', kind, metadata: { name }, ...more });

/** Files below a directory that hold the planted value in any form. */
function filesWithIt(directory: string): string[] {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name);
    const about = statSync(path, { throwIfNoEntry: false });
    if (about?.isDirectory()) return filesWithIt(path);
    return about?.isFile() && foundIn(planted, readFileSync(path).toString('latin1')).length > 0 ? [path] : [];
  });
}

async function rowsWithIt(): Promise<number> {
  const client = new pg.Client({ connectionString: readFileSync(join(product.home, 'database-url'), 'utf8') });
  await client.connect();
  try {
    const { rows } = await client.query<{ data: string }>('select data::text as data from podledger.events');
    expect(rows.length).toBeGreaterThan(10);
    return rows.filter(({ data }) => foundIn(planted, data).length > 0).length;
  } finally {
    await client.end();
  }
}

it.each(binaries.map((binary): [string, KubectlBinary] => [`1.${binary.minor}`, binary]))(
  'kubectl %s creates them, lists them and says what is in them',
  async (version, binary) => {
    const k = async (words: string): Promise<string> => {
      const { code, stdout, stderr } = await product.kubectlOf(binary, words.split(' '));
      if (code !== 0) throw new Error(`kubectl ${words}: ${stderr}`);
      return stdout;
    };
    const name = `v${version.replace('.', '-')}`;
    await k(`create configmap ${name} --from-literal=a=1 --from-literal=b=two`);
    await k(`create secret generic ${name} --from-literal=password=hunter2`);
    await k(`create serviceaccount ${name}`);
    await k(`create priorityclass ${name} --value=1000 --description=x`);
    const rows = await k(
      `get configmap/${name} secret/${name} serviceaccount/${name} priorityclass/${name} --no-headers`,
    );
    const cells = rows
      .split('\n')
      .filter((row) => row !== '')
      .map((row) => row.trim().split(/\s+/));
    expect(cells.map(([full, ...rest]) => [full, ...rest.filter((cell) => !/^\d+[sm]/.test(cell))])).toEqual([
      [`configmap/${name}`, '2'],
      [`secret/${name}`, 'Opaque', '1'],
      [`serviceaccount/${name}`, '0'],
      [`priorityclass.scheduling.k8s.io/${name}`, '1000', 'false', 'PreemptLowerPriority'],
    ]);
    expect(await k(`describe secret ${name}`)).toMatch(/password: {2}7 bytes/);
    expect(await k(`get secret ${name} -o jsonpath={.data.password}`)).toBe(base64('hunter2'));
    expect(await k(`get configmap ${name} -o jsonpath={.data}`)).toBe('{"a":"1","b":"two"}');
  },
);

it('edits a config map by apply, by every patch, and by replace', async () => {
  const written = (data: object): string => manifest('ConfigMap', 'edited', { data });
  await kubectl('apply -f -', written({ a: '1', b: '2' }));
  await kubectl('apply -f -', written({ a: '1', c: '3' }));
  await kubectl('patch configmap edited --type=merge -p {"data":{"d":"4"}}');
  await kubectl('patch configmap edited --type=strategic -p {"data":{"a":null}}');
  await kubectl('patch configmap edited --type=json -p [{"op":"add","path":"/data/e","value":"5"}]');
  await kubectl('label configmap edited kind=new');
  expect(await kubectl('get configmap edited -o jsonpath={.data}{.metadata.labels.kind}')).toBe(
    '{"c":"3","d":"4","e":"5"}new',
  );
  await kubectl('replace -f -', written({ f: '6' }));
  expect(await kubectl('get configmap -l kind=new -o name')).toBe('');
  await kubectl('delete configmap edited');
  expect((await run('get configmap edited')).stderr).toContain('configmaps "edited" not found');
});

it('refuses what Kubernetes refuses, naming the field', async () => {
  const tries: [string, RegExp][] = [
    [manifest('ConfigMap', 'x', { data: { '': 'a' } }), /data\[\]: Invalid value/],
    [manifest('Secret', 'x', { data: { '': 'YQ==' } }), /data\[\]: Invalid value/],
    [
      manifest('ConfigMap', 'x', { data: { a: 'x'.repeat(1024 * 1024 + 1) } }),
      /Too long: may not be more than 1048576/,
    ],
    [manifest('Secret', 'x', { type: 'kubernetes.io/tls' }), /data\[tls.crt\]: Required value/],
    [manifest('Secret', 'x', { data: { a: 'no base64' } }), /illegal base64|base64/],
  ];
  for (const [body, message] of tries) {
    const { code, stderr } = await run('create -f -', body);
    expect([code, stderr]).toEqual([1, expect.stringMatching(message)]);
  }
  await kubectl('create -f -', manifest('ConfigMap', 'fixed', { data: { a: '1' }, immutable: true }));
  expect((await run('patch configmap fixed -p {"data":{"a":"2"}}')).stderr).toContain('field is immutable');
  await kubectl('label configmap fixed may=change');
});

it('gives every namespace a service account, and a pod the priority of its class', async () => {
  await kubectl('create namespace shop');
  await eventually('the default service account', () => kubectl('-n shop get serviceaccount default -o name'));
  await kubectl('create priorityclass important --value=5000 --preemption-policy=Never');
  const pod = (name: string, spec: object): string =>
    manifest('Pod', name, { spec: { nodeName: 'nowhere', containers: [{ name: 'a', image: 'a:1' }], ...spec } });
  await kubectl('create -f -', pod('ranked', { priorityClassName: 'important' }));
  expect(await kubectl('get pod ranked -o jsonpath={.spec.priority}/{.spec.preemptionPolicy}')).toBe('5000/Never');
  await kubectl('delete pod ranked --force --grace-period=0');
  expect((await run('create -f -', pod('x', { priorityClassName: 'none' }))).stderr).toContain(
    'pods "x" is forbidden: no PriorityClass with name none was found',
  );
  expect((await run('create -f -', pod('x', { serviceAccountName: 'none' }))).stderr).toContain(
    'error looking up service account default/none',
  );
  expect((await run('delete priorityclass system-node-critical')).stderr).toContain('cannot be deleted');
  await kubectl('create priorityclass first --value=1 --global-default=true');
  expect((await run('create priorityclass second --value=2 --global-default=true')).stderr).toContain(
    'PriorityClass first is already marked as default',
  );
});

it('keeps a secret where nobody finds it, reads it again after a restart, and forgets it for good', async () => {
  const secret = (name: string): string => manifest('Secret', name, { stringData: { token: planted.value } });
  const read = (words: string): Promise<string> => kubectl(`get secret ${words} -o jsonpath={.data.token}`);
  await kubectl('apply -f -', secret('applied'));
  await kubectl('-n shop apply -f -', secret('going'));
  await kubectl('label secret applied touched=yes');
  expect(await kubectl('get secret applied -o yaml')).toContain(planted.value);
  expect(await read('applied')).toBe(base64(planted.value));

  await kubectl('delete namespace shop');
  expect(await rowsWithIt()).toBe(0);

  const before = product.printed;
  await product.end('SIGTERM');
  expect(filesWithIt(product.home)).toEqual([]);
  await product.start();
  expect(foundIn(planted, before + product.printed)).toEqual([]);
  expect(await read('applied')).toBe(base64(planted.value));

  const list = JSON.parse(await kubectl('get --raw /api/v1/namespaces/default/secrets')) as {
    readonly metadata: { readonly resourceVersion: string };
  };
  await kubectl('delete secret applied');
  const past = `/api/v1/namespaces/default/secrets?resourceVersionMatch=Exact&resourceVersion=${list.metadata.resourceVersion}`;
  const erased = await eventually('its key is destroyed', async () => {
    const text = await kubectl(`get --raw ${past}`);
    return text.includes('podledger.dev/erased') ? text : undefined;
  });
  expect(JSON.parse(erased)).toMatchObject({
    items: expect.arrayContaining([
      expect.objectContaining({ metadata: expect.objectContaining({ name: 'applied' }), data: { token: '' } }),
    ]),
  });
  expect(foundIn(planted, erased)).toEqual([]);
});
