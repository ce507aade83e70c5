import type { Millis } from '../event.js';
import type { PodState } from '../pod/pod.js';
import type { PlacementRecord } from './placement-record.js';
import type { PodDemand } from './pod-demand.js';
import { policyHash } from './policy.js';
import { compareInQueue } from './queue.js';
import { refusalMessage } from './refusal.js';
import type { SchedulingSnapshot } from './snapshot.js';

/** A pod gets a node. */
export interface Placement {
  readonly pod: PodState;
  readonly node: string;
  readonly record: PlacementRecord;
}

/** No node will do, and why. */
export interface Refusal {
  readonly pod: PodState;
  readonly message: string;
  readonly record: PlacementRecord;
}

export interface Plan {
  readonly placements: readonly Placement[];
  readonly refusals: readonly Refusal[];
  /** Placing stopped at `maxPlacements`; who came later in the queue was not looked at. */
  readonly more: boolean;
}

export interface PlanInput {
  readonly now: Millis;
  /** Which batch of this scheduler, counted from its takeover. */
  readonly batch: number;
  readonly maxPlacements?: number;
}

/**
 * Where each waiting pod goes, first come first served, each seeing what those before it took; and, for those that fit
 * nowhere, why not, as things stand once the batch is placed. The same snapshot, pods and input give the same plan, in whatever
 * order events, nodes and pods came. Leaves the snapshot as it was.
 */
export function plan(
  snapshot: SchedulingSnapshot,
  pending: Iterable<PodState>,
  { now, batch, maxPlacements = Infinity }: PlanInput,
): Plan {
  const frame = {
    asOf: snapshot.revision,
    policy: snapshot.policy.id,
    policyHash: policyHash(snapshot.policy),
    batch,
    now,
    nodesConsidered: snapshot.nodeCount,
  };
  const placements: Placement[] = [];
  const refused: { readonly pod: PodState; readonly demand: PodDemand; readonly queuePosition: number }[] = [];
  const undo: (() => void)[] = [];
  let queuePosition = 0;
  let more = false;
  for (const pod of [...pending].sort(compareInQueue)) {
    if (placements.length >= maxPlacements) {
      more = true;
      break;
    }
    queuePosition += 1;
    const demand = snapshot.demandOf(pod.spec);
    const ranking = snapshot.rankingFor(demand);
    const choice = ranking.best(pod.meta.uid);
    if (!choice) {
      refused.push({ pod, demand, queuePosition });
      continue;
    }
    const { node, score } = choice;
    const record = { ...frame, queuePosition, node: node.name, score, ...ranking.refusals() };
    placements.push({ pod, node: node.name, record });
    undo.push(snapshot.assume(demand, node));
  }
  // Placing only takes room, so who was refused on the way is still refused here; asking once per demand is enough.
  const refusals = refused.map(({ pod, demand, queuePosition: position }): Refusal => {
    const record = { ...frame, queuePosition: position, ...snapshot.rankingFor(demand).refusals() };
    return { pod, message: refusalMessage(record), record };
  });
  for (const takeBack of undo.reverse()) takeBack();
  return { placements, refusals, more };
}
