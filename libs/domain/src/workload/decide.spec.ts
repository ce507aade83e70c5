import {
  decideWorkload,
  DomainError,
  editableWorkload,
  evolveWorkload,
  replicaSetStream,
  type WorkloadCommand,
  type WorkloadEvent,
  type WorkloadState,
} from '#domain';
import { aMeta, aReplicaSetSpec } from '../../../../test/support/builders.js';
import { given } from '../../../../test/support/given.js';

const replicaSet = given<WorkloadCommand, WorkloadEvent, WorkloadState>({
  stream: replicaSetStream('shop', 'web'),
  decide: (command, workload) => decideWorkload('ReplicaSet', command, workload),
  evolve: (workload, event) => evolveWorkload('ReplicaSet', workload, event),
});

const create: WorkloadCommand = {
  type: 'RequestWorkload',
  namespace: 'shop',
  name: 'web',
  meta: aMeta(),
  spec: aReplicaSetSpec(),
  replicas: 3,
};
const created = replicaSet().when(create);
const remove = (propagation: 'Background' | 'Foreground' | 'Orphan'): WorkloadCommand => ({
  type: 'DeleteWorkload',
  preconditions: {},
  propagation,
});
const types = (events: readonly WorkloadEvent[]): string[] => events.map(({ type }) => type);

/** An edit of the wire form, as a PUT or a patch comes to the decider. */
function edit(set: WorkloadState, spec: object, finalizers = set.meta.finalizers): WorkloadCommand {
  const desired = { ...editableWorkload(set), finalizers };
  return {
    type: 'ChangeWorkload',
    desired: { ...desired, spec: { ...desired.spec, ...spec } },
    preconditions: {},
    fieldManager: 'test',
    operation: 'Update',
    managedFields: [],
  };
}

describe('a replica set', () => {
  it('is a request and a wish for replicas: creation is a ScaleRequested too', () => {
    expect(created).toMatchObject([{ type: 'ReplicaSetRequested' }, { type: 'ScaleRequested', data: { replicas: 3 } }]);
    expect(replicaSet(...created).state()).toMatchObject({ replicas: 3, meta: { generation: 1, resourceVersion: 2 } });
  });

  it('changes its replicas by ScaleRequested, whichever route the wish takes', () => {
    const set = replicaSet(...created);
    const scaled = { type: 'ScaleRequested', data: { replicas: 5, previous: 3 } };
    expect(set.when({ type: 'ScaleWorkload', replicas: 5, preconditions: {}, fieldManager: 'kubectl' })).toMatchObject([
      scaled,
    ]);
    expect(set.when(edit(set.state(), { replicas: 5 }))).toMatchObject([scaled]);
  });

  it('raises its generation once when spec and replicas change together', () => {
    const set = replicaSet(...created);
    const both = edit(set.state(), { minReadySeconds: 5, replicas: 7 });
    expect(types(set.when(both))).toEqual(['ReplicaSetChanged', 'ScaleRequested']);
    expect(set.after(both)).toMatchObject({ replicas: 7, meta: { generation: 2 } });
    expect(set.after(edit(set.state(), { replicas: 7 }))?.meta.generation).toBe(2);
  });

  it('records nothing when nothing changes', () => {
    const set = replicaSet(...created);
    expect(set.when(edit(set.state(), {}))).toEqual([]);
    expect(set.when({ type: 'ScaleWorkload', replicas: 3, preconditions: {}, fieldManager: 'kubectl' })).toEqual([]);
    expect(set.when({ type: 'RecordWorkloadStatus', uid: 'uid-1', status: set.state().status })).toEqual([]);
  });

  it('goes at once in the background, and its pods after it', () => {
    expect(types(replicaSet(...created).when(remove('Background')))).toEqual([
      'ReplicaSetDeletionRequested',
      'ReplicaSetDeleted',
    ]);
  });

  it.each([
    ['Foreground', 'foregroundDeletion'],
    ['Orphan', 'orphan'],
  ] as const)('waits for the garbage reconcile when deleted with %s', (propagation, finalizer) => {
    const asked = replicaSet(...created).when(remove(propagation));
    const deleting = replicaSet(...created, ...asked);
    expect(deleting.state().meta.finalizers).toEqual([finalizer]);
    expect(types(deleting.when({ type: 'FinishWorkloadDeletion', uid: 'uid-1' }))).toEqual([
      'ReplicaSetChanged',
      'ReplicaSetDeleted',
    ]);
  });

  it('waits for a foreign finalizer, takes no new ones, and goes with the last', () => {
    const held = replicaSet().when({ ...create, meta: aMeta({ finalizers: ['a.example/hold'] }) });
    const asked = replicaSet(...held).when(remove('Background'));
    const deleting = replicaSet(...held, ...asked);
    expect(types(asked)).toEqual(['ReplicaSetDeletionRequested']);
    expect(() => deleting.when(edit(deleting.state(), {}, ['a.example/hold', 'b.example/more']))).toThrow(DomainError);
    expect(types(deleting.when(edit(deleting.state(), {}, [])))).toEqual(['ReplicaSetChanged', 'ReplicaSetDeleted']);
  });
});
