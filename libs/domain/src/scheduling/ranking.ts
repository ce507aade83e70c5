import type { NodeInfo } from './node-info.js';
import { type Verdict, verdictOf } from './filters.js';
import { hash32 } from './hash.js';
import type { PlacementRecord } from './placement-record.js';
import type { PodDemand } from './pod-demand.js';
import type { SchedulingPolicy } from './policy.js';
import { highestScore, scoreOf } from './scoring.js';
import { SortedKeys } from './sorted-keys.js';

/** A record names no more nodes than this (DESIGN section 3). */
export const NAMED_NODES = 20;

/** More nodes than a cluster of ours will ever have; keys are `distance from the best score * RANKS + rank`. */
const RANKS = 2 ** 20;

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The nodes of a snapshot in the two orders that decisions use. Fixed until a node comes or goes. */
export class NodeOrder {
  /** By name: the order of named refusals. */
  readonly byName: readonly NodeInfo[];
  /** By hash of the name: the order in which ties are broken. */
  readonly byRank: readonly NodeInfo[];
  readonly #rankOf = new Map<NodeInfo, number>();

  constructor(nodes: Iterable<NodeInfo>) {
    this.byName = [...nodes].sort((a, b) => compare(a.name, b.name));
    const hashed = this.byName.map((node) => ({ node, hash: hash32(node.name) }));
    this.byRank = hashed.sort((a, b) => a.hash - b.hash || compare(a.node.name, b.node.name)).map(({ node }) => node);
    this.byRank.forEach((node, rank) => this.#rankOf.set(node, rank));
  }

  rankOf(node: NodeInfo): number | undefined {
    return this.#rankOf.get(node);
  }
}

/** What was chosen, and how good it is. */
export interface Choice {
  readonly node: NodeInfo;
  readonly score: number;
}

/**
 * All nodes as pods of one demand see them: the feasible ones sorted by score, the others with their reasons. Only nodes that
 * were touched are asked again, which is what makes a placement cost microseconds among thousands of nodes.
 */
export class NodeRanking {
  readonly #keys: SortedKeys;
  /** By rank: the node's key while it is feasible. */
  readonly #keyOf: (number | undefined)[] = [];
  readonly #verdicts: (Verdict | undefined)[] = [];
  readonly #counts = new Map<string, Map<string, number>>();
  #refused: Pick<PlacementRecord, 'refused' | 'named'> | undefined;

  constructor(
    private readonly demand: PodDemand,
    private readonly order: NodeOrder,
    private readonly policy: SchedulingPolicy,
  ) {
    this.#keys = new SortedKeys(order.byRank.length);
    const keys: number[] = [];
    order.byRank.forEach((node, rank) => {
      const key = this.#judge(node, rank);
      if (key !== undefined) keys.push(key);
    });
    this.#keys.fill(keys);
  }

  /** Asks a node again, because it changed. */
  refresh(node: NodeInfo): void {
    const rank = this.order.rankOf(node);
    if (rank === undefined) return;
    const before = this.#keyOf[rank];
    const after = this.#judge(node, rank);
    if (before === after) return;
    if (before !== undefined) this.#keys.delete(before);
    if (after !== undefined) this.#keys.insert(after);
  }

  /** The best node for a pod of this demand. Among equals, the hash of the pod's uid picks a place in the order of node hashes, and the next node there wins. */
  best(uid: string): Choice | undefined {
    const top = this.#keys.at(0);
    if (top === undefined) return undefined;
    const first = top - (top % RANKS);
    const start = Math.floor((hash32(uid) / 2 ** 32) * this.order.byRank.length);
    const next = this.#keys.at(this.#keys.lowerBound(first + start));
    const key = next !== undefined && next < first + RANKS ? next : top;
    const node = this.order.byRank[key % RANKS];
    return node && { node, score: highestScore(this.policy) - Math.floor(key / RANKS) };
  }

  /** The nodes turned down: counted by filter and reason, and the first by name. */
  refusals(): Pick<PlacementRecord, 'refused' | 'named'> {
    this.#refused ??= { refused: this.#counted(), named: this.#named() };
    return this.#refused;
  }

  #judge(node: NodeInfo, rank: number): number | undefined {
    const verdict = verdictOf(this.demand, node);
    const before = this.#verdicts[rank];
    if (!sameVerdict(before, verdict)) {
      if (before) this.#count(before, -1);
      if (verdict) this.#count(verdict, 1);
      this.#verdicts[rank] = verdict;
      this.#refused = undefined;
    }
    const key =
      verdict || !node.state
        ? undefined
        : (highestScore(this.policy) - scoreOf(this.demand, node, node.state.description.allocatable, this.policy)) *
            RANKS +
          rank;
    this.#keyOf[rank] = key;
    return key;
  }

  #count({ filter, reasons }: Verdict, by: 1 | -1): void {
    const counts = this.#counts.get(filter) ?? new Map<string, number>();
    this.#counts.set(filter, counts);
    for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + by);
  }

  #counted(): PlacementRecord['refused'] {
    const sorted = <V>(map: ReadonlyMap<string, V>): [string, V][] => [...map].sort(([a], [b]) => compare(a, b));
    const filters = sorted(this.#counts).map(([filter, counts]): [string, Record<string, number>] => [
      filter,
      Object.fromEntries(sorted(counts).filter(([, count]) => count > 0)),
    ]);
    return Object.fromEntries(filters.filter(([, counts]) => Object.keys(counts).length > 0));
  }

  #named(): PlacementRecord['named'] {
    const named: PlacementRecord['named'][number][] = [];
    for (const node of this.order.byName) {
      if (named.length === NAMED_NODES) break;
      const verdict = this.#verdicts[this.order.rankOf(node) ?? -1];
      const reason = verdict?.reasons[0];
      if (verdict && reason !== undefined) named.push({ node: node.name, filter: verdict.filter, reason });
    }
    return named;
  }
}

function sameVerdict(a: Verdict | undefined, b: Verdict | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.filter === b.filter &&
    a.reasons.length === b.reasons.length &&
    a.reasons.every((reason, index) => reason === b.reasons[index])
  );
}
