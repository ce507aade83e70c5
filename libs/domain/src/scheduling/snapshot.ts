import type { ObjectChange } from '../cluster/stored-object.js';
import type { Revision } from '../event.js';
import type { NodeState } from '../node/node.js';
import type { PodState } from '../pod/pod.js';
import { NodeInfo, type NodeView } from './node-info.js';
import { type PodDemand, demandOf } from './pod-demand.js';
import { DEFAULT_POLICY, type SchedulingPolicy } from './policy.js';
import { awaitsPlacement, occupiesNode } from './queue.js';
import { NodeOrder, NodeRanking } from './ranking.js';

/** How many demands are kept ranked. Replica sets make many pods of one demand; beyond this the least recently used goes. */
const RANKINGS_KEPT = 64;

interface RankingEntry {
  readonly ranking: NodeRanking;
  /** Position in the journal up to which the ranking is current. */
  position: number;
}

/**
 * The cluster as the scheduler sees it: what is free on every node, and who waits. Kept up to date change by change; one that
 * was kept is equal to one made anew from the same state.
 */
export class SchedulingSnapshot {
  #revision: Revision = 0;
  readonly #nodes = new Map<string, NodeInfo>();
  /** Pods that take room, with where and how much. */
  readonly #placed = new Map<string, { readonly node: NodeInfo; readonly demand: PodDemand }>();
  readonly #pending = new Map<string, PodState>();
  /** Keyed by spec: specs are immutable, and a pod's is asked for in every pass that it waits. */
  readonly #demands = new WeakMap<PodState['spec'], PodDemand>();
  readonly #rankings = new Map<string, RankingEntry>();
  #order: NodeOrder | undefined;
  #journal: NodeInfo[] = [];
  #journalStart = 0;

  constructor(readonly policy: SchedulingPolicy = DEFAULT_POLICY) {}

  /** Made anew from a whole state. */
  static of(
    state: { nodes(): Iterable<NodeState>; pods(): Iterable<PodState>; readonly revision: Revision },
    policy: SchedulingPolicy = DEFAULT_POLICY,
  ): SchedulingSnapshot {
    const snapshot = new SchedulingSnapshot(policy);
    for (const node of state.nodes()) snapshot.#setNode(node.meta.name, node);
    for (const pod of state.pods()) snapshot.#setPod(pod.meta.uid, pod);
    snapshot.advanceTo(state.revision);
    return snapshot;
  }

  /** The revision that decisions made now are as of. */
  get revision(): Revision {
    return this.#revision;
  }

  advanceTo(revision: Revision): void {
    this.#revision = Math.max(this.#revision, revision);
  }

  /** Follows one change. True when a pod might be placed now that could not be before: that is what wakes the scheduler. */
  apply({ kind, before, after, event }: ObjectChange): boolean {
    this.advanceTo(event.revision);
    if (kind === 'Node') {
      const name = (after ?? before)?.meta.name;
      if (name === undefined) return false;
      return this.#setNode(name, after?.kind === 'Node' ? after : undefined);
    }
    if (kind !== 'Pod') return false;
    // A name can pass from one pod to the next within a command.
    if (before && before.meta.uid !== after?.meta.uid) {
      const freed = this.#setPod(before.meta.uid, undefined);
      return (after?.kind === 'Pod' && this.#setPod(after.meta.uid, after)) || freed;
    }
    return after?.kind === 'Pod' && this.#setPod(after.meta.uid, after);
  }

  /** Pods waiting to be placed, in no order. */
  pending(): Iterable<PodState> {
    return this.#pending.values();
  }

  get nodeCount(): number {
    return this.#orderOfNodes().byName.length;
  }

  /** The nodes in the cluster, by name. */
  nodes(): readonly NodeView[] {
    return this.#orderOfNodes().byName;
  }

  demandOf(spec: PodState['spec']): PodDemand {
    const known = this.#demands.get(spec);
    if (known) return known;
    const demand = demandOf(spec, this.policy);
    this.#demands.set(spec, demand);
    return demand;
  }

  /** All nodes ranked for a demand, current. Valid until the next change. */
  rankingFor(demand: PodDemand): NodeRanking {
    const order = this.#orderOfNodes();
    const end = this.#journalStart + this.#journal.length;
    const entry = this.#rankings.get(demand.key);
    this.#rankings.delete(demand.key);
    if (entry && entry.position >= this.#journalStart) {
      for (const node of this.#journal.slice(entry.position - this.#journalStart)) entry.ranking.refresh(node);
      entry.position = end;
      this.#rankings.set(demand.key, entry);
      return entry.ranking;
    }
    const ranking = new NodeRanking(demand, order, this.policy);
    this.#rankings.set(demand.key, { ranking, position: end });
    for (const key of this.#rankings.keys()) {
      if (this.#rankings.size <= RANKINGS_KEPT) break;
      this.#rankings.delete(key);
    }
    return ranking;
  }

  /** Counts a pod on a node while a plan is made; the returned function takes it off again. */
  assume(demand: PodDemand, node: NodeInfo): () => void {
    node.add(demand);
    this.#touched(node);
    return () => {
      node.remove(demand);
      this.#touched(node);
    };
  }

  #setNode(name: string, state: NodeState | undefined): boolean {
    const node = this.#node(name);
    const before = node.state;
    if ((before === undefined) !== (state === undefined)) {
      this.#order = undefined;
      this.#rankings.clear();
    }
    if (state) node.state = state;
    else delete node.state;
    this.#touched(node);
    if (!state && node.usedPods === 0) this.#nodes.delete(name);
    return state !== undefined && (before === undefined || schedulingDiffers(before, state));
  }

  #setPod(uid: string, pod: PodState | undefined): boolean {
    const waiting = pod !== undefined && awaitsPlacement(pod);
    const before = this.#pending.get(uid);
    if (waiting) this.#pending.set(uid, pod);
    else this.#pending.delete(uid);

    const placed = this.#placed.get(uid);
    const bound = pod && occupiesNode(pod) ? pod : undefined;
    if (placed && placed.node.name !== bound?.nodeName) {
      placed.node.remove(placed.demand);
      this.#placed.delete(uid);
      this.#touched(placed.node);
      if (!placed.node.state && placed.node.usedPods === 0) this.#nodes.delete(placed.node.name);
    }
    if (bound && !this.#placed.has(uid)) {
      const node = this.#node(bound.nodeName);
      const demand = this.demandOf(bound.spec);
      node.add(demand);
      this.#placed.set(uid, { node, demand });
      this.#touched(node);
    }
    return (waiting && before?.spec !== pod.spec) || (placed !== undefined && !bound);
  }

  #node(name: string): NodeInfo {
    const known = this.#nodes.get(name);
    if (known) return known;
    const node = new NodeInfo(name);
    this.#nodes.set(name, node);
    return node;
  }

  #orderOfNodes(): NodeOrder {
    this.#order ??= new NodeOrder([...this.#nodes.values()].filter(({ state }) => state !== undefined));
    return this.#order;
  }

  #touched(node: NodeInfo): void {
    this.#journal.push(node);
    // A ranking this far behind is made anew, which costs no more than catching up.
    const limit = 2 * this.#nodes.size + 1024;
    if (this.#journal.length > 2 * limit) {
      this.#journal = this.#journal.slice(-limit);
      this.#journalStart += limit + 1;
    }
  }
}

/** Whether a change of a node can make a difference to a placement. */
function schedulingDiffers(before: NodeState, after: NodeState): boolean {
  return (
    before.unschedulable !== after.unschedulable ||
    before.lost !== after.lost ||
    before.ready.status !== after.ready.status ||
    before.taints !== after.taints ||
    before.meta.labels !== after.meta.labels ||
    before.description !== after.description
  );
}
