import type { Millis } from '../event.js';
import { NO_PRE_STOPS, type PreStops } from './hooks.js';
import type { ObservedContainer } from './observed.js';
import type { PodMemory } from './pod-memory.js';
import { hasEnded, isFresh, isRunning } from './pod-view.js';
import { planStops } from './plan-stops.js';
import type { PodAction, PodPlan } from './pod-plan.js';
import { atOnce, type StopOrder } from './stop-order.js';

export interface RemovalInput {
  readonly observed: readonly ObservedContainer[];
  readonly memory: PodMemory;
  /** When SIGKILL comes. */
  readonly deadline: Millis;
  /** Ids of containers whose exit is in the log; `'unasked'` when the log does not know the pod any more. */
  readonly settled: ReadonlySet<string> | 'unasked';
  readonly message: string;
  /** Default: all at once. */
  readonly order?: StopOrder;
  /** Default: no hooks. */
  readonly preStops?: PreStops;
  readonly now: Millis;
}

/**
 * Ends everything of a pod: all containers are asked to stop in their order, with what is left of the grace period; when none runs
 * they are removed as soon as the log has their exits, the sandbox with them, the volumes last. Never makes anything.
 */
export function computeRemoval(input: RemovalInput): PodPlan {
  const { observed, memory, deadline, settled, message, order = atOnce, preStops = NO_PRE_STOPS, now } = input;
  const apps = observed.filter(({ role }) => role === 'app');
  const running = apps.filter(isRunning);
  const stops = planStops(
    running.map((container) => ({ container, message, replaced: false })),
    { memory, order, preStops, deadline, now, shorten: true },
  );
  const removable = observed.filter((container) => {
    if (container.role === 'sandbox') return running.length === 0;
    if (isFresh(container)) return true;
    return running.length === 0 && hasEnded(container) && (settled === 'unasked' || settled.has(container.id));
  });
  const actions: PodAction[] = [
    ...stops.actions,
    ...removable.map(({ id }): PodAction => ({ type: 'Remove', containerId: id })),
  ];
  const empty = observed.length === 0;
  if (empty && !memory.volumesRemoved) actions.push({ type: 'RemoveVolumes' });
  const gone = empty && memory.volumesRemoved;
  return {
    actions,
    facts: stops.facts,
    memory: { ...memory, ...stops.memory },
    ...(stops.nextLookAt !== undefined && { nextLookAt: stops.nextLookAt }),
    holdsResources: !gone,
    gone,
  };
}
