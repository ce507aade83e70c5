import type { AssignedPod } from '../node/assigned-pod.js';
import { allContainersOf, containerNamed, isInitContainer } from '../pod/container-kinds.js';
import type { Container } from '../pod/pod-spec.js';
import type { ContainerHealth } from '../probes/container-probes.js';
import type { ObservedContainer } from './observed.js';
import type { ContainerHooks, PodMemory } from './pod-memory.js';
import type { PodAction } from './pod-plan.js';
import { restartPolicyOf } from './restart-rule.js';

/*
 * Lifecycle hooks: https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/
 * Each runs at least once: what was under way when the node's agent ended is begun again by the next.
 */

/** Hooks under way and done, of a container that runs. */
export const hooksOf = (memory: Pick<PodMemory, 'hooks'>, id: string): ContainerHooks => memory.hooks[id] ?? {};

/** Whether a container that runs has come so far that it counts as running: its postStart hook, if it has one, has succeeded. */
export function isHooked(pod: AssignedPod, memory: PodMemory, { id, name }: ObservedContainer): boolean {
  if (!containerNamed(pod.spec, name)?.lifecycle?.postStart) return true;
  return hooksOf(memory, id).postStart === 'done' || pod.reported?.[id]?.hooked === true;
}

/** What probes say of the containers that run, with what follows for those whose postStart hook is not done. */
export function healthWithHooks(
  pod: AssignedPod,
  running: readonly ObservedContainer[],
  memory: PodMemory,
  health: Readonly<Record<string, ContainerHealth>> = {},
): Readonly<Record<string, ContainerHealth>> {
  const pending = running.filter((run) => !isHooked(pod, memory, run));
  return { ...health, ...Object.fromEntries(pending.map(({ id }) => [id, { started: false, ready: false }])) };
}

/** The postStart hooks that are to be begun. */
export function planPostStarts(
  pod: AssignedPod,
  running: readonly ObservedContainer[],
  memory: PodMemory,
): { readonly actions: readonly PodAction[]; readonly hooks: PodMemory['hooks'] } {
  const due = running.filter(
    (run) => !isHooked(pod, memory, run) && hooksOf(memory, run.id).postStart === undefined && !isCondemned(pod, run),
  );
  return {
    actions: due.map(({ id, name }) => ({ type: 'RunHook', hook: 'postStart', container: name, containerId: id })),
    hooks: due.reduce((hooks, { id }) => ({ ...hooks, [id]: { ...hooks[id], postStart: 'running' } }), memory.hooks),
  };
}

const isCondemned = (pod: AssignedPod, { id }: ObservedContainer): boolean => pod.reported?.[id]?.condemned === true;

/**
 * The containers that have a preStop hook, by name, and when it runs: those of sidecars as soon as the pod is to end, for
 * that is when kubelet runs them; the others' when it is their turn to stop.
 */
export type PreStops = ReadonlyMap<string, 'atOnce' | 'inTurn'>;

export const NO_PRE_STOPS: PreStops = new Map();

export function preStopsOf({ spec }: Pick<AssignedPod, 'spec'>): PreStops {
  const hooked = allContainersOf(spec).filter(({ lifecycle }) => lifecycle?.preStop !== undefined);
  return new Map(hooked.map(({ name }) => [name, isInitContainer(spec, name) ? 'atOnce' : 'inTurn'] as const));
}

/** Why a container is to be killed for its own good, and within what time if not its pod's. */
export interface Condemnation {
  readonly message: string;
  readonly graceSeconds?: number;
}

/** Whether a probe or a hook has condemned a container that runs, in kubelet's words. */
export function condemnationOf(
  pod: AssignedPod,
  run: ObservedContainer,
  memory: PodMemory,
  health: ContainerHealth | undefined,
): Condemnation | undefined {
  const sequel = restartPolicyOf(pod.spec, run.name) === 'Never' ? '' : ', will be restarted';
  if (health?.condemned) {
    const { probe, graceSeconds } = health.condemned;
    const message = `Container ${run.name} failed ${probe} probe${sequel}`;
    return { message, ...(graceSeconds !== undefined && { graceSeconds }) };
  }
  if (hooksOf(memory, run.id).postStart === 'failed') return { message: 'FailedPostStartHook' };
  // An earlier agent of the node came to that verdict and did not live to carry it out.
  if (isCondemned(pod, run)) return { message: `Container ${run.name} failed a probe or its postStart hook${sequel}` };
  return undefined;
}

/**
 * Parts containers that may be started: kubelet starts them in the order of the spec and waits for each postStart hook, which
 * people use to have one ready before the next.
 */
export function splitByHooks(
  containers: readonly Container[],
  start: readonly ObservedContainer[],
  isPending: (name: string) => boolean,
): { readonly now: readonly ObservedContainer[]; readonly later: readonly ObservedContainer[] } {
  const now: ObservedContainer[] = [];
  const later: ObservedContainer[] = [];
  let blocked = false;
  for (const { name, lifecycle } of containers) {
    const fresh = start.find((one) => one.name === name);
    if (fresh) (blocked ? later : now).push(fresh);
    if (lifecycle?.postStart && (fresh !== undefined || isPending(name))) blocked = true;
  }
  return { now, later };
}
