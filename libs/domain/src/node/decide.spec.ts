import {
  decideNode,
  DomainError,
  editableNode,
  evolveNode,
  type JsonObject,
  type NodeCommand,
  type NodeEvent,
  type NodeState,
  nodeStream,
} from '#domain';
import { aMeta, aNodeDescription } from '../../../../test/support/builders.js';
import { given } from '../../../../test/support/given.js';

const node = given<NodeCommand, NodeEvent, NodeState>({
  stream: nodeStream('n1'),
  decide: decideNode,
  evolve: evolveNode,
});
const register = (streamVersion: number, labels = {}): NodeCommand => ({
  type: 'RegisterNode',
  name: 'n1',
  uid: 'uid-1',
  podCIDR: '10.1.0.0/24',
  description: aNodeDescription({ labels: { 'kubernetes.io/hostname': 'n1', ...labels } }),
  streamVersion,
});
const joined = node().when(register(0));
const heard = node(...joined).when({ type: 'RecordNodeReady', nodeEpoch: 1 });
const change = (state: NodeState, spec: JsonObject, labels = state.meta.labels): NodeCommand => ({
  type: 'ChangeNode',
  desired: { ...editableNode(state), labels, spec: { ...editableNode(state).spec, ...spec } },
  preconditions: {},
  fieldManager: 'kubectl-cordon',
  operation: 'Update',
  managedFields: [],
});
const taints = (state: NodeState | undefined): string[] =>
  (state?.taints ?? []).map(({ key, effect }) => `${key}:${effect}`);

describe('a node', () => {
  it('joins unready, is ready once heard, and silent again', () => {
    expect(node(...joined).state().ready.status).toBe('False');
    expect(taints(node(...joined).state())).toContain('node.kubernetes.io/not-ready:NoExecute');
    expect(taints(node(...joined, ...heard).state())).toEqual([]);
    const silent: NodeCommand = { type: 'RecordNodeSilent', nodeEpoch: 1, message: 'silent for 15 s' };
    expect(taints(node(...joined, ...heard).after(silent))).toEqual([
      'node.kubernetes.io/unreachable:NoSchedule',
      'node.kubernetes.io/unreachable:NoExecute',
    ]);
  });

  it('is not ready while it says so, which is another trouble than silence', () => {
    const out: NodeCommand = { type: 'RecordNodeNotReady', nodeEpoch: 1, message: 'container runtime is down' };
    const said = node(...joined, ...heard).when(out);
    const after = node(...joined, ...heard, ...said);
    expect(after.state().ready).toMatchObject({
      status: 'False',
      reason: 'KubeletNotReady',
      message: 'container runtime is down',
    });
    expect(taints(after.state())).toEqual([
      'node.kubernetes.io/not-ready:NoSchedule',
      'node.kubernetes.io/not-ready:NoExecute',
    ]);
    expect(after.when(out)).toEqual([]);
    expect(after.when({ type: 'RecordNodeSilent', nodeEpoch: 1, message: 'silent' })).toHaveLength(1);
    expect(taints(after.after({ type: 'RecordNodeReady', nodeEpoch: 1 }))).toEqual([]);
    expect(() => after.when({ ...out, nodeEpoch: 0 })).toThrow(DomainError);
  });

  it('keeps being silent when an event of an earlier version says so without a status', () => {
    const old: NodeEvent = { type: 'NodeBecameNotReady', data: { reason: 'NodeStatusUnknown', message: '' } };
    expect(node(...joined, ...heard, old).state().ready.status).toBe('Unknown');
  });

  it('starts a new epoch with every registration, also after it was deleted', () => {
    expect(node(...joined).after(register(1))?.nodeEpoch).toBe(2);
    const deleted = node(...joined).when({ type: 'DeleteNode', preconditions: {} });
    expect(deleted.map(({ type }) => type)).toEqual(['NodeDeletionRequested', 'NodeDeleted']);
    expect(node(...joined, ...deleted).when(register(3))).toMatchObject([
      { type: 'NodeJoined', data: { nodeEpoch: 4 } },
    ]);
  });

  it('that is lost is at another epoch: what it still says does not count', () => {
    const lost = node(...joined, ...heard).when({ type: 'RecordNodeLost', nodeEpoch: 1, message: 'gone' });
    expect(lost).toMatchObject([{ data: { nodeEpoch: 2 } }]);
    expect(() => node(...joined, ...heard, ...lost).when({ type: 'RecordNodeReady', nodeEpoch: 1 })).toThrow(
      DomainError,
    );
  });

  it('keeps the labels people gave it when it registers again', () => {
    const labelled = node(...joined).when(
      change(node(...joined).state(), {}, { 'kubernetes.io/hostname': 'n1', disk: 'fast' }),
    );
    const after = node(...joined, ...labelled).after(register(2, { zone: 'a' }));
    expect(after?.meta.labels).toEqual({ 'kubernetes.io/hostname': 'n1', disk: 'fast', zone: 'a' });
  });

  it('is cordoned by a field that is also a taint, and uncordoned without a trace', () => {
    const ready = node(...joined, ...heard);
    const cordon = ready.when(change(ready.state(), { unschedulable: true }));
    const cordoned = node(...joined, ...heard, ...cordon);
    expect(taints(cordoned.state())).toEqual(['node.kubernetes.io/unschedulable:NoSchedule']);
    const uncordoned = cordoned.after(change(cordoned.state(), { unschedulable: null }));
    expect(uncordoned).toMatchObject({ unschedulable: false, taints: [] });
  });

  it('stamps NoExecute taints with the time they came', () => {
    const ready = node(...joined, ...heard);
    const tainted = ready.after(change(ready.state(), { taints: [{ key: 'gpu', effect: 'NoExecute' }] }));
    expect(tainted?.taints).toEqual([{ key: 'gpu', effect: 'NoExecute', timeAdded: '2026-01-01T00:00:02Z' }]);
  });

  it('can be made as an object before an executor comes', () => {
    const made = node().when({
      type: 'RequestNode',
      name: 'n1',
      podCIDR: '10.1.0.0/24',
      meta: aMeta({ labels: { a: 'b' } }),
      spec: {},
    });
    expect(node(...made).state()).toMatchObject({
      nodeEpoch: 0,
      meta: { labels: { a: 'b' } },
      ready: { status: 'False' },
    });
  });
});
