import type { Millis } from '../event.js';
import type { PodFact } from '../pod/pod.js';
import type { Stop } from './members-plan.js';
import type { ContainerHooks, PodMemory } from './pod-memory.js';
import type { PreStops } from './hooks.js';
import type { PodAction } from './pod-plan.js';
import type { StopOrder } from './stop-order.js';

/** A deadline moved by less than this, in milliseconds, is the same deadline. */
const SAME_DEADLINE_MS = 500;

export interface StopRules {
  readonly memory: PodMemory;
  readonly order: StopOrder;
  readonly preStops: PreStops;
  /** When the grace period ends of a container whose stop is wanted for the first time. */
  readonly deadline: Millis;
  readonly now: Millis;
  /** A nearer deadline counts for stops under way too. */
  readonly shorten: boolean;
}

export interface StopsPlan {
  readonly actions: readonly PodAction[];
  readonly facts: readonly PodFact[];
  readonly memory: Pick<PodMemory, 'stopping' | 'graceEnds' | 'hooks'>;
  /** Something waits for others to stop before it, or for its hook: at the latest then its own time is over. */
  readonly nextLookAt?: Millis;
}

/** What is left at least for the stop signal after a preStop hook, in milliseconds (kubelet's). */
const LEAST_AFTER_HOOK_MS = 2_000;

/**
 * The stops that must still be asked for. Each container is asked once those before it in the order have ended, within the
 * one grace period that began when its stop was first wanted; at the end of that nothing waits for anything. Its preStop
 * hook comes first, out of the same grace period; without any there is no hook. One under way is left alone, unless the
 * grace period shrank meanwhile (`shorten`): then it is asked for again, with what is left of it.
 */
export function planStops(stops: readonly Stop[], rules: StopRules): StopsPlan {
  const { memory, order, preStops, now, shorten } = rules;
  const actions: PodAction[] = [];
  const facts: PodFact[] = [];
  const stopping: Record<string, Millis> = { ...memory.stopping };
  const graceEnds: Record<string, Millis> = { ...memory.graceEnds };
  const hooks: Record<string, ContainerHooks> = { ...memory.hooks };
  const waits: Millis[] = [];
  for (const { container, message, graceSeconds: ownGrace } of stops) {
    const { id, name } = container;
    const known = graceEnds[id];
    const deadline = ownGrace === undefined ? rules.deadline : now + ownGrace * 1000;
    const graceEnd = known === undefined ? deadline : shorten ? Math.min(known, deadline) : known;
    graceEnds[id] = graceEnd;
    const first = order(name);
    const waitsForOthers = now < graceEnd && stops.some((other) => first.has(other.container.name));
    const before = stopping[id];
    const hook = hooks[id]?.preStop;
    const killing = (): PodFact => {
      const data = { container: name, containerId: id, message };
      return { id: `${id}/ContainerKilling`, type: 'ContainerKilling', data };
    };
    const hookWhen = preStops.get(name);
    const wantsHook = hookWhen !== undefined && hook !== 'done' && before === undefined && now < graceEnd;
    if (wantsHook && hook === undefined && (hookWhen === 'atOnce' || !waitsForOthers)) {
      const timeoutSeconds = (graceEnd - now) / 1000;
      actions.push({ type: 'RunHook', hook: 'preStop', container: name, containerId: id, timeoutSeconds });
      hooks[id] = { ...hooks[id], preStop: 'running' };
      facts.push(killing());
    }
    if (wantsHook || waitsForOthers) {
      waits.push(graceEnd);
      continue;
    }
    const isCutShort = shorten && known !== undefined && graceEnd < known - SAME_DEADLINE_MS;
    const least = hook !== undefined && !isCutShort ? now + LEAST_AFTER_HOOK_MS : now;
    const end = Math.max(graceEnd, least);
    if (before !== undefined && !(shorten && Math.max(graceEnd, now) < before - SAME_DEADLINE_MS)) continue;
    actions.push({ type: 'Stop', containerId: id, container: name, graceSeconds: Math.ceil((end - now) / 1000) });
    stopping[id] = end;
    if (container.role !== 'sandbox' && hook === undefined) facts.push(killing());
  }
  const next = waits.length > 0 && { nextLookAt: Math.min(...waits) };
  return { actions, facts, memory: { stopping, graceEnds, hooks }, ...next };
}
