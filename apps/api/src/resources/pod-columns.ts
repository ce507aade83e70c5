import { parseRfc3339, type JsonObject, type Millis } from '#domain';
import { humanDuration } from './age.js';
import { ageColumn, column, nameColumn, wideColumn } from './columns.js';
import type { Column } from './resource.js';
import { numberAt, objectAt, objectsAt, textAt, valueAt } from './wire-values.js';

/*
 * What `kubectl get pods` prints, after printPod of Kubernetes' printers. Sidecars (init containers that restart always)
 * count among the containers.
 */

const isSidecar = (pod: JsonObject, name: string | undefined): boolean =>
  objectsAt(pod, 'spec', 'initContainers').some(
    (container) => textAt(container, 'name') === name && textAt(container, 'restartPolicy') === 'Always',
  );

const statuses = (pod: JsonObject, list: 'containerStatuses' | 'initContainerStatuses'): readonly JsonObject[] =>
  objectsAt(pod, 'status', list);

const sidecarStatuses = (pod: JsonObject): readonly JsonObject[] =>
  statuses(pod, 'initContainerStatuses').filter((status) => isSidecar(pod, textAt(status, 'name')));

/** Why a container ended, in one word. */
function endOf(terminated: JsonObject): string {
  const reason = textAt(terminated, 'reason');
  if (reason) return reason;
  const signal = numberAt(terminated, 'signal');
  return signal !== 0 ? `Signal:${signal}` : `ExitCode:${numberAt(terminated, 'exitCode')}`;
}

/** Reasons of containers that only wait for others of their pod. */
const onlyWaiting: readonly string[] = ['ContainerCreating', 'PodInitializing', 'WaitingForDependency'];

/** No init container begins before all images of the pod are there: what keeps one away must not be hidden. */
function hindranceOf(pod: JsonObject): string | undefined {
  const hindrances = (list: Parameters<typeof statuses>[1]): string[] =>
    statuses(pod, list).flatMap((status) => {
      const reason = textAt(status, 'state', 'waiting', 'reason');
      return reason && !onlyWaiting.includes(reason) ? [reason] : [];
    });
  const [init] = hindrances('initContainerStatuses');
  return init === undefined ? hindrances('containerStatuses')[0] : `Init:${init}`;
}

/** The first init container that has not done its work, in words; `undefined` when all have, whatever sidecars did since. */
function initialization(pod: JsonObject): string | undefined {
  if (conditionHolds(pod, 'Initialized')) return undefined;
  const all = statuses(pod, 'initContainerStatuses');
  for (const [index, status] of all.entries()) {
    const terminated = valueAt(status, 'state', 'terminated');
    if (terminated !== undefined && numberAt(terminated, 'exitCode') === 0) continue;
    if (isSidecar(pod, textAt(status, 'name')) && valueAt(status, 'started') === true) continue;
    if (terminated !== undefined) return `Init:${endOf(objectAt(status, 'state', 'terminated'))}`;
    const waiting = textAt(status, 'state', 'waiting', 'reason');
    if (waiting && !onlyWaiting.includes(waiting)) return `Init:${waiting}`;
    const hindrance = waiting && hindranceOf(pod);
    if (hindrance) return hindrance;
    return `Init:${index}/${objectsAt(pod, 'spec', 'initContainers').length}`;
  }
  return undefined;
}

const isReady = (status: JsonObject): boolean =>
  valueAt(status, 'ready') === true && valueAt(status, 'state', 'running') !== undefined;

function conditionHolds(pod: JsonObject, type: string): boolean {
  return objectsAt(pod, 'status', 'conditions').some(
    (condition) => textAt(condition, 'type') === type && textAt(condition, 'status') === 'True',
  );
}

/** The STATUS column: the one word people look at. */
export function podStatusWord(pod: JsonObject): string {
  let word = textAt(pod, 'status', 'reason') ?? textAt(pod, 'status', 'phase') ?? 'Unknown';
  const gated = objectsAt(pod, 'status', 'conditions').some(
    (condition) => textAt(condition, 'type') === 'PodScheduled' && textAt(condition, 'reason') === 'SchedulingGated',
  );
  if (gated) word = 'SchedulingGated';
  const initializing = initialization(pod);
  if (initializing !== undefined) word = initializing;
  else {
    let anyReady = false;
    // The containers of a pod are created together (DESIGN 4): one that only waits for another must not hide why.
    let hindrance: string | undefined;
    for (const status of [...statuses(pod, 'containerStatuses')].reverse()) {
      const waiting = textAt(status, 'state', 'waiting', 'reason');
      if (waiting && onlyWaiting.includes(waiting)) word = hindrance ?? waiting;
      else if (waiting) word = hindrance = waiting;
      else if (valueAt(status, 'state', 'terminated') !== undefined)
        word = endOf(objectAt(status, 'state', 'terminated'));
      else if (isReady(status)) anyReady = true;
    }
    if (word === 'Completed' && anyReady) word = conditionHolds(pod, 'Ready') ? 'Running' : 'NotReady';
  }
  if (textAt(pod, 'metadata', 'deletionTimestamp') !== undefined) {
    if (textAt(pod, 'status', 'reason') === 'NodeLost') return 'Unknown';
    const phase = textAt(pod, 'status', 'phase');
    return phase === 'Succeeded' || phase === 'Failed' ? word : 'Terminating';
  }
  return word;
}

function ready(pod: JsonObject): string {
  const counted = [...statuses(pod, 'containerStatuses'), ...sidecarStatuses(pod)];
  const sidecars = objectsAt(pod, 'spec', 'initContainers').filter((one) => isSidecar(pod, textAt(one, 'name')));
  const total = objectsAt(pod, 'spec', 'containers').length + sidecars.length;
  return `${counted.filter(isReady).length}/${total}`;
}

function restarts(pod: JsonObject, now: Millis): string {
  const initializing = initialization(pod) !== undefined;
  const counted = initializing
    ? statuses(pod, 'initContainerStatuses')
    : [...statuses(pod, 'containerStatuses'), ...sidecarStatuses(pod)];
  const count = counted.reduce((sum, status) => sum + numberAt(status, 'restartCount'), 0);
  const ends = counted.flatMap((status) => {
    const finished = textAt(status, 'lastState', 'terminated', 'finishedAt');
    return (finished === undefined ? undefined : parseRfc3339(finished)) ?? [];
  });
  if (count === 0 || ends.length === 0) return String(count);
  return `${count} (${humanDuration(now - Math.max(...ends))} ago)`;
}

function readinessGates(pod: JsonObject): string {
  const gates = objectsAt(pod, 'spec', 'readinessGates').map((gate) => textAt(gate, 'conditionType'));
  if (gates.length === 0) return '<none>';
  const met = objectsAt(pod, 'status', 'conditions').filter(
    (condition) => gates.includes(textAt(condition, 'type')) && textAt(condition, 'status') === 'True',
  );
  return `${met.length}/${gates.length}`;
}

export const podColumns: readonly Column[] = [
  nameColumn,
  column('Ready', 'The aggregate readiness state of this pod for accepting traffic.', ready),
  column('Status', 'The aggregate status of the containers in this pod.', podStatusWord),
  column(
    'Restarts',
    'The number of times the containers in this pod have been restarted and when the last one did.',
    restarts,
  ),
  ageColumn,
  wideColumn('IP', 'IP address allocated to the pod.', (pod) => textAt(pod, 'status', 'podIP') ?? '<none>'),
  wideColumn('Node', 'The node the pod is bound to.', (pod) => textAt(pod, 'spec', 'nodeName') || '<none>'),
  wideColumn(
    'Nominated Node',
    'The node on which the pod is to run once others have made room.',
    (pod) => textAt(pod, 'status', 'nominatedNodeName') ?? '<none>',
  ),
  wideColumn('Readiness Gates', 'Conditions that clients set and that count for readiness.', readinessGates),
];
