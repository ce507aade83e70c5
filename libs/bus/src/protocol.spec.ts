import fc from 'fast-check';
import { DomainError, type JsonObject } from '#domain';
import * as protocol from './protocol.js';

const parsers = Object.entries(protocol) as [string, (value: unknown, path: string) => unknown][];

const full = { kind: 'full', cluster: 'c1', node: 'n1', nodeEpoch: 2, revision: 9, pods: [{ uid: 'u1' }] };
const delta = {
  kind: 'delta',
  cluster: 'c1',
  node: 'n1',
  nodeEpoch: 2,
  prev: 8,
  revision: 9,
  upserts: [],
  removed: ['u1'],
};
const register = {
  node: 'n1.example.org',
  labels: { 'kubernetes.io/os': 'linux' },
  capacity: { cpuMillis: 4000, memoryBytes: 8e9, pods: 110 },
  allocatable: { cpuMillis: 3800, memoryBytes: 7e9, pods: 110 },
  info: { architecture: 'amd64' },
  addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
};
const report = {
  node: 'n1',
  nodeEpoch: 2,
  pod: { namespace: 'shop', name: 'web', uid: 'u1' },
  facts: [{ id: 'c1/started', kind: 'ContainerStarted', at: 5 }],
};

describe('messages between the control plane and the nodes', () => {
  it.each<[string, (value: unknown, path: string) => unknown, JsonObject]>([
    ['a full assignment', protocol.parseAssignment, full],
    ['a delta', protocol.parseAssignment, delta],
    ['a registration', protocol.parseRegister, register],
    ['a report, with all a fact holds', protocol.parseReport, report],
    ['a heartbeat', protocol.parseHeartbeat, { node: 'n1', nodeEpoch: 1, revision: 0, sentAt: 1 }],
  ])('read %s as it was sent', (_, parse, message) => {
    expect(parse(message, 'request')).toStrictEqual(message);
  });

  it('leave out what they do not know', () => {
    expect(protocol.parseSyncRequest({ node: 'n1', nodeEpoch: 1, newer: true }, 'request')).toStrictEqual({
      node: 'n1',
      nodeEpoch: 1,
    });
  });

  it.each<[string, (value: unknown, path: string) => unknown, JsonObject]>([
    ['request.node', protocol.parseHeartbeat, { node: '*', nodeEpoch: 1, revision: 0, sentAt: 1 }],
    ['request.nodeEpoch', protocol.parseSyncRequest, { node: 'n1', nodeEpoch: -1 }],
    ['request.nodeEpoch', protocol.parseSyncRequest, { node: 'n1', nodeEpoch: 1.5 }],
    ['request.kind', protocol.parseAssignment, { ...full, kind: 'half' }],
    ['request.pods[0]', protocol.parseAssignment, { ...full, pods: [3] }],
    ['request.capacity.pods', protocol.parseRegister, { ...register, capacity: { cpuMillis: 1, memoryBytes: 1 } }],
    ['request.labels.a', protocol.parseRegister, { ...register, labels: { a: 1 } }],
    ['request.facts[0].id', protocol.parseReport, { ...report, facts: [{}] }],
    [
      'request.stream',
      protocol.parseLogsRequest,
      {
        uid: 'u',
        namespace: 'a',
        pod: 'b',
        container: 'c',
        options: {},
        stream: 'events.pod.PodRequested',
      },
    ],
    ['request.removed', protocol.parseAssignment, { ...delta, removed: 'u1' }],
  ])('name %s when it is at fault', (field, parse, message) => {
    expect(() => parse(message, 'request')).toThrow(
      expect.objectContaining({ reason: 'BadRequest', faults: [expect.objectContaining({ field })] }),
    );
  });

  it('refuse, and never crash on, anything at all', () => {
    expect(parsers.length).toBeGreaterThan(10);
    const mangled = fc
      .constantFrom(full, delta, register, report)
      .chain((message) =>
        fc
          .tuple(fc.constantFrom(...Object.keys(message)), fc.jsonValue())
          .map(([key, value]) => ({ ...message, [key]: value })),
      );
    fc.assert(
      fc.property(fc.constantFrom(...parsers), fc.oneof(fc.jsonValue(), mangled), ([, parse], value) => {
        try {
          parse(value, 'request');
        } catch (error) {
          expect(error).toBeInstanceOf(DomainError);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
