import { podOutcome } from '../lifecycle/fate.js';
import type { Ending, PodOutcome } from '../lifecycle/fate.js';
import type { PodState } from './pod.js';

/** The containers of a pod in the order of its spec. */
export function containersOf(pod: PodState): PodState['containers'][string][] {
  return pod.spec.containers.flatMap(({ name }) => pod.containers[name] ?? []);
}

/** All containers run and the pod is neither finished nor, later, held back by a probe. */
export function isReady(pod: PodState): boolean {
  return (
    !pod.terminated && pod.sandbox !== undefined && containersOf(pod).every(({ running }) => running !== undefined)
  );
}

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
