import {
  type ClusterState,
  collectGarbage,
  decideNamespace,
  decideNode,
  decidePlain,
  decidePod,
  decideWorkload,
  editableOf,
  type GarbageStep,
  isPlain,
  isWorkload,
  KINDS,
  type Millis,
  type ObjectChange,
  type ObjectMeta,
  type StoredObject,
  withoutPropagationFinalizers,
} from '#domain';
import type { StreamDecision } from '#eventlog';
import { decideRemoval, streamOfObject } from './objects.js';
import type { Controller } from './reconcile-loop.js';
import { settleAll } from './settle-all.js';
import { type Cause, footingOf, type Outcome } from './term.js';
import type { Workplace } from './workplace.js';

type Collected = Exclude<StoredObject, { readonly kind: 'Event' }>;

/** Event objects own nothing, and nobody owns them. */
const isCollected = (object: StoredObject | undefined): object is Collected =>
  object !== undefined && object.kind !== 'Event';

/** Ends dependents with their owners, lets orphans go, and completes deletions that waited for it. Its keys are streams. */
export class GarbageLoop implements Controller {
  readonly name = 'garbage collection';

  constructor(private readonly workplace: Workplace) {}

  *all(state: ClusterState): Iterable<string> {
    for (const { kind } of KINDS) {
      if (kind === 'Event') continue;
      for (const object of state.all(kind)) if (isInvolved(object)) yield streamOfObject(object);
    }
  }

  *concerned({ kind, stream, before, after }: ObjectChange, state: ClusterState): Iterable<string> {
    if (kind === 'Event') return;
    const isSame = before !== undefined && before.meta.uid === after?.meta.uid;
    if (isSame && !linksDiffer(before.meta, after.meta)) return;
    if (after && isInvolved(after)) yield stream;
    // Who depends on what has gone, or is going.
    for (const owner of [isSame ? undefined : before, after?.meta.deletion ? after : undefined]) {
      if (owner) yield* state.dependentsOf(owner.meta.uid).map(streamOfObject);
    }
    // An owner may have been waiting for this dependent to go, or to let go.
    for (const { uid } of before?.meta.ownerReferences ?? []) {
      const owner = state.objectByUid(uid);
      if (owner?.meta.deletion) yield streamOfObject(owner);
    }
  }

  async reconcile(stream: string, cause: Cause | undefined): Promise<Millis | undefined> {
    const { projection, clock } = this.workplace;
    const { state } = projection;
    const object = state.get(stream);
    if (!isCollected(object)) return undefined;
    const outcomes = await settleAll(collectGarbage(object, state).map((step) => this.#carryOut(state, step, cause)));
    return outcomes.includes('moved') ? clock.now() : undefined;
  }

  #carryOut(state: ClusterState, step: GarbageStep, cause: Cause | undefined): Promise<Outcome> {
    const stream = streamOfObject(step.object);
    const owners = step.object.meta.ownerReferences.flatMap(({ uid }) => state.objectByUid(uid) ?? []);
    return this.workplace.term.execute({
      ...(cause && { cause }),
      // Kubernetes asks the API server again before it deletes; here the owners that are there must still stand as they did.
      footing: footingOf(state, [stream, ...owners.map(streamOfObject)]),
      decide: (current) => decideStep(current, step, stream),
    });
  }
}

function decideStep(state: ClusterState, step: GarbageStep, stream: string): readonly StreamDecision[] {
  const { object } = step;
  switch (step.type) {
    case 'Delete':
      return decideRemoval(state, object, stream, { reason: 'OwnerGone', propagation: step.propagation });
    case 'DropOwners': {
      const kept = object.meta.ownerReferences.filter(({ uid }) => !step.ownerUids.includes(uid));
      return isCollected(object) ? edit(object, { ownerReferences: kept }, stream) : [];
    }
    case 'FinishDeletion':
      if (isWorkload(object)) {
        const command = { type: 'FinishWorkloadDeletion', uid: object.meta.uid } as const;
        return [{ stream, events: decideWorkload(object.kind, command, object) }];
      }
      return isCollected(object)
        ? edit(object, { finalizers: withoutPropagationFinalizers(object.meta.finalizers) }, stream)
        : [];
  }
}

/** An edit of metadata, of an object of any kind. */
function edit(
  object: Collected,
  change: Partial<Pick<StoredObject['meta'], 'ownerReferences' | 'finalizers'>>,
  stream: string,
): readonly StreamDecision[] {
  const request = {
    desired: { ...editableOf(object), ...change },
    preconditions: { uid: object.meta.uid },
    fieldManager: 'podledger-garbage-collector',
    operation: 'Update',
    managedFields: [],
  } as const;
  if (isWorkload(object)) {
    return [{ stream, events: decideWorkload(object.kind, { type: 'ChangeWorkload', ...request }, object) }];
  }
  if (isPlain(object)) {
    const command = { type: 'ChangePlainObject', kind: object.kind, ...request } as const;
    return [{ stream, events: decidePlain(command, object) }];
  }
  switch (object.kind) {
    case 'Pod':
      return [{ stream, events: decidePod({ type: 'ChangePod', ...request }, object) }];
    case 'Node':
      return [{ stream, events: decideNode({ type: 'ChangeNode', ...request }, object) }];
    case 'Namespace':
      return [{ stream, events: decideNamespace({ type: 'ChangeNamespace', ...request }, object) }];
  }
}

/** Whether there may be anything to do about an object: it has owners, or is being deleted as one. */
const isInvolved = ({ meta }: StoredObject): boolean =>
  meta.ownerReferences.length > 0 || (meta.deletion !== undefined && meta.finalizers.length > 0);

/** Whether a change of an object touches who owns whom, or who is going. */
const linksDiffer = (before: ObjectMeta, after: ObjectMeta): boolean =>
  before.ownerReferences !== after.ownerReferences ||
  before.finalizers !== after.finalizers ||
  (before.deletion === undefined) !== (after.deletion === undefined);
