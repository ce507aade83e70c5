import { aContainer } from '../../../../test/support/builders.js';
import { anAssignedPod } from '../../../../test/support/model-engine.js';
import type { ConfigContents } from '../config/config-contents.js';
import { DomainError } from '../errors.js';
import type { Container, EnvVar } from '../pod/pod-spec.js';
import { expand, expandContainer, needsPodIP, type EnvContext } from './expand-env.js';

const MiB = 2 ** 20;

const contextOf = (container: Container): EnvContext => ({
  pod: anAssignedPod({
    containers: [container, aContainer('helper', { resources: { limits: { cpu: '1500m', memory: '100Mi' } } })],
    labels: { app: 'web' },
    annotations: { 'example.com/team': 'blue' },
  }),
  nodeName: 'n1',
  hostIP: '192.0.2.1',
  allocatable: { cpuMillis: 4000, memoryBytes: 1024 * MiB },
  podIP: '10.0.0.7',
});

function envOf(...env: EnvVar[]): Record<string, string> {
  const container = aContainer('app', { env, resources: { requests: { cpu: '250m' } } });
  return Object.fromEntries(
    expandContainer(container, contextOf(container)).env.map(({ name, value }) => [name, value]),
  );
}

const field = (fieldPath: string): EnvVar => ({ name: 'X', valueFrom: { fieldRef: { fieldPath } } });
const resource = (name: string, more: { divisor?: string; containerName?: string } = {}): EnvVar => ({
  name: 'X',
  valueFrom: { resourceFieldRef: { resource: name, ...more } },
});

describe('$(VAR)', () => {
  const env = new Map([
    ['A', 'one'],
    ['B', ''],
  ]);
  it.each([
    ['plain', 'plain'],
    ['$(A)', 'one'],
    ['x$(A)y$(B)z', 'xoneyz'],
    ['$(UNKNOWN)', '$(UNKNOWN)'],
    ['$$(A)', '$(A)'],
    ['$$$(A)', '$one'],
    ['$$$$(A)', '$$(A)'],
    ['$(A', '$(A'],
    ['cost: 5$', 'cost: 5$'],
    ['$A $ {A}', '$A $ {A}'],
    ['$()', '$()'],
  ])('%s becomes %s', (text, expected) => {
    expect(expand(text, env)).toBe(expected);
  });
});

describe('a container with its values filled in', () => {
  it.each([
    ['metadata.name', 'web'],
    ['metadata.namespace', 'shop'],
    ['metadata.uid', 'uid-1'],
    ["metadata.labels['app']", 'web'],
    ["metadata.labels['none']", ''],
    ["metadata.annotations['example.com/team']", 'blue'],
    ['spec.nodeName', 'n1'],
    ['spec.serviceAccountName', ''],
    ['status.podIP', '10.0.0.7'],
    ['status.podIPs', '10.0.0.7'],
    ['status.hostIP', '192.0.2.1'],
  ])('knows its %s', (path, expected) => {
    expect(envOf(field(path))).toEqual({ X: expected });
  });

  it.each([
    ['limits.cpu without a limit is the node, in whole cores', resource('limits.cpu'), '4'],
    ['requests.cpu rounds up', resource('requests.cpu'), '1'],
    ['requests.cpu in thousandths', resource('requests.cpu', { divisor: '1m' }), '250'],
    ['limits.memory without a limit is the node', resource('limits.memory', { divisor: '1Mi' }), '1024'],
    ['requests.memory without a request is nothing', resource('requests.memory'), '0'],
    ['another container, rounded up', resource('limits.memory', { containerName: 'helper', divisor: '64Mi' }), '2'],
    ['another container, cpu', resource('limits.cpu', { containerName: 'helper' }), '2'],
  ])('%s', (_, source, expected) => {
    expect(envOf(source)).toEqual({ X: expected });
  });

  it.each([
    field('status.phase'),
    resource('limits.cpu', { containerName: 'nobody' }),
    resource('cpu'),
    { name: 'X', valueFrom: { fileKeyRef: {} } },
  ])('refuses a source that is not offered: %j', (source) => {
    expect(() => envOf(source)).toThrow(DomainError);
  });

  it('sees the variables before it, not those after; the last of two wins', () => {
    expect(
      envOf(
        { name: 'EARLY', value: '$(LATE)' },
        { name: 'LATE', value: 'x' },
        { name: 'BOTH', value: '$(LATE)$(EARLY)' },
        { name: 'LATE', value: 'y' },
      ),
    ).toEqual({ EARLY: '$(LATE)', LATE: 'y', BOTH: 'x$(LATE)' });
  });

  it('fills in command and arguments, and leaves them to the image when there are none', () => {
    const container = aContainer('app', {
      env: [{ name: 'P', value: '80' }],
      command: ['serve', '$(P)'],
      args: ['$$(P)'],
    });
    expect(expandContainer(container, contextOf(container))).toMatchObject({
      command: ['serve', '80'],
      args: ['$(P)'],
    });
    const bare = aContainer('app');
    expect(expandContainer(bare, contextOf(bare))).toEqual({ env: [] });
  });

  it('needs the address only when it asks for it', () => {
    expect(needsPodIP(aContainer('app', { env: [field('status.podIP')] }))).toBe(true);
    expect(needsPodIP(aContainer('app', { env: [field('status.hostIP')] }))).toBe(false);
  });
});

describe('the environment from ConfigMaps and Secrets', () => {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const config: ConfigContents = {
    configMaps: new Map([
      ['settings', { data: { color: 'red', '1st': '$(color)' }, binaryData: { blob: base64('x') } }],
    ]),
    secrets: new Map([['login', { data: { password: base64('s3cret ✓'), color: base64('blue') } }]]),
  };
  const from = (more: Partial<Container>): Record<string, string> => {
    const container = aContainer('app', more);
    const { env } = expandContainer(container, { ...contextOf(container), config });
    return Object.fromEntries(env.map(({ name, value }) => [name, value]));
  };
  const key = (kind: 'configMapKeyRef' | 'secretKeyRef', name: string, entry: string, optional = false): EnvVar => ({
    name: 'X',
    valueFrom: { [kind]: { name, key: entry, optional } },
  });

  it('is one entry, as it is: nothing in it is expanded', () => {
    expect(from({ env: [key('configMapKeyRef', 'settings', '1st')] })).toEqual({ X: '$(color)' });
    expect(from({ env: [key('secretKeyRef', 'login', 'password')] })).toEqual({ X: 's3cret ✓' });
  });

  it('is all entries of text; the later source wins, env over both, and $(VAR) sees them', () => {
    expect(
      from({
        envFrom: [
          { configMapRef: { name: 'settings' } },
          { secretRef: { name: 'login' } },
          { prefix: 'P_', configMapRef: { name: 'settings' } },
        ],
        env: [
          { name: 'password', value: 'mine' },
          { name: 'SEEN', value: '$(color)/$(P_color)' },
        ],
      }),
    ).toEqual({
      ...{ '1st': '$(color)', color: 'blue', password: 'mine', P_color: 'red', P_1st: '$(color)' },
      SEEN: 'blue/red',
    });
  });

  it.each<[string, Partial<Container>, string]>([
    ['a ConfigMap', { env: [key('configMapKeyRef', 'none', 'a')] }, 'configmap "none" not found'],
    ['a Secret', { envFrom: [{ secretRef: { name: 'none' } }] }, 'secret "none" not found'],
    ['a key', { env: [key('configMapKeyRef', 'settings', 'a')] }, "couldn't find key a in ConfigMap shop/settings"],
    ['a key of text', { env: [key('configMapKeyRef', 'settings', 'blob')] }, "couldn't find key blob in ConfigMap"],
    ['a secret key', { env: [key('secretKeyRef', 'login', 'a')] }, "couldn't find key a in Secret shop/login"],
  ])('misses %s in the words of kubelet', (_, container, message) => {
    expect(() => from(container)).toThrow(message);
  });

  it('does without what is optional: the variable is not there at all', () => {
    expect(
      from({
        env: [key('configMapKeyRef', 'none', 'a', true), { ...key('secretKeyRef', 'login', 'a', true), name: 'Y' }],
        envFrom: [{ configMapRef: { name: 'none', optional: true } }],
      }),
    ).toEqual({});
  });
});
