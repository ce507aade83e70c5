import fc from 'fast-check';
import protobuf from 'protobufjs/minimal.js';
import { WireError } from '../wire-error.js';
import { decodeProtobuf } from './decode-protobuf.js';

const pod = { group: '', version: 'v1', kind: 'Pod' };
const namespace = { group: '', version: 'v1', kind: 'Namespace' };

type Writer = ReturnType<typeof protobuf.Writer.create>;
type Part = (writer: Writer) => void;

/** Messages written by hand, so that the reader is not tested against tables of its own. */
const bytes =
  (field: number, ...parts: readonly Part[]): Part =>
  (writer) => {
    writer.uint32(field * 8 + 2).fork();
    for (const part of parts) part(writer);
    writer.ldelim();
  };
const text =
  (field: number, value: string): Part =>
  (writer) =>
    void writer.uint32(field * 8 + 2).string(value);
const int =
  (field: number, value: number): Part =>
  (writer) =>
    void writer.uint32(field * 8).int64(value);
const encode = (...parts: readonly Part[]): Uint8Array => {
  const writer = protobuf.Writer.create();
  for (const part of parts) part(writer);
  return writer.finish();
};
const envelope = (apiVersion: string, kind: string, ...object: readonly Part[]): Uint8Array =>
  Buffer.concat([
    Buffer.from([0x6b, 0x38, 0x73, 0]),
    encode(bytes(1, text(1, apiVersion), text(2, kind)), bytes(2, ...object)),
  ]);

const refusal = (run: () => unknown): WireError => {
  try {
    run();
  } catch (error) {
    if (error instanceof WireError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
};

describe('decodeProtobuf, of what kubectl 1.33 sent', () => {
  it('reads `create namespace shop`, without what Go writes of empty values', () => {
    const sent = Buffer.from('azhzAAoPCgJ2MRIJTmFtZXNwYWNlEhwKFAoEc2hvcBIAGgAiACoAMgA4AEIAEgAaAgoAGgAiAA==', 'base64');
    expect(decodeProtobuf(namespace, sent)).toEqual({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'shop' },
      spec: {},
      status: {},
    });
  });

  it('reads the pod template of `create deployment dep --image=nginx:1 --port=8080`', () => {
    // The template's message as it was sent inside the Deployment; a template has a pod's field numbers.
    const template = Buffer.from(
      'ChwKABIAGgAiACoAMgA4AEIAWgoKA2FwcBIDZGVwEk8SMQoFbmdpbngSB25naW54OjEqADILCgAQABiQPyIAKgBCAGoAcgCAAQCIAQCQAQCiAQAaADIAQgBKAFIAWABgAGgAggEAigEAmgEAwgEA',
      'base64',
    );
    const sent = Buffer.concat([
      Buffer.from([0x6b, 0x38, 0x73, 0]),
      encode(bytes(1, text(1, 'v1'), text(2, 'Pod')), (writer) => void writer.uint32(2 * 8 + 2).bytes(template)),
    ]);
    expect(decodeProtobuf(pod, sent)).toEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { labels: { app: 'dep' } },
      spec: { containers: [{ name: 'nginx', image: 'nginx:1', ports: [{ containerPort: 8080 }], resources: {} }] },
    });
  });
});

describe('decodeProtobuf', () => {
  it('reads a pod with the shapes that protobuf and JSON write differently', () => {
    const sent = envelope(
      'v1',
      'Pod',
      bytes(
        1,
        text(1, 'web'),
        bytes(8, int(1, 1_704_164_645), int(2, 0)),
        bytes(12, text(1, 'note'), text(2, '')),
        bytes(13, text(1, 'ReplicaSet'), text(3, 'rs'), text(4, 'u'), text(5, 'apps/v1'), int(6, 1), int(7, 0)),
      ),
      bytes(
        2,
        bytes(1, text(1, 'scratch'), bytes(2, bytes(2, text(1, 'Memory'), bytes(2, text(1, '10Mi'))))),
        bytes(1, text(1, 'conf'), bytes(2, bytes(19, bytes(1, text(1, 'cm')), int(3, 0)))),
        bytes(
          2,
          text(1, 'app'),
          text(3, 'httpd'),
          text(3, '-f'),
          bytes(7, text(1, 'IP'), bytes(3, bytes(1, text(2, 'status.podIP')))),
          bytes(7, text(1, 'KEY'), bytes(3, bytes(3, bytes(1, text(1, 'cm')), text(2, 'k'), int(3, 0)))),
          bytes(
            8,
            bytes(1, text(1, 'cpu'), bytes(2, text(1, '500m'))),
            bytes(2, text(1, 'cpu'), bytes(2, text(1, '0'))),
          ),
          bytes(
            10,
            bytes(1, bytes(2, text(1, '/'), bytes(2, int(1, 1), int(2, 0), text(3, 'http')))),
            int(2, 5),
            int(3, 0),
          ),
          bytes(11, bytes(1, bytes(3, bytes(1, int(1, 0), int(2, 80), text(3, ''))))),
          bytes(15, int(2, 0), int(4, 0)),
        ),
        int(4, 0),
        bytes(7, text(1, 'disk'), text(2, 'ssd')),
        int(11, 0),
        bytes(
          14,
          (writer) =>
            void writer
              .uint32(4 * 8 + 2)
              .fork()
              .int64(1)
              .int64(300)
              .ldelim(),
        ),
        bytes(22, text(1, 'k'), text(2, 'Exists'), text(4, 'NoExecute'), int(5, 0)),
        bytes(38, text(1, 'gate')),
      ),
    );
    expect(decodeProtobuf(pod, sent)).toEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'web',
        creationTimestamp: '2024-01-02T03:04:05Z',
        annotations: { note: '' },
        ownerReferences: [
          {
            apiVersion: 'apps/v1',
            kind: 'ReplicaSet',
            name: 'rs',
            uid: 'u',
            controller: true,
            blockOwnerDeletion: false,
          },
        ],
      },
      spec: {
        volumes: [
          { name: 'scratch', emptyDir: { medium: 'Memory', sizeLimit: '10Mi' } },
          { name: 'conf', configMap: { name: 'cm', defaultMode: 0 } },
        ],
        containers: [
          {
            name: 'app',
            command: ['httpd', '-f'],
            env: [
              { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
              { name: 'KEY', valueFrom: { configMapKeyRef: { name: 'cm', key: 'k', optional: false } } },
            ],
            resources: { limits: { cpu: '500m' }, requests: { cpu: '0' } },
            livenessProbe: { httpGet: { path: '/', port: 'http' }, initialDelaySeconds: 5 },
            readinessProbe: { tcpSocket: { port: 80 } },
            securityContext: { privileged: false, runAsUser: 0 },
          },
        ],
        terminationGracePeriodSeconds: 0,
        nodeSelector: { disk: 'ssd' },
        securityContext: { supplementalGroups: [1, 300] },
        tolerations: [{ key: 'k', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 0 }],
        schedulingGates: [{ name: 'gate' }],
      },
    });
  });

  it('keeps the presence of a volume whose fields it has no table for, so that it can be refused by name', () => {
    const sent = envelope('v1', 'Pod', bytes(2, bytes(1, text(1, 'v'), bytes(2, bytes(28, text(1, 'driver'))))));
    expect(decodeProtobuf(pod, sent)['spec']).toEqual({ volumes: [{ name: 'v', csi: {} }] });
  });

  it.each([
    [
      'a replica set of none',
      { group: 'apps', version: 'v1', kind: 'ReplicaSet' },
      [
        bytes(1, text(1, 'rs')),
        bytes(
          2,
          int(1, 0),
          bytes(2, bytes(1, text(1, 'a'), text(2, 'b')), bytes(2, text(1, 'k'), text(2, 'In'), text(3, 'x'))),
          bytes(3),
          int(4, 0),
        ),
      ],
      {
        metadata: { name: 'rs' },
        spec: {
          replicas: 0,
          selector: { matchLabels: { a: 'b' }, matchExpressions: [{ key: 'k', operator: 'In', values: ['x'] }] },
          template: {},
        },
      },
    ],
    [
      'a binding',
      { group: '', version: 'v1', kind: 'Binding' },
      [bytes(1, text(1, 'p')), bytes(2, text(1, 'Node'), text(3, 'n1'))],
      { metadata: { name: 'p' }, target: { kind: 'Node', name: 'n1' } },
    ],
    [
      'an eviction',
      { group: 'policy', version: 'v1', kind: 'Eviction' },
      [bytes(1, text(1, 'p')), bytes(2, int(1, 0), bytes(2, text(1, 'uid')), text(4, 'Background'), text(5, 'All'))],
      {
        metadata: { name: 'p' },
        deleteOptions: {
          gracePeriodSeconds: 0,
          preconditions: { uid: 'uid' },
          propagationPolicy: 'Background',
          dryRun: ['All'],
        },
      },
    ],
    [
      'a scale',
      { group: 'autoscaling', version: 'v1', kind: 'Scale' },
      [bytes(1, text(1, 'rs')), bytes(2, int(1, 3)), bytes(3, int(1, 0), text(2, ''))],
      { metadata: { name: 'rs' }, spec: { replicas: 3 }, status: {} },
    ],
    [
      'an event with a MicroTime',
      { group: '', version: 'v1', kind: 'Event' },
      [
        bytes(1, text(1, 'e')),
        bytes(2, text(1, 'Pod'), text(3, 'p')),
        text(3, 'Started'),
        bytes(6),
        int(8, 2),
        bytes(10, int(1, 1_704_164_645), int(2, 123_456_789)),
      ],
      {
        metadata: { name: 'e' },
        involvedObject: { kind: 'Pod', name: 'p' },
        reason: 'Started',
        count: 2,
        eventTime: '2024-01-02T03:04:05.123456Z',
      },
    ],
    [
      'a node',
      { group: '', version: 'v1', kind: 'Node' },
      [
        bytes(1, text(1, 'n')),
        bytes(2, text(1, '10.0.0.0/24'), int(4, 1), bytes(5, text(1, 'k'), text(3, 'NoSchedule'))),
        bytes(3, bytes(1, text(1, 'cpu'), bytes(2, text(1, '4')))),
      ],
      {
        metadata: { name: 'n' },
        spec: { podCIDR: '10.0.0.0/24', unschedulable: true, taints: [{ key: 'k', effect: 'NoSchedule' }] },
        status: { capacity: { cpu: '4' } },
      },
    ],
  ])('reads %s', (_, gvk, parts, expected) => {
    const apiVersion = gvk.group === '' ? gvk.version : `${gvk.group}/${gvk.version}`;
    expect(decodeProtobuf(gvk, envelope(apiVersion, gvk.kind, ...parts))).toEqual({
      apiVersion,
      kind: gvk.kind,
      ...expected,
    });
  });

  it('takes DeleteOptions under the version of whatever is deleted', () => {
    const options = { group: '', version: 'v1', kind: 'DeleteOptions' };
    expect(decodeProtobuf(options, envelope('apps/v1', 'DeleteOptions', int(1, 5)))).toMatchObject({
      gracePeriodSeconds: 5,
    });
  });

  it('skips fields whose numbers it does not know, of every wire type', () => {
    const unknown: Part[] = [
      int(900, 1),
      text(901, 'x'),
      (writer) => void writer.uint32(902 * 8 + 5).fixed32(1),
      (writer) => void writer.uint32(903 * 8 + 1).fixed64(1),
    ];
    expect(
      decodeProtobuf(pod, envelope('v1', 'Pod', ...unknown, bytes(1, ...unknown, text(1, 'p'))))['metadata'],
    ).toEqual({ name: 'p' });
  });

  const whole = envelope(
    'v1',
    'Pod',
    bytes(1, text(1, 'web'), bytes(11, text(1, 'a'), text(2, 'b'))),
    bytes(2, int(4, 30)),
  );

  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array()],
    ['JSON', Buffer.from('{"kind":"Pod"}')],
    ['another kind', envelope('v1', 'Namespace')],
    ['another version', envelope('apps/v1', 'Pod')],
    ['a truncated body', whole.subarray(0, whole.length - 3)],
    ['a number where a message belongs', envelope('v1', 'Pod', int(1, 5))],
    ['a message where a number belongs', envelope('v1', 'Pod', bytes(2, text(4, '30')))],
    ['a field numbered 0', envelope('v1', 'Pod', (writer) => void writer.uint32(2).string('x'))],
    [
      'text that is no UTF-8',
      envelope(
        'v1',
        'Pod',
        bytes(1, (writer) => void writer.uint32(10).bytes(Buffer.from([0xff]))),
      ),
    ],
    ['a quantity that is none', envelope('v1', 'Pod', bytes(2, bytes(32, text(1, 'cpu'), bytes(2, text(1, 'lots')))))],
    ['a time out of range', envelope('v1', 'Pod', bytes(1, bytes(8, int(1, 9e15))))],
    ['an encoded body', Buffer.concat([Buffer.from([0x6b, 0x38, 0x73, 0]), encode(text(3, 'gzip'))])],
    ['groups without end', Buffer.concat([Buffer.from([0x6b, 0x38, 0x73, 0]), Buffer.alloc(100_000, 0x2b)])],
  ])('refuses %s with 400', (_, body) => {
    expect(refusal(() => decodeProtobuf(pod, body)).code).toBe(400);
  });

  it('reads or refuses every cut of a body, and throws nothing but a WireError', () => {
    const reads = Array.from({ length: whole.length }, (_, length) => {
      try {
        decodeProtobuf(pod, whole.subarray(0, length));
      } catch (error) {
        return error instanceof WireError;
      }
      return true;
    });
    expect(reads).not.toContain(false);
  });

  it('throws nothing but a WireError on any bytes after the magic ones', () => {
    const mutated = fc.tuple(fc.nat(whole.length - 1), fc.nat(255)).map(([at, byte]) => {
      const copy = Buffer.from(whole);
      copy[at] = byte;
      return copy;
    });
    const random = fc.uint8Array({ maxLength: 300 }).map((rest) => Buffer.concat([whole.subarray(0, 4), rest]));
    fc.assert(
      fc.property(fc.oneof(mutated, random), (body) => {
        try {
          decodeProtobuf(pod, body);
        } catch (error) {
          return error instanceof WireError;
        }
        return true;
      }),
      { numRuns: 2000 },
    );
  });
});
