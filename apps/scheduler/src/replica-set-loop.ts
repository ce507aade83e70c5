import {
  type ClusterState,
  controllerReference,
  decidePod,
  decideReplicaSet,
  editableOf,
  generatedName,
  type Millis,
  matchesSelector,
  namespaceStream,
  type ObjectChange,
  type OwnerReference,
  podFromTemplate,
  podStream,
  type PodState,
  reconcileReplicaSet,
  type ReplicaSetPlan,
  type ReplicaSetState,
  type ReplicaSetStatus,
} from '#domain';
import { decideRemoval, podAt, replicaSetAt, streamOfObject } from './objects.js';
import { OrphanIndex } from './orphan-index.js';
import type { Controller } from './reconcile-loop.js';
import { settleAll } from './settle-all.js';
import { type Cause, type Footing, footingOf, type Outcome } from './term.js';
import type { Workplace } from './workplace.js';

/** Pods made by one command. Their requests are large, and one command is read whole by every follower. */
const PODS_PER_COMMAND = 50;

const controllerOf = (pod: PodState): OwnerReference | undefined =>
  pod.meta.ownerReferences.find(({ controller }) => controller === true);

/** Makes the pods of each replica set what it asks for. Its keys are the streams of replica sets. */
export class ReplicaSetLoop implements Controller {
  readonly name = 'replica sets';
  readonly #orphans = new OrphanIndex();

  constructor(private readonly workplace: Workplace) {}

  all(state: ClusterState): Iterable<string> {
    for (const pod of state.pods()) this.#orphans.set(streamOfObject(pod), pod);
    return [...state.replicaSets()].map(streamOfObject);
  }

  concerned({ kind, stream, ...change }: ObjectChange, state: ClusterState): Iterable<string> {
    if (kind === 'ReplicaSet') return change.after ? [stream] : [];
    if (kind !== 'Pod') return [];
    const before = change.before?.kind === 'Pod' ? change.before : undefined;
    const after = change.after?.kind === 'Pod' ? change.after : undefined;
    this.#orphans.set(stream, after);
    if (!countsDiffer(before, after)) return [];
    return new Set([before, after].flatMap((pod) => (pod ? this.#setsOf(pod, state) : [])));
  }

  async reconcile(stream: string, cause: Cause | undefined): Promise<Millis | undefined> {
    const { projection, clock } = this.workplace;
    const { state } = projection;
    const set = replicaSetAt(state, stream);
    if (!set) return undefined;
    const owned = state.dependentsOf(set.meta.uid).filter((object): object is PodState => object.kind === 'Pod');
    const pods = [...owned, ...this.#orphans.of(set.meta.namespace, state)];
    const decided = reconcileReplicaSet(set, pods, clock.now());
    const outcomes = await this.#carryOut(state, set, stream, decided, cause);
    return outcomes.includes('moved') || decided.more ? clock.now() : decided.availableAt;
  }

  async #carryOut(
    state: ClusterState,
    set: ReplicaSetState,
    stream: string,
    { add, remove, adopt, release, status }: ReplicaSetPlan,
    cause: Cause | undefined,
  ): Promise<Outcome[]> {
    const reference = controllerReference(set);
    const without = (pod: PodState): OwnerReference[] =>
      pod.meta.ownerReferences.filter(({ uid }) => uid !== set.meta.uid);
    // Taken before the first wait: the state moves on under this pass.
    const rests = (...streams: string[]): Footing => footingOf(state, [stream, ...streams]);
    const onSet = rests();
    const outcomes = await settleAll([
      ...adopt.map((pod) => this.#own(pod, [...without(pod), reference], rests(streamOfObject(pod)), cause)),
      ...release.map((pod) => this.#own(pod, without(pod), rests(streamOfObject(pod)), cause)),
      ...this.#add(set, add, rests(namespaceStream(set.meta.namespace)), cause),
      ...remove.map((pod) => this.#remove(pod, rests(streamOfObject(pod)), cause)),
    ]);
    // What was recorded wakes the set again, and the counts are told once they are those of the outcome.
    if (outcomes.some((outcome) => outcome !== 'nothing')) return outcomes;
    return [await this.#tell(set, stream, status, onSet, cause)];
  }

  #tell(
    { meta: { uid } }: ReplicaSetState,
    stream: string,
    status: ReplicaSetStatus,
    footing: Footing,
    cause: Cause | undefined,
  ): Promise<Outcome> {
    const command = { type: 'RecordReplicaSetStatus', uid, status } as const;
    return this.workplace.term.execute({
      ...(cause && { cause }),
      footing,
      decide: (state) => [{ stream, events: decideReplicaSet(command, replicaSetAt(state, stream)) }],
    });
  }

  #own(
    pod: PodState,
    ownerReferences: readonly OwnerReference[],
    footing: Footing,
    cause: Cause | undefined,
  ): Promise<Outcome> {
    const stream = streamOfObject(pod);
    const command = {
      type: 'ChangePod',
      desired: { ...editableOf(pod), ownerReferences },
      preconditions: { uid: pod.meta.uid },
      fieldManager: 'podledger-replicaset-controller',
      operation: 'Update',
      managedFields: [],
    } as const;
    return this.workplace.term.execute({
      ...(cause && { cause }),
      footing,
      decide: (state) => [{ stream, events: decidePod(command, podAt(state, stream)) }],
    });
  }

  /** Uids and names are drawn once: a repeated command asks for the same pods. */
  #add(set: ReplicaSetState, count: number, footing: Footing, cause: Cause | undefined): Promise<Outcome>[] {
    const { ids, projection } = this.workplace;
    const { namespace } = set.meta;
    const { generateName, meta, spec } = podFromTemplate(set);
    const taken = new Set<string>();
    const requests = Array.from({ length: count }, () => {
      let name = generatedName(generateName, () => ids.random());
      while (taken.has(name) || projection.state.get(podStream(namespace, name)))
        name = generatedName(generateName, () => ids.random());
      taken.add(name);
      return { type: 'RequestPod', namespace, name, meta: { ...meta, uid: ids.uuid() }, spec } as const;
    });
    const batches = Array.from({ length: Math.ceil(count / PODS_PER_COMMAND) }, (_, index) =>
      requests.slice(index * PODS_PER_COMMAND, (index + 1) * PODS_PER_COMMAND),
    );
    return batches.map((batch) =>
      this.workplace.term.execute({
        ...(cause && { cause }),
        footing,
        decide: (state) => {
          const home = state.namespace(namespace);
          // Nothing is made in a namespace that is going; the set goes with it.
          if (!home || home.meta.deletion) return [];
          return batch
            .filter(({ meta: { uid } }) => !state.podByUid(uid))
            .map((command) => {
              const stream = podStream(namespace, command.name);
              return { stream, events: decidePod(command, podAt(state, stream)) };
            });
        },
      }),
    );
  }

  #remove(pod: PodState, footing: Footing, cause: Cause | undefined): Promise<Outcome> {
    return this.workplace.term.execute({
      ...(cause && { cause }),
      footing,
      decide: (state) =>
        decideRemoval(state, pod, streamOfObject(pod), { reason: 'ScaledDown', propagation: 'Background' }),
    });
  }

  /** The sets a pod belongs to, or could: its controller, else those that select it. */
  #setsOf(pod: PodState, state: ClusterState): string[] {
    const controller = controllerOf(pod);
    if (controller) {
      const owner = state.objectByUid(controller.uid);
      return owner?.kind === 'ReplicaSet' ? [streamOfObject(owner)] : [];
    }
    return state
      .list('ReplicaSet', pod.meta.namespace)
      .filter((set) => set.kind === 'ReplicaSet' && matchesSelector(set.spec.selector, pod.meta.labels))
      .map(streamOfObject);
  }
}

/** Whether a change of a pod can make a difference to a replica set. */
function countsDiffer(before: PodState | undefined, after: PodState | undefined): boolean {
  if (!before || !after || before.meta.uid !== after.meta.uid) return true;
  return (
    before.meta.labels !== after.meta.labels ||
    before.meta.ownerReferences !== after.meta.ownerReferences ||
    (before.meta.deletion === undefined) !== (after.meta.deletion === undefined) ||
    (before.terminated === undefined) !== (after.terminated === undefined) ||
    before.conditions['Ready']?.status !== after.conditions['Ready']?.status
  );
}
