import type { Recorded } from '../event.js';
import { evolvePod } from './evolve.js';
import type { PodEvent, PodState } from './pod.js';

/** What the pod of a uid was last, by the events of its stream, which may have held other pods before and after it. */
export function lastPodOf(events: readonly Recorded[], uid: string): PodState | undefined {
  let pod: PodState | undefined;
  let last: PodState | undefined;
  for (const event of events) {
    pod = evolvePod(pod, event as Recorded<PodEvent>);
    if (pod?.meta.uid === uid) last = pod;
  }
  return last;
}
