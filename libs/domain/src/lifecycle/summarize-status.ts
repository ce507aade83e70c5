import type { Millis } from '../event.js';
import type { Json, JsonObject } from '../json.js';
import { parseQuantity } from '../units.js';
import { allContainersOf, containerNamed, initContainersOf } from '../pod/container-kinds.js';
import { comingUp, notInitialized } from '../pod/evolve.js';
import {
  containersOf,
  endingOf,
  incompleteInits,
  initStatesOf,
  isContainerReady,
  isStarted,
  isUp,
  podPhase,
} from '../pod/readiness.js';
import type { Condition, ContainerState, PodState, Termination } from '../pod/pod.js';
import type { PodSpec } from '../pod/pod-spec.js';
import { DISRUPTION_TARGET } from '../pod/disruption.js';
import { rfc3339 } from '../time.js';
import { dependenciesOf } from './dependencies.js';
import { isMetBy } from './fate.js';
import { isSuccess, runsToCompletion } from './restart-rule.js';

/** Conditions in the order kubectl describes them. */
const CONDITION_ORDER = [
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
  'PodScheduled',
  DISRUPTION_TARGET,
];

/** Kubernetes' PodStatus, derived from what happened to the pod; nobody reports a phase. */
export function summarizeStatus(pod: PodState): JsonObject {
  const client = pod.clientStatus ?? {};
  const reason = pod.terminated?.reason ?? client['reason'];
  const message = pod.terminated?.message ?? client['message'];
  return {
    phase: podPhase(pod),
    ...(reason !== undefined && { reason }),
    ...(message !== undefined && { message }),
    ...conditions(pod),
    ...(pod.sandbox && {
      hostIP: pod.sandbox.hostIP,
      hostIPs: [{ ip: pod.sandbox.hostIP }],
    }),
    ...(pod.sandbox && !pod.terminated && { podIP: pod.sandbox.ip, podIPs: [{ ip: pod.sandbox.ip }] }),
    ...(pod.startedAt !== undefined && { startTime: rfc3339(pod.startedAt) }),
    ...(pod.nodeName !== undefined && {
      ...(pod.spec.initContainers?.length && {
        initContainerStatuses: initStatesOf(pod).map((container) => statusOf(pod, container)),
      }),
      containerStatuses: containersOf(pod).map((container) => statusOf(pod, container)),
    }),
    qosClass: qosClassOf(pod.spec),
  };
}

function conditions(pod: PodState): { readonly conditions?: readonly Json[] } {
  const known: Record<string, Condition> = { ...pod.conditions };
  const since = pod.scheduledAt ?? pod.meta.createdAt;
  if (pod.nodeName !== undefined) {
    const waiting: Condition = { status: 'False', reason: 'ContainersNotReady', lastTransitionAt: since };
    known['PodReadyToStartContainers'] ??= { status: 'False', lastTransitionAt: since };
    known['Initialized'] = initializedOf(pod, known['Initialized'], since);
    known['Ready'] ??= waiting;
    known['ContainersReady'] ??= waiting;
  } else if (pod.spec.schedulingGates?.length) {
    known['PodScheduled'] = {
      status: 'False',
      reason: 'SchedulingGated',
      message: 'Scheduling is blocked due to non-empty scheduling gates',
      lastTransitionAt: pod.meta.createdAt,
    };
  }
  const own = CONDITION_ORDER.flatMap((type) => (known[type] ? [conditionOf(type, known[type])] : []));
  const clients = ((pod.clientStatus?.['conditions'] ?? []) as readonly JsonObject[]).filter(
    ({ type }) => !CONDITION_ORDER.includes(String(type)),
  );
  const all = [...own, ...clients];
  return all.length > 0 ? { conditions: all } : {};
}

/** With the names of what is to be done still: the log has when the condition turned, not each step. */
function initializedOf(pod: PodState, known: Condition | undefined, since: Millis): Condition {
  if (initContainersOf(pod.spec).length === 0) return known ?? { status: 'True', lastTransitionAt: since };
  if (known?.status === 'True') return known;
  const lastTransitionAt = known?.lastTransitionAt ?? since;
  return { status: 'False', ...notInitialized(incompleteInits(pod)), lastTransitionAt };
}

function conditionOf(type: string, { status, reason, message, lastTransitionAt }: Condition): JsonObject {
  return {
    type,
    status,
    ...(reason !== undefined && { reason }),
    ...(message !== undefined && { message }),
    lastProbeTime: null,
    lastTransitionTime: rfc3339(lastTransitionAt),
  };
}

const DOCKER = (id: string): string => `docker://${id}`;
/** As kubelet shows a container whose postStart hook has not returned. */
const COMING_UP = { waiting: { reason: 'ContainerCreating' } };

function statusOf(pod: PodState, container: ContainerState): JsonObject {
  const { name, attempt, imageId, containerId, last } = container;
  const spec = containerNamed(pod.spec, name);
  const image = spec?.image ?? '';
  const counts = spec !== undefined && !pod.terminated;
  return {
    name,
    image,
    imageID: imageId ?? '',
    ...(containerId !== undefined && { containerID: DOCKER(containerId) }),
    restartCount: attempt,
    ready: isDone(pod, container) || (counts && isContainerReady(spec, container)),
    started: counts && isStarted(spec, container),
    state: counts && container.running && !isUp(spec, container) ? COMING_UP : stateOf(pod, container),
    lastState: last ? { terminated: terminatedOf(last) } : {},
  };
}

/** An init container that has done its work counts as ready. */
const isDone = ({ spec }: PodState, { name, terminated }: ContainerState): boolean =>
  terminated !== undefined && runsToCompletion(spec, name) && isSuccess(endingOf(terminated));

/** A container that is held back by what it depends on, in words; as the log knows the others. */
function dependencyOf(pod: PodState, name: string): string | undefined {
  const unmet = Object.entries(dependenciesOf(pod.meta.annotations)[name] ?? {}).find(([target, condition]) => {
    const spec = containerNamed(pod.spec, target);
    const state = pod.containers[target];
    if (!spec || !state) return true;
    if (condition === 'Started' && isStarted(spec, state)) return false;
    if (condition === 'Healthy' && isContainerReady(spec, state)) return false;
    return !state.terminated || !isMetBy(endingOf(state.terminated), condition);
  });
  return unmet && `waits for container ${unmet[0]} to be ${unmet[1]}`;
}

function stateOf(pod: PodState, { name, running, terminated, waiting, containerId }: ContainerState): JsonObject {
  if (terminated) return { terminated: terminatedOf(terminated) };
  if (running && pod.terminated)
    return { terminated: unknownEnd(containerId ?? '', running.startedAt, pod.terminated.at) };
  if (running) return { running: { startedAt: rfc3339(running.startedAt) } };
  const { reason, message } = waitOf(pod, name, waiting ?? comingUp(pod.spec));
  return { waiting: { reason, ...(message !== undefined && { message }) } };
}

/** One that is not hindered by anything else is held back by what it depends on. */
function waitOf(
  pod: PodState,
  name: string,
  waiting: NonNullable<ContainerState['waiting']>,
): NonNullable<ContainerState['waiting']> {
  const message = waiting.reason === comingUp(pod.spec).reason ? dependencyOf(pod, name) : undefined;
  return message === undefined ? waiting : { reason: 'WaitingForDependency', message };
}

/** A container that ran when its pod was given up: nobody saw it end. 137 is what Kubernetes reports here. */
function unknownEnd(containerId: string, startedAt: Millis, finishedAt: Millis): JsonObject {
  return terminatedOf({
    containerId,
    exitCode: 137,
    reason: 'ContainerStatusUnknown',
    message: 'The container could not be located when the pod was terminated',
    startedAt,
    finishedAt,
  });
}

function terminatedOf({
  containerId,
  exitCode,
  signal,
  reason,
  message,
  startedAt,
  finishedAt,
}: Termination): JsonObject {
  return {
    exitCode,
    ...(signal !== undefined && { signal }),
    reason,
    ...(message !== undefined && { message }),
    ...(startedAt !== undefined && { startedAt: rfc3339(startedAt) }),
    finishedAt: rfc3339(finishedAt),
    ...(containerId && { containerID: DOCKER(containerId) }),
  };
}

/** Kubernetes' quality of service class, from cpu and memory alone. */
export function qosClassOf(spec: PodSpec): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const resources = ['cpu', 'memory'];
  const amounts = allContainersOf(spec).map(({ resources: { requests = {}, limits = {} } = {} }) => ({
    requests,
    limits,
  }));
  if (amounts.every(({ requests, limits }) => resources.every((name) => !requests[name] && !limits[name])))
    return 'BestEffort';
  const guaranteed = amounts.every(({ requests, limits }) =>
    resources.every((name) => {
      const limit = limits[name];
      return limit !== undefined && parseQuantity(requests[name] ?? limit) === parseQuantity(limit);
    }),
  );
  return guaranteed ? 'Guaranteed' : 'Burstable';
}
