import type { JsonObject } from '#domain';
import { decodeObject } from '../decode/decode-strict.js';
import { defaulted } from '../defaults/defaults.js';
import { faultsOf, faultsOfChange, warningsOf } from './validate.js';

const gvk = { group: '', version: 'v1', kind: 'Pod' };
const app = { name: 'app', image: 'busybox:1.35' };
const init = { name: 'init', image: 'busybox:1.35' };
const sidecar = { name: 'side', image: 'busybox:1.35', restartPolicy: 'Always' };

const pod = (spec: JsonObject, metadata: JsonObject = {}): JsonObject =>
  defaulted(
    decodeObject(gvk, { metadata: { name: 'p', namespace: 'd', ...metadata }, spec: { containers: [app], ...spec } })
      .object,
  );
const texts = (object: JsonObject): string[] => faultsOf(object).map(({ field, message }) => `${field}: ${message}`);
const rule = (over: JsonObject = {}): JsonObject => ({
  action: 'Restart',
  exitCodes: { operator: 'In', values: [3] },
  ...over,
});

describe('init containers', () => {
  it('may be plain, sidecars, or have a policy and rules of their own', () => {
    const ruled = { ...init, name: 'ruled', restartPolicy: 'Never', restartPolicyRules: [rule()] };
    const all = { ...sidecar, name: 'all', restartPolicyRules: [rule({ action: 'RestartAllContainers' })] };
    expect(texts(pod({ initContainers: [init, sidecar, ruled, all] }))).toEqual([]);
  });

  it.each<[string, JsonObject, string]>([
    ['no name', { image: 'busybox' }, 'spec.initContainers[0].name: Required value'],
    ['no image', { name: 'init' }, 'spec.initContainers[0].image: Required value'],
    ['the name of an app container', { ...app }, 'spec.initContainers[0].name: Duplicate value: "app"'],
    [
      'an unknown restart policy',
      { ...init, restartPolicy: 'Sometimes' },
      'spec.initContainers[0].restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure"',
    ],
    [
      'rules without a policy',
      { ...init, restartPolicyRules: [rule()] },
      'spec.initContainers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used',
    ],
    [
      'a hook where it does not stay',
      { ...init, lifecycle: { preStop: { exec: { command: ['true'] } } } },
      'spec.initContainers[0].lifecycle: Forbidden: may not be set for init containers without restartPolicy=Always',
    ],
  ])('are refused with %s', (_, container, expected) => {
    expect(texts(pod({ initContainers: [container] }))).toContain(expected);
  });

  it('warn of host ports that are never opened', () => {
    const ports = [{ containerPort: 80, hostPort: 80 }];
    expect(
      warningsOf(
        pod({
          initContainers: [
            { ...init, ports },
            { ...sidecar, ports },
          ],
        }),
      ),
    ).toEqual(['spec.initContainers[0].ports: host ports of init containers are not opened']);
  });

  it('have no port of the node that an app container has, if they stay', () => {
    const ports = [{ containerPort: 80, hostPort: 8080 }];
    const spec = { containers: [{ ...app, ports }], initContainers: [{ ...sidecar, ports }] };
    expect(texts(pod(spec))).toEqual(['spec.initContainers[0].ports[0].hostPort: Duplicate value: "TCP//8080"']);
  });

  it('may get another image and nothing else', () => {
    const before = pod({ initContainers: [init] });
    const after = (container: JsonObject): string[] =>
      faultsOfChange(before, pod({ initContainers: [container] })).map(({ field }) => field);
    expect(after({ ...init, image: 'busybox:1.36' })).toEqual([]);
    expect(after({ ...init, command: ['x'] })).toEqual(['spec.initContainers[0].command']);
    expect(faultsOfChange(before, pod({})).map(({ field }) => field)).toEqual(['spec.initContainers']);
  });
});

describe('restart rules', () => {
  it.each<[string, JsonObject, string]>([
    [
      'an unknown action',
      rule({ action: 'Reboot' }),
      '.action: Unsupported value: "Reboot": supported values: "Restart", "RestartAllContainers"',
    ],
    ['no exit codes', { action: 'Restart' }, '.exitCodes: Required value'],
    [
      'an unknown operator',
      rule({ exitCodes: { operator: 'Equals', values: [3] } }),
      '.exitCodes.operator: Unsupported value: "Equals": supported values: "In", "NotIn"',
    ],
    ['no values', rule({ exitCodes: { operator: 'In', values: [] } }), '.exitCodes.values: Required value'],
    [
      'a value twice',
      rule({ exitCodes: { operator: 'In', values: [3, 3] } }),
      '.exitCodes.values[1]: Duplicate value: 3',
    ],
    [
      'too many values',
      rule({ exitCodes: { operator: 'In', values: Array.from({ length: 256 }, (_, code) => code) } }),
      '.exitCodes.values: Too many: 256: must have at most 255 items',
    ],
  ])('are refused with %s', (_, one, expected) => {
    const containers = [{ ...app, restartPolicy: 'Never', restartPolicyRules: [one] }];
    expect(texts(pod({ containers }))).toEqual([`spec.containers[0].restartPolicyRules[0]${expected}`]);
  });

  it('are at most twenty', () => {
    const containers = [
      { ...app, restartPolicy: 'Never', restartPolicyRules: Array.from({ length: 21 }, () => rule()) },
    ];
    expect(texts(pod({ containers }))).toEqual([
      'spec.containers[0].restartPolicyRules: Too many: 21: must have at most 20 items',
    ]);
  });
});

describe('annotations of order and waiting', () => {
  const containers = [app, { name: 'db', image: 'busybox' }, { name: 'cache', image: 'busybox' }];
  const problemsOf = (annotation: string, value: string): string[] =>
    faultsOf(pod({ containers, initContainers: [init, sidecar] }, { annotations: { [annotation]: value } })).map(
      ({ field, message }) => `${field}: ${message.replace(`Invalid value: ${JSON.stringify(value)}: `, '')}`,
    );
  const dependsOn = (value: string): string[] => problemsOf('podledger.dev/depends-on', value);
  const at = 'metadata.annotations[podledger.dev/depends-on]';

  it.each([
    ['{"app": {"db": "Healthy", "cache": "Started"}, "db": {"cache": "Succeeded"}}'],
    ['{"app": {"side": "Healthy"}}'],
    ['{}'],
  ])('take %s', (value) => expect(dependsOn(value)).toEqual([]));

  it.each([
    ['app: db', 'must be JSON, such as {"app": {"db": "Healthy"}}'],
    ['["app"]', 'must be an object of container names, such as {"app": {"db": "Healthy"}}'],
    ['{"app": ["db"]}', '"app" must be an object, such as {"db": "Healthy"}'],
    ['{"app": {"db": "Up"}}', '"app" waits for "db" to be one of Started, Healthy, Completed, Succeeded'],
    ['{"ap": {"db": "Started"}}', 'the pod has no container "ap"'],
    ['{"app": {"dd": "Started"}}', 'the pod has no container "dd"'],
    ['{"app": {"app": "Started"}}', '"app" cannot wait for itself'],
    ['{"side": {"app": "Started"}}', '"side" is an init container: those are begun in their own order'],
    ['{"app": {"init": "Succeeded"}}', '"init" has ended before any container of spec.containers begins'],
    ['{"app": {"side": "Succeeded"}}', '"side" is a sidecar and is never Succeeded'],
    [
      '{"app": {"db": "Started"}, "db": {"cache": "Started"}, "cache": {"app": "Started"}}',
      'containers wait for each other in a circle: app -> db -> cache -> app',
    ],
  ])('refuse %s', (value, problem) => expect(dependsOn(value)).toEqual([`${at}: ${problem}`]));

  it.each([
    ['never', undefined],
    ['{"initial": 0.5, "max": 5, "reset": "never"}', undefined],
    ['{"initial": 120}', undefined],
    ['often', 'must be never or JSON such as {"initial": 1, "max": 60, "reset": 600}'],
    ['{"first": 1}', 'has no member "first": must be never or JSON such as {"initial": 1, "max": 60, "reset": 600}'],
    ['{"max": 0}', 'max must be a number of seconds above 0, at most 86400'],
    ['{"initial": 10, "max": 5}', 'initial must not be above max'],
  ])('judge the back-off %s', (value, problem) => {
    const waits = 'metadata.annotations[podledger.dev/backoff]';
    expect(problemsOf('podledger.dev/backoff', value)).toEqual(problem ? [`${waits}: ${problem}`] : []);
  });

  it('are judged on edits too', () => {
    const after = pod({}, { annotations: { 'podledger.dev/depends-on': '{"app": {"app": "Started"}}' } });
    expect(faultsOfChange(pod({}), after).map(({ field }) => field)).toEqual([at]);
  });
});
