import { dependenciesOf } from '../lifecycle/dependencies.js';
import { podOutcome, type PodOutcome, type RunState } from '../lifecycle/fate.js';
import { isSuccess } from '../lifecycle/restart-rule.js';
import type { JsonObject } from '../json.js';
import { allContainersOf, initContainersOf, isSidecar, sidecarsOf } from './container-kinds.js';
import type { Container } from './pod-spec.js';
import type { ContainerState, PodState, Termination } from './pod.js';

/** The app containers of a pod in the order of its spec. */
export function containersOf(pod: PodState): ContainerState[] {
  return pod.spec.containers.flatMap(({ name }) => pod.containers[name] ?? []);
}

/** The init containers and sidecars of a pod in the order of its spec. */
export function initStatesOf(pod: PodState): ContainerState[] {
  return initContainersOf(pod.spec).flatMap(({ name }) => pod.containers[name] ?? []);
}

/** Names of the init containers that have not done their work, and of the sidecars that have not come up. */
export function incompleteInits(pod: PodState): string[] {
  const isDone = (container: Container): boolean => {
    const state = pod.containers[container.name];
    if (!state) return false;
    if (isSidecar(container)) return isStarted(container, state);
    return state.terminated !== undefined && isSuccess(state.terminated);
  };
  return initContainersOf(pod.spec)
    .filter((container) => !isDone(container))
    .map(({ name }) => name);
}

/** The container runs and its postStart hook, if it has one, has succeeded: only then does Kubernetes call it running. */
export function isUp({ lifecycle }: Container, { running, reported }: ContainerState): boolean {
  return running !== undefined && (!lifecycle?.postStart || reported?.hooked === true);
}

/** `started` of a container's status: it is up, and its startup probe, if it has one, has succeeded. */
export function isStarted(container: Container, state: ContainerState): boolean {
  return isUp(container, state) && (!container.startupProbe || state.reported?.started === true);
}

/** `ready` of a container's status: it is started, and its readiness probe, if it has one, says that it is ready. */
export function isContainerReady(container: Container, state: ContainerState): boolean {
  return isStarted(container, state) && (!container.readinessProbe || state.reported?.ready === true);
}

/** Reason of a pod that only waits for conditions that clients set. */
export const GATES_NOT_READY = 'ReadinessGatesNotReady';

/** Whether a pod is ready, and why not, in kubelet's words. */
export type Readiness =
  { readonly ready: true } | { readonly ready: false; readonly reason: string; readonly message: string };

/** A pod is ready when all its containers are, sidecars among them, and every readiness gate's condition is True. */
export function readinessOf(pod: PodState): Readiness {
  const unready = [...sidecarsOf(pod.spec), ...pod.spec.containers]
    .filter((container) => {
      const state = pod.containers[container.name];
      return !state || !isContainerReady(container, state);
    })
    .map(({ name }) => name);
  if (pod.terminated || !pod.sandbox || unready.length > 0) {
    const message = `containers with unready status: [${unready.join(' ')}]`;
    return { ready: false, reason: 'ContainersNotReady', message };
  }
  const closed = (pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => gateFault(pod, conditionType) ?? []);
  if (closed.length > 0) return { ready: false, reason: GATES_NOT_READY, message: closed.join(', ') };
  return { ready: true };
}

/** What keeps a readiness gate closed. */
function gateFault({ clientStatus }: PodState, type: string): string | undefined {
  const conditions = (clientStatus?.['conditions'] ?? []) as readonly JsonObject[];
  const condition = conditions.find((one) => one['type'] === type);
  if (!condition) return `corresponding condition of pod readiness gate "${type}" does not exist.`;
  const status = String(condition['status']);
  return status === 'True' ? undefined : `the status of pod readiness gate "${type}" is not "True", but ${status}`;
}

/** Whether a pod is ready: see {@link readinessOf}. */
export const isReady = (pod: PodState): boolean => readinessOf(pod).ready;

/** Whether the pod's containers, as the log knows them, have ended for good. */
export function outcomeOf(pod: PodState): PodOutcome {
  const { spec, mainContainer, sharedFate, containers } = pod;
  const runs: Record<string, RunState> = {};
  const main = containers[mainContainer];
  // Between two runs of the pod, what ended with the one before says nothing of the next.
  const before = sharedFate && main && !main.running && !main.terminated ? main.last?.finishedAt : undefined;
  for (const { name } of allContainersOf(spec)) {
    const { running, terminated, last } = containers[name] ?? {};
    if (running) runs[name] = {};
    else if (terminated && (before === undefined || (terminated.startedAt ?? terminated.finishedAt) > before)) {
      runs[name] = { ending: endingOf(terminated) };
    } else if (last && !sharedFate) runs[name] = {};
  }
  const dependencies = dependenciesOf(pod.meta.annotations);
  return podOutcome({ spec, mainContainer, sharedFate, dependencies }, runs);
}

/** How a run ended, as its pod's fate counts it. */
export const endingOf = (end: Termination): NonNullable<RunState['ending']> => ({
  exitCode: end.exitCode,
  ...(end.infrastructure && { infrastructure: true }),
  ...(end.replaced && { replaced: true }),
  ...(end.condemned && { condemned: true }),
  ...(end.reason === 'StartError' && { startFailed: true }),
});

/** Kubernetes' phase. Pending until every container has run once; terminal phases are recorded, never derived anew. */
export function podPhase(pod: PodState): 'Pending' | 'Running' | 'Succeeded' | 'Failed' {
  if (pod.terminated) return pod.terminated.phase;
  return pod.startedContainersOnce ? 'Running' : 'Pending';
}
