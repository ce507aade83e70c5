import type { JsonObject } from '#domain';
import { decodeObject } from '../decode/decode-strict.js';
import { defaulted } from '../defaults/defaults.js';
import { faultsOf, faultsOfChange, warningsOf } from './validate.js';

const gvk = { group: '', version: 'v1', kind: 'Pod' };
const app = { name: 'app', image: 'busybox:1.35' };

/** A pod as the API sees it when it validates: decoded and defaulted. */
const pod = (spec: JsonObject, metadata: JsonObject = {}): JsonObject =>
  defaulted(
    decodeObject(gvk, { metadata: { name: 'p', namespace: 'd', ...metadata }, spec: { containers: [app], ...spec } })
      .object,
  );
const texts = (object: JsonObject): string[] => faultsOf(object).map(({ field, message }) => `${field}: ${message}`);
const ofContainer = (more: JsonObject): string[] => texts(pod({ containers: [{ ...app, ...more }] }));

describe('validatePod', () => {
  it('finds nothing wrong with pods that use what is supported', () => {
    const spec = {
      containers: [
        {
          ...app,
          command: ['httpd'],
          args: ['-f'],
          workingDir: '/srv',
          ports: [
            { name: 'http', containerPort: 8080, hostPort: 80, hostIP: '127.0.0.1' },
            { containerPort: 53, protocol: 'UDP' },
          ],
          env: [
            { name: 'A', value: '1' },
            { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
            { name: 'L', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
            { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
          ],
          resources: { limits: { cpu: '0.7', memory: '64Mi' }, requests: { cpu: '700m' } },
          volumeMounts: [
            { name: 'v', mountPath: '/v' },
            { name: 'v', mountPath: '/w', readOnly: true },
          ],
          stdin: true,
          tty: true,
          securityContext: {
            privileged: false,
            allowPrivilegeEscalation: true,
            seccompProfile: { type: 'RuntimeDefault' },
          },
        },
        { name: 'helper', image: 'busybox' },
      ],
      volumes: [
        { name: 'v', emptyDir: {} },
        { name: 'm', emptyDir: { medium: 'Memory', sizeLimit: '10Mi' } },
      ],
      restartPolicy: 'OnFailure',
      nodeSelector: { disk: 'ssd' },
      shareProcessNamespace: true,
      tolerations: [
        { key: 'a', operator: 'Equal', value: 'b', effect: 'NoExecute', tolerationSeconds: 5 },
        { operator: 'Exists' },
      ],
      schedulingGates: [{ name: 'example.com/gate' }],
      hostname: 'web',
      terminationGracePeriodSeconds: 0,
    };
    const metadata = {
      labels: { app: 'web' },
      annotations: { 'podledger.dev/fate': 'independent' },
      finalizers: ['example.com/x'],
    };
    expect(texts(pod(spec, metadata))).toEqual([]);
    expect(warningsOf(pod(spec, metadata))).toEqual([]);
  });

  it.each<[string, JsonObject, string[]]>([
    ['no containers', { containers: [] }, ['spec.containers: Required value']],
    [
      'a container without name and image',
      { containers: [{}] },
      ['spec.containers[0].name: Required value', 'spec.containers[0].image: Required value'],
    ],
    ['two containers of one name', { containers: [app, app] }, ['spec.containers[1].name: Duplicate value: "app"']],
    [
      'one host port twice',
      {
        containers: [
          { ...app, ports: [{ containerPort: 1, hostPort: 80 }] },
          { ...app, name: 'b', ports: [{ containerPort: 2, hostPort: 80 }] },
        ],
      },
      ['spec.containers[1].ports[0].hostPort: Duplicate value: "TCP//80"'],
    ],
    [
      'an unknown restart policy',
      { restartPolicy: 'Sometimes' },
      ['spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure"'],
    ],
    [
      'a negative grace period',
      { terminationGracePeriodSeconds: -1 },
      ['spec.terminationGracePeriodSeconds: Invalid value: -1: must be greater than or equal to 0'],
    ],
    [
      'two volumes of one name',
      { volumes: [{ name: 'v' }, { name: 'v' }] },
      ['spec.volumes[1].name: Duplicate value: "v"'],
    ],
    ['a volume without a name', { volumes: [{ emptyDir: {} }] }, ['spec.volumes[0].name: Required value']],
    [
      'another medium',
      { volumes: [{ name: 'v', emptyDir: { medium: 'Tape' } }] },
      ['spec.volumes[0].emptyDir.medium: Unsupported value: "Tape": supported values: "", "Memory"'],
    ],
    [
      'an empty key that is compared',
      { tolerations: [{ operator: 'Equal', value: 'x' }] },
      [
        'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
      ],
    ],
    [
      'a value that is not compared',
      { tolerations: [{ key: 'k', operator: 'Exists', value: 'x' }] },
      ['spec.tolerations[0].operator: Invalid value: "x": value must be empty when `operator` is \'Exists\''],
    ],
    [
      'seconds without NoExecute',
      { tolerations: [{ key: 'k', effect: 'NoSchedule', tolerationSeconds: 1 }] },
      [
        'spec.tolerations[0].effect: Invalid value: "NoSchedule": effect must be \'NoExecute\' when `tolerationSeconds` is set',
      ],
    ],
    [
      'a gated pod with a node',
      { nodeName: 'n', schedulingGates: [{ name: 'g' }] },
      ['spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared'],
    ],
    [
      'a gate twice',
      { schedulingGates: [{ name: 'g' }, { name: 'g' }] },
      ['spec.schedulingGates[1].name: Duplicate value: "g"'],
    ],
  ])('refuses %s', (_, spec, expected) => {
    expect(texts(pod(spec))).toEqual(expected);
  });

  it.each<[string, JsonObject, string]>([
    [
      'a name with capitals',
      { name: 'A' },
      'spec.containers[0].name: Invalid value: "A": a lowercase RFC 1123 label must consist of',
    ],
    [
      'an image with blanks',
      { image: ' busybox' },
      'spec.containers[0].image: Invalid value: " busybox": must not have leading or trailing whitespace',
    ],
    [
      'an unknown pull policy',
      { imagePullPolicy: 'X' },
      'spec.containers[0].imagePullPolicy: Unsupported value: "X": supported values: "Always", "IfNotPresent", "Never"',
    ],
    [
      'a negative port',
      { ports: [{ containerPort: -1 }] },
      'spec.containers[0].ports[0].containerPort: Invalid value: -1: must be between 1 and 65535, inclusive',
    ],
    [
      'too high a host port',
      { ports: [{ containerPort: 1, hostPort: 65536 }] },
      'spec.containers[0].ports[0].hostPort: Invalid value: 65536: must be between 1 and 65535, inclusive',
    ],
    ['no port', { ports: [{}] }, 'spec.containers[0].ports[0].containerPort: Required value'],
    [
      'another protocol',
      { ports: [{ containerPort: 1, protocol: 'ICMP' }] },
      'spec.containers[0].ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"',
    ],
    [
      'a host address that is none',
      { ports: [{ containerPort: 1, hostIP: '1.2.3' }] },
      'spec.containers[0].ports[0].hostIP: Invalid value: "1.2.3": must be a valid IP address',
    ],
    [
      'one port name twice',
      {
        ports: [
          { name: 'a', containerPort: 1 },
          { name: 'a', containerPort: 2 },
        ],
      },
      'spec.containers[0].ports[1].name: Duplicate value: "a"',
    ],
    ['a variable without a name', { env: [{ value: 'x' }] }, 'spec.containers[0].env[0].name: Required value'],
    [
      'a variable with = in its name',
      { env: [{ name: 'a=b' }] },
      'spec.containers[0].env[0].name: Invalid value: "a=b": a valid environment variable name must consist of',
    ],
    [
      'a variable with value and source',
      { env: [{ name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] },
      'spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
    ],
    [
      'a variable from nowhere',
      { env: [{ name: 'A', valueFrom: {} }] },
      'spec.containers[0].env[0].valueFrom: Invalid value: "": must specify one of',
    ],
    [
      'a variable from an unknown field',
      { env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'spec.bogus' } } }] },
      'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "spec.bogus"',
    ],
    [
      'a request above its limit',
      { resources: { requests: { cpu: '701m' }, limits: { cpu: '0.7' } } },
      'spec.containers[0].resources.requests: Invalid value: "701m": must be less than or equal to cpu limit of 0.7',
    ],
    [
      'a negative limit',
      { resources: { limits: { memory: '-1' } } },
      'spec.containers[0].resources.limits[memory]: Invalid value: "-1": must be greater than or equal to 0',
    ],
    [
      'an unknown resource',
      { resources: { limits: { fuel: '1' } } },
      'spec.containers[0].resources.limits[fuel]: Unsupported value: "fuel"',
    ],
    [
      'a mount of no volume',
      { volumeMounts: [{ name: 'v', mountPath: '/v' }] },
      'spec.containers[0].volumeMounts[0].name: Not found: "v"',
    ],
    [
      'a mount without a path',
      { volumeMounts: [{ name: 'v' }] },
      'spec.containers[0].volumeMounts[0].mountPath: Required value',
    ],
  ])('refuses %s', (_, container, expected) => {
    expect(ofContainer(container).map((text) => text.slice(0, expected.length))).toContain(expected);
  });

  it('names every offending field, not only the first', () => {
    expect(
      faultsOf(
        pod({
          containers: [{ name: 'A' }, { name: 'b', image: 'i', ports: [{ containerPort: 0 }] }],
          restartPolicy: 'x',
        }),
      ).map(({ field }) => field),
    ).toEqual([
      'spec.containers[0].name',
      'spec.containers[0].image',
      'spec.containers[1].ports[0].containerPort',
      'spec.restartPolicy',
    ]);
  });

  it('refuses a mount path twice, and a volume with two sources', () => {
    const spec = {
      containers: [
        {
          ...app,
          volumeMounts: [
            { name: 'v', mountPath: '/v' },
            { name: 'v', mountPath: '/v' },
          ],
        },
      ],
      volumes: [{ name: 'v', emptyDir: {}, hostPath: { path: '/' } }],
    };
    expect(texts(pod(spec))).toEqual([
      'spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type',
      'spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/v": must be unique',
      'spec.volumes[0].hostPath: Forbidden: volumes of type hostPath: not supported yet by Podledger',
    ]);
  });

  it.each<[string, JsonObject, string]>([
    ['no name', { name: '' }, 'metadata.name: Required value: name or generateName is required'],
    [
      'a name that is none',
      { name: 'a b' },
      'metadata.name: Invalid value: "a b": a lowercase RFC 1123 subdomain must consist of',
    ],
    [
      'a label that is none',
      { labels: { a: 'b c' } },
      'metadata.labels: Invalid value: "b c": a valid label must be an empty string or',
    ],
    [
      'too large annotations',
      { annotations: { a: 'x'.repeat(256 * 1024) } },
      'metadata.annotations: Too long: may not be more than 262144 bytes',
    ],
    [
      'an owner without uid',
      { ownerReferences: [{ apiVersion: 'v1', kind: 'X', name: 'x' }] },
      'metadata.ownerReferences[0].uid: Required value',
    ],
    [
      'two controllers',
      { ownerReferences: ['a', 'b'].map((uid) => ({ apiVersion: 'v1', kind: 'X', name: uid, uid, controller: true })) },
      'metadata.ownerReferences: Invalid value: "a, b": Only one reference can have Controller set to true',
    ],
    [
      'a finalizer without a domain',
      { finalizers: ['mine'] },
      'metadata.finalizers[0]: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
    ],
    [
      'an unknown fate',
      { annotations: { 'podledger.dev/fate': 'tragic' } },
      'metadata.annotations[podledger.dev/fate]: Unsupported value: "tragic": supported values: "independent", "shared"',
    ],
  ])('refuses %s', (_, metadata, expected) => {
    expect(texts(pod({}, metadata))[0]?.slice(0, expected.length)).toBe(expected);
  });
});

describe('what Podledger does not do yet', () => {
  it.each<[JsonObject, string]>([
    [{ ephemeralContainers: [app] }, 'spec.ephemeralContainers'],
    [
      { containers: [{ ...app, securityContext: { privileged: true } }] },
      'spec.containers[0].securityContext.privileged',
    ],
    [{ containers: [{ ...app, securityContext: { runAsUser: 0 } }] }, 'spec.containers[0].securityContext.runAsUser'],
    [
      { containers: [{ ...app, securityContext: { readOnlyRootFilesystem: true } }] },
      'spec.containers[0].securityContext.readOnlyRootFilesystem',
    ],
    [
      { containers: [{ ...app, volumeDevices: [{ name: 'v', devicePath: '/dev/x' }] }] },
      'spec.containers[0].volumeDevices',
    ],
    [
      {
        containers: [{ ...app, volumeMounts: [{ name: 'v', mountPath: '/v', subPath: 'a' }] }],
        volumes: [{ name: 'v' }],
      },
      'spec.containers[0].volumeMounts[0].subPath',
    ],
    [
      { containers: [{ ...app, resources: { requests: { 'example.com/gpu': '1' } } }] },
      'spec.containers[0].resources.requests[example.com/gpu]',
    ],
    [{ securityContext: { fsGroup: 1 } }, 'spec.securityContext.fsGroup'],
    [{ hostNetwork: true }, 'spec.hostNetwork'],
    [{ hostPID: true }, 'spec.hostPID'],
    [{ hostIPC: true }, 'spec.hostIPC'],
    [{ imagePullSecrets: [{ name: 's' }] }, 'spec.imagePullSecrets'],
    [{ activeDeadlineSeconds: 5 }, 'spec.activeDeadlineSeconds'],
    [{ hostAliases: [{ ip: '1.2.3.4' }] }, 'spec.hostAliases'],
    [{ dnsPolicy: 'None' }, 'spec.dnsPolicy'],
    [{ runtimeClassName: 'gvisor' }, 'spec.runtimeClassName'],
    [{ volumes: [{ name: 'v', configMap: { name: 'c' } }] }, 'spec.volumes[0].configMap'],
    [{ volumes: [{ name: 'v', hostPath: { path: '/' } }] }, 'spec.volumes[0].hostPath'],
    [
      { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'a' }] } } },
      'spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution',
    ],
    [
      { topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'a', whenUnsatisfiable: 'DoNotSchedule' }] },
      'spec.topologySpreadConstraints[0].whenUnsatisfiable',
    ],
  ])('is refused by name: %j', (spec, field) => {
    const found = faultsOf(pod(spec)).filter(({ message }) => message.endsWith('not supported yet by Podledger'));
    expect(found.map((fault) => [fault.field, fault.reason])).toEqual([[field, 'FieldValueForbidden']]);
  });

  it.each<[JsonObject, string[]]>([
    [
      { priorityClassName: 'high' },
      ['spec.priorityClassName: priority: recorded, but without effect in Podledger yet'],
    ],
    [
      { affinity: { podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1 }] } } },
      [
        'spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution: preferred pod affinity: recorded, but without effect in Podledger yet',
      ],
    ],
    [
      { topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'a', whenUnsatisfiable: 'ScheduleAnyway' }] },
      ['spec.topologySpreadConstraints[0].topologyKey: topology spread: recorded, but without effect in Podledger yet'],
    ],
  ])('is warned about when it is only a wish: %j', (spec, warnings) => {
    expect(texts(pod(spec))).toEqual([]);
    expect(warningsOf(pod(spec))).toEqual(warnings);
  });
});

describe('validatePodUpdate', () => {
  const before = pod({
    containers: [app, { name: 'helper', image: 'busybox' }],
    tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 10 }],
    schedulingGates: [{ name: 'g' }, { name: 'h' }],
    nodeSelector: { disk: 'ssd' },
  });
  const edited = (edit: (spec: JsonObject) => JsonObject): string[] =>
    faultsOfChange(before, { ...before, spec: edit(before['spec'] as JsonObject) }).map(
      ({ field, message }) => `${field}: ${message.replace(/ other than .*/, '')}`,
    );
  const list = (spec: JsonObject, name: string): readonly JsonObject[] => spec[name] as readonly JsonObject[];

  it.each<[string, (spec: JsonObject) => JsonObject]>([
    ['nothing', (spec) => spec],
    [
      'an image',
      (spec) => ({
        ...spec,
        containers: list(spec, 'containers').map((container) => ({ ...container, image: 'busybox:1.36' })),
      }),
    ],
    [
      'one more toleration',
      (spec) => ({ ...spec, tolerations: [{ key: 'b', operator: 'Exists' }, ...list(spec, 'tolerations')] }),
    ],
    [
      'the seconds of a toleration',
      (spec) => ({ ...spec, tolerations: list(spec, 'tolerations').map((one) => ({ ...one, tolerationSeconds: 1 })) }),
    ],
    ['one gate less', (spec) => ({ ...spec, schedulingGates: [{ name: 'h' }] })],
    ['a narrower node selector while gated', (spec) => ({ ...spec, nodeSelector: { disk: 'ssd', zone: 'a' } })],
  ])('allows %s', (_, edit) => {
    expect(edited(edit)).toEqual([]);
  });

  const otherFields = 'Forbidden: pod updates may not change fields';

  it.each<[string, (spec: JsonObject) => JsonObject, string[]]>([
    [
      'a container more',
      (spec) => ({ ...spec, containers: [...list(spec, 'containers'), { name: 'x', image: 'i' }] }),
      ['spec.containers: Forbidden: pod updates may not add or remove containers'],
    ],
    [
      'a container less',
      (spec) => ({ ...spec, containers: list(spec, 'containers').slice(1) }),
      ['spec.containers: Forbidden: pod updates may not add or remove containers'],
    ],
    [
      'another name',
      (spec) => ({
        ...spec,
        containers: list(spec, 'containers').map((one) => ({ ...one, name: `${String(one['name'])}2` })),
      }),
      ['spec.containers: Forbidden: pod updates may not add or remove containers'],
    ],
    [
      'other commands',
      (spec) => ({ ...spec, containers: list(spec, 'containers').map((one) => ({ ...one, command: ['x'] })) }),
      [`spec.containers[0].command: ${otherFields}`, `spec.containers[1].command: ${otherFields}`],
    ],
    [
      'a restart policy and a hostname',
      (spec) => ({ ...spec, restartPolicy: 'Never', hostname: 'h' }),
      [`spec.hostname: ${otherFields}`, `spec.restartPolicy: ${otherFields}`],
    ],
    [
      'a grace period',
      (spec) => ({ ...spec, terminationGracePeriodSeconds: 1 }),
      [`spec.terminationGracePeriodSeconds: ${otherFields}`],
    ],
    [
      'a toleration less',
      (spec) => ({ ...spec, tolerations: [] }),
      ['spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds'],
    ],
    [
      'a gate more',
      (spec) => ({ ...spec, schedulingGates: [{ name: 'new' }] }),
      ["spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'new'"],
    ],
    [
      'another node selector',
      (spec) => ({ ...spec, nodeSelector: { disk: 'hdd' } }),
      [`spec.nodeSelector.disk: ${otherFields}`],
    ],
    [
      'no image',
      (spec) => ({ ...spec, containers: list(spec, 'containers').map((one) => ({ ...one, image: '' })) }),
      ['spec.containers[0].image: Required value', 'spec.containers[1].image: Required value'],
    ],
  ])('refuses %s', (_, edit, expected) => {
    expect(edited(edit)).toEqual(expected);
  });

  it('widens no node selector, gated or not', () => {
    expect(edited((spec) => ({ ...spec, nodeSelector: {} }))).toEqual([`spec.nodeSelector.disk: ${otherFields}`]);
  });

  it('lets metadata change, but not what names the object', () => {
    const after = { ...before, metadata: { name: 'other', namespace: 'd', labels: { a: 'b' } } };
    expect(faultsOfChange(before, after).map(({ field }) => field)).toEqual(['metadata.name']);
  });

  it('takes no new finalizer once the object is being deleted', () => {
    const metadata = {
      name: 'p',
      namespace: 'd',
      deletionTimestamp: '2024-01-01T00:00:00Z',
      finalizers: ['example.com/a'],
    };
    const gone = { ...before, metadata };
    const more = { ...before, metadata: { ...metadata, finalizers: ['example.com/a', 'example.com/b'] } };
    expect(faultsOfChange(gone, more).map(({ field, reason }) => [field, reason])).toEqual([
      ['metadata.finalizers', 'FieldValueForbidden'],
    ]);
    expect(faultsOfChange(gone, { ...gone, metadata: { ...metadata, finalizers: [] } })).toEqual([]);
  });
});
