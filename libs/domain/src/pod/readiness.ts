import { podOutcome } from '../lifecycle/fate.js';
import type { Ending, PodOutcome } from '../lifecycle/fate.js';
import type { JsonObject } from '../json.js';
import type { Container } from './pod-spec.js';
import type { ContainerState, PodState } from './pod.js';

/** The containers of a pod in the order of its spec. */
export function containersOf(pod: PodState): PodState['containers'][string][] {
  return pod.spec.containers.flatMap(({ name }) => pod.containers[name] ?? []);
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

/** A pod is ready when all its containers are and every readiness gate's condition is True. */
export function readinessOf(pod: PodState): Readiness {
  const unready = pod.spec.containers
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
  return status === 'True'
    ? undefined
    : `the status of pod readiness gate "${type}" is not "True", but ${status}`;
}

/** Whether a pod is ready: see {@link readinessOf}. */
export const isReady = (pod: PodState): boolean => readinessOf(pod).ready;

/** Whether the pod's containers, as the log knows them, have ended for good. */
export function outcomeOf(pod: PodState): PodOutcome {
  const endings: Record<string, Ending | undefined> = {};
  for (const { name, terminated } of containersOf(pod)) endings[name] = terminated;
  return podOutcome(
    { restartPolicy: pod.spec.restartPolicy, mainContainer: pod.mainContainer, sharedFate: pod.sharedFate },
    pod.spec.containers.map(({ name }) => name),
    endings,
  );
}

/** Kubernetes' phase. Pending until every container has run once; terminal phases are recorded, never derived anew. */
export function podPhase(pod: PodState): 'Pending' | 'Running' | 'Succeeded' | 'Failed' {
  if (pod.terminated) return pod.terminated.phase;
  return pod.startedContainersOnce ? 'Running' : 'Pending';
}
