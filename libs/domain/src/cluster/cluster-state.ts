import { BrokenInvariant } from '../errors.js';
import type { Millis, Recorded, Revision } from '../event.js';
import type { Json } from '../json.js';
import { kindOfStream } from '../meta/kinds.js';
import { evolveNamespace } from '../namespace/evolve.js';
import type { NamespaceEvent, NamespaceState } from '../namespace/namespace.js';
import { assignedPod, nodeConcernedBy } from '../node/assignment.js';
import type { AssignedPod } from '../node/assigned-pod.js';
import { evolveNode } from '../node/evolve.js';
import type { NodeEvent, NodeState } from '../node/node.js';
import { evolvePlain } from '../plain/evolve.js';
import { isPlainKind, type PlainEvent, type PlainObjectState } from '../plain/plain-object.js';
import { evolvePod } from '../pod/evolve.js';
import type { PodEvent, PodState } from '../pod/pod.js';
import { eventStream, namespaceStream, nodeStream, refOf } from '../stream.js';
import { evolveWorkload, isWorkloadKind } from '../workload/evolve.js';
import type { ReplicaSetState, WorkloadEvent, WorkloadState } from '../workload/workload.js';
import { describeEvent, describeForOwner } from './describe-event.js';
import type { EventText, KubernetesEventEvent, KubernetesEventState } from './kubernetes-event.js';
import { aboutObject, firstOccurrence, nextOccurrence, recordedEvent } from './kubernetes-events.js';
import { ObjectIndex } from './object-index.js';
import type { Kind, ObjectChange, ObjectOf, StoredObject } from './stored-object.js';

/** Format of {@link ClusterState.toSnapshot}; raised whenever an older snapshot would mislead. */
export const CLUSTER_STATE_FORMAT = 4;

/**
 * How many deleted objects' stream versions are remembered. Of an older one the version is asked of the log when its name
 * is used again: without a bound, every pod that ever lived would stay in memory.
 */
const TOMBSTONES = 10_000;

/**
 * The cluster as the log tells it up to {@link revision}: the one projection of every app. Objects are immutable and
 * replaced; the maps belong to whoever applies events. The same events give the same state, byte for byte.
 */
export class ClusterState {
  private readonly index = new ObjectIndex();
  private readonly versions = new Map<string, number>();
  private readonly tombstones = new Map<string, number>();
  private readonly assignments = new Map<string, Revision>();
  private at: Revision = 0;
  private time: Millis = 0;

  static empty(): ClusterState {
    return new ClusterState();
  }

  get revision(): Revision {
    return this.at;
  }

  /** Time of the newest event. */
  get lastTime(): Millis {
    return this.time;
  }

  /** Moves the state on by one event and says what that did. Throws `BrokenInvariant` on a gap. */
  apply(event: Recorded): ObjectChange[] {
    if (event.revision !== this.at + 1) throw new BrokenInvariant(`revision ${event.revision} after ${this.at}`);
    this.at = event.revision;
    this.time = event.time;
    const before = this.index.get(event.stream);
    const kind = before?.kind ?? kindOfStream(refOf(event.stream))?.kind;
    const after = kind && evolve(kind, before, event);
    // What has an object has no tombstone.
    if (before && after) this.versions.set(event.stream, event.version);
    else this.setVersion(event.stream, event.version, after !== undefined || kind === undefined);
    const changes: ObjectChange[] = [];
    if (kind) this.replace(event.stream, kind, before, after, event, changes);
    if (event.type === 'EventsExpired') this.expireEvents(event, changes);
    if (event.type === 'NamespaceDeleted') this.dropEventsOf(event, changes);
    this.tell(event, before, after, changes);
    return changes;
  }

  get(stream: string): StoredObject | undefined {
    return this.index.get(stream);
  }

  /** Version of a stream; `0` when it is unknown, or its object was deleted long ago. */
  version(stream: string): number {
    return this.versions.get(stream) ?? this.tombstones.get(stream) ?? 0;
  }

  pods(): Iterable<PodState> {
    return this.index.all('Pod');
  }
  replicaSets(): Iterable<ReplicaSetState> {
    return this.index.all('ReplicaSet');
  }
  nodes(): Iterable<NodeState> {
    return this.index.all('Node');
  }
  namespaces(): Iterable<NamespaceState> {
    return this.index.all('Namespace');
  }
  /** All objects of a kind. */
  all<K extends Kind>(kind: K): Iterable<ObjectOf<K>> {
    return this.index.all(kind);
  }
  events(): Iterable<KubernetesEventState> {
    return this.index.all('Event');
  }
  node(name: string): NodeState | undefined {
    const node = this.get(nodeStream(name));
    return node?.kind === 'Node' ? node : undefined;
  }
  namespace(name: string): NamespaceState | undefined {
    const namespace = this.get(namespaceStream(name));
    return namespace?.kind === 'Namespace' ? namespace : undefined;
  }

  /** Objects of a kind, of one namespace or of all, in the order of their keys. */
  list(kind: Kind, namespace?: string): StoredObject[] {
    return this.index.list(kind, namespace);
  }
  podByUid(uid: string): PodState | undefined {
    const object = this.index.byUid(uid);
    return object?.kind === 'Pod' ? object : undefined;
  }
  objectByUid(uid: string): StoredObject | undefined {
    return this.index.byUid(uid);
  }
  podsOnNode(node: string): PodState[] {
    return this.index.podsOnNode(node);
  }
  /** Objects that name this uid among their owners. */
  dependentsOf(ownerUid: string): StoredObject[] {
    return this.index.dependentsOf(ownerUid);
  }
  /** What must go before a namespace can: everything in it but Event objects, which go with it. */
  inNamespace(namespace: string): StoredObject[] {
    return this.index.inNamespace(namespace);
  }

  /** Revision of the newest change to what a node is assigned; `0` when it was never assigned anything. */
  assignmentRevision(node: string): Revision {
    return this.assignments.get(node) ?? 0;
  }

  /** Everything a node is to have. A node that is not (or no longer) known is assigned nothing. */
  assignmentOf(node: string): {
    readonly revision: Revision;
    readonly nodeEpoch: number;
    readonly pods: AssignedPod[];
  } {
    const known = this.node(node);
    return {
      revision: this.assignmentRevision(node),
      nodeEpoch: known?.nodeEpoch ?? 0,
      pods: known ? this.podsOnNode(node).map(assignedPod) : [],
    };
  }

  private setVersion(stream: string, version: number, alive: boolean): void {
    this.tombstones.delete(stream);
    if (alive || stream.startsWith('core/nodes/')) {
      this.versions.set(stream, version);
      return;
    }
    this.versions.delete(stream);
    this.tombstones.set(stream, version);
    if (this.tombstones.size > TOMBSTONES) {
      const oldest = this.tombstones.keys().next();
      if (!oldest.done) this.tombstones.delete(oldest.value);
    }
  }

  /** Puts an object in the place of another, and adds to `changes` what that is. */
  private replace(
    stream: string,
    kind: Kind,
    before: StoredObject | undefined,
    after: StoredObject | undefined,
    event: Recorded,
    changes: ObjectChange[],
  ): void {
    if (before === after) return;
    this.index.replace(stream, before, after);
    const change = changeOf(stream, kind, before, after, event);
    const node = nodeConcernedBy(change) ?? registeredNode(change);
    if (node !== undefined) this.assignments.set(node, event.revision);
    changes.push(change);
  }

  private dropEvents(gone: readonly KubernetesEventState[], event: Recorded, changes: ObjectChange[]): void {
    for (const object of gone) {
      const stream = eventStream(object.meta.namespace, object.meta.name);
      if (this.versions.has(stream)) this.setVersion(stream, this.version(stream), false);
      this.replace(stream, 'Event', object, undefined, event, changes);
    }
  }

  private expireEvents(event: Recorded, changes: ObjectChange[]): void {
    const through = Number(event.data['through']);
    const expired = [...this.events()].filter(({ lastSeenAt }) => lastSeenAt <= through);
    this.dropEvents(expired, event, changes);
  }

  private dropEventsOf(event: Recorded, changes: ObjectChange[]): void {
    const { name } = refOf(event.stream);
    this.dropEvents(this.list('Event', name) as KubernetesEventState[], event, changes);
  }

  /** The Kubernetes Events that a domain event makes. */
  private tell(
    event: Recorded,
    before: StoredObject | undefined,
    after: StoredObject | undefined,
    changes: ObjectChange[],
  ): void {
    const about = after ?? before;
    if (!about || about.kind === 'Event') return;
    this.tellAbout(about, describeEvent(event, about), event, 0, changes);
    const controller = about.meta.ownerReferences.find((reference) => reference.controller);
    const owner = controller && this.objectByUid(controller.uid);
    if (owner) this.tellAbout(owner, describeForOwner(event, about, owner), event, 1, changes);
  }

  private tellAbout(
    object: StoredObject,
    text: EventText | undefined,
    event: Recorded,
    nth: number,
    changes: ObjectChange[],
  ): void {
    if (!text) return;
    const words = { about: aboutObject(object), text };
    const stream = this.index.eventThatTells(words);
    const before = stream === undefined ? undefined : this.index.get(stream);
    if (stream !== undefined && before?.kind === 'Event' && before.told) {
      const again = nextOccurrence({ ...before, told: before.told }, text, event);
      this.replace(stream, 'Event', before, again, event, changes);
    } else {
      const first = firstOccurrence(object, words, event, nth);
      this.replace(eventStream(first.meta.namespace, first.meta.name), 'Event', undefined, first, event, changes);
    }
  }

  /** The whole state as JSON, in a fixed order. */
  toSnapshot(): Json {
    const sorted = <T>(entries: Iterable<readonly [string, T]>): (readonly [string, T])[] =>
      [...entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    const snapshot = {
      revision: this.at,
      time: this.time,
      objects: sorted(this.index.entries()),
      versions: sorted(this.versions),
      tombstones: [...this.tombstones],
      assignments: sorted(this.assignments),
    };
    return snapshot as unknown as Json;
  }

  /** The inverse of {@link toSnapshot}. */
  static fromSnapshot(json: Json): ClusterState {
    const { revision, time, objects, versions, tombstones, assignments } = json as unknown as {
      readonly revision: Revision;
      readonly time: Millis;
      readonly objects: readonly (readonly [string, StoredObject])[];
      readonly versions: readonly (readonly [string, number])[];
      readonly tombstones: readonly (readonly [string, number])[];
      readonly assignments: readonly (readonly [string, Revision])[];
    };
    const state = new ClusterState();
    state.at = revision;
    state.time = time;
    for (const [stream, object] of objects) state.index.replace(stream, undefined, object);
    for (const [stream, version] of versions) state.versions.set(stream, version);
    for (const [stream, version] of tombstones) state.tombstones.set(stream, version);
    for (const [node, at] of assignments) state.assignments.set(node, at);
    return state;
  }
}

function changeOf(
  stream: string,
  kind: Kind,
  before: StoredObject | undefined,
  after: StoredObject | undefined,
  event: Recorded,
): ObjectChange {
  if (before && after) return { stream, kind, before, after, event };
  if (after) return { stream, kind, after, event };
  return before ? { stream, kind, before, event } : { stream, kind, event };
}

/** A registration counts as a change of a node's assignment: the epoch it must carry is another. */
function registeredNode({ before, after }: ObjectChange): string | undefined {
  if (after?.kind !== 'Node') return before?.kind === 'Node' ? before.meta.name : undefined;
  return before?.kind === 'Node' && before.nodeEpoch === after.nodeEpoch ? undefined : after.meta.name;
}

function evolve(kind: Kind, before: StoredObject | undefined, event: Recorded): StoredObject | undefined {
  // First what there is most of.
  if (kind === 'Pod') return evolvePod(before as PodState | undefined, event as Recorded<PodEvent>);
  if (isWorkloadKind(kind)) {
    return evolveWorkload(kind, before as WorkloadState | undefined, event as Recorded<WorkloadEvent>);
  }
  if (isPlainKind(kind)) {
    return evolvePlain(kind, before as PlainObjectState | undefined, event as Recorded<PlainEvent>);
  }
  switch (kind) {
    case 'Node':
      return evolveNode(before as NodeState | undefined, event as Recorded<NodeEvent>);
    case 'Namespace':
      return evolveNamespace(before as NamespaceState | undefined, event as Recorded<NamespaceEvent>);
    case 'Event': {
      const known = event as Recorded<KubernetesEventEvent>;
      if (known.type !== 'EventRecorded') return undefined;
      return recordedEvent(event.stream, event, before as KubernetesEventState | undefined);
    }
  }
}
