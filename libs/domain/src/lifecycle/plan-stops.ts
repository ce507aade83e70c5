import type { Millis } from '../event.js';
import type { PodFact } from '../pod/pod.js';
import type { Stop } from './members-plan.js';
import type { PodMemory } from './pod-memory.js';
import type { PodAction } from './pod-plan.js';
import type { StopOrder } from './stop-order.js';

/** A deadline moved by less than this, in milliseconds, is the same deadline. */
const SAME_DEADLINE_MS = 500;

export interface StopRules {
  readonly memory: PodMemory;
  readonly order: StopOrder;
  /** When the grace period ends of a container whose stop is wanted for the first time. */
  readonly deadline: Millis;
  readonly now: Millis;
  /** A nearer deadline counts for stops under way too. */
  readonly shorten: boolean;
}

export interface StopsPlan {
  readonly actions: readonly PodAction[];
  readonly facts: readonly PodFact[];
  readonly memory: Pick<PodMemory, 'stopping' | 'graceEnds'>;
  /** Something waits for others to stop before it: at the latest then its own time is over. */
  readonly nextLookAt?: Millis;
}

/**
 * The stops that must still be asked for. Each container is asked once those before it in the order have ended, within the
 * one grace period that began when its stop was first wanted; at the end of that nothing waits for anything. One under way
 * is left alone, unless the grace period shrank meanwhile (`shorten`): then it is asked for again, with what is left of it.
 */
export function planStops(stops: readonly Stop[], rules: StopRules): StopsPlan {
  const { memory, order, deadline, now, shorten } = rules;
  const actions: PodAction[] = [];
  const facts: PodFact[] = [];
  const stopping: Record<string, Millis> = { ...memory.stopping };
  const graceEnds: Record<string, Millis> = { ...memory.graceEnds };
  const waits: Millis[] = [];
  for (const { container, message } of stops) {
    const known = graceEnds[container.id];
    const graceEnd = known === undefined ? deadline : shorten ? Math.min(known, deadline) : known;
    graceEnds[container.id] = graceEnd;
    const first = order(container.name);
    if (now < graceEnd && stops.some((other) => first.has(other.container.name))) {
      waits.push(graceEnd);
      continue;
    }
    const end = Math.max(graceEnd, now);
    const before = stopping[container.id];
    if (before !== undefined && !(shorten && end < before - SAME_DEADLINE_MS)) continue;
    const graceSeconds = Math.ceil((end - now) / 1000);
    actions.push({ type: 'Stop', containerId: container.id, container: container.name, graceSeconds });
    stopping[container.id] = end;
    if (container.role === 'sandbox') continue;
    const data = { container: container.name, containerId: container.id, message };
    facts.push({ id: `${container.id}/ContainerKilling`, type: 'ContainerKilling', data });
  }
  const next = waits.length > 0 && { nextLookAt: Math.min(...waits) };
  return { actions, facts, memory: { stopping, graceEnds }, ...next };
}
