import type { Millis } from '../event.js';
import type { PodFact } from '../pod/pod.js';
import type { Stop } from './plan-members.js';
import type { PodMemory } from './pod-memory.js';
import type { PodAction } from './pod-plan.js';

/** A deadline moved by less than this, in milliseconds, is the same deadline. */
const SAME_DEADLINE_MS = 500;

/**
 * The stops that must still be asked for. One under way is left alone, unless the grace period shrank meanwhile
 * (`shorten`): then it is asked for again, with what is left of it.
 */
export function planStops(
  stops: readonly Stop[],
  { memory, deadline, now, shorten }: { memory: PodMemory; deadline: Millis; now: Millis; shorten: boolean },
): { actions: PodAction[]; facts: PodFact[]; stopping: PodMemory['stopping'] } {
  const actions: PodAction[] = [];
  const facts: PodFact[] = [];
  let stopping = memory.stopping;
  const end = Math.max(deadline, now);
  for (const { container, message } of stops) {
    const before = stopping[container.id];
    if (before !== undefined && !(shorten && end < before - SAME_DEADLINE_MS)) continue;
    const graceSeconds = Math.ceil((end - now) / 1000);
    actions.push({ type: 'Stop', containerId: container.id, container: container.name, graceSeconds });
    stopping = { ...stopping, [container.id]: end };
    if (container.role === 'sandbox') continue;
    const data = { container: container.name, containerId: container.id, message };
    facts.push({ id: `${container.id}/ContainerKilling`, type: 'ContainerKilling', data });
  }
  return { actions, facts, stopping };
}
