import type { Millis } from '../event.js';
import type { Json, JsonObject } from '../json.js';
import { parseQuantity } from '../units.js';
import { containersOf, isContainerReady, isStarted, isUp, podPhase } from '../pod/readiness.js';
import type { Condition, ContainerState, PodState, Termination } from '../pod/pod.js';
import type { PodSpec } from '../pod/pod-spec.js';
import { rfc3339 } from '../time.js';

/** Conditions in the order kubectl describes them. */
const CONDITION_ORDER = ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'];

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
    known['Initialized'] ??= { status: 'True', lastTransitionAt: since };
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
  const spec = pod.spec.containers.find((candidate) => candidate.name === name);
  const image = spec?.image ?? '';
  const counts = spec !== undefined && !pod.terminated;
  return {
    name,
    image,
    imageID: imageId ?? '',
    ...(containerId !== undefined && { containerID: DOCKER(containerId) }),
    restartCount: attempt,
    ready: counts && isContainerReady(spec, container),
    started: counts && isStarted(spec, container),
    state: counts && container.running && !isUp(spec, container) ? COMING_UP : stateOf(pod, container),
    lastState: last ? { terminated: terminatedOf(last) } : {},
  };
}

function stateOf(pod: PodState, { running, terminated, waiting, containerId }: ContainerState): JsonObject {
  if (terminated) return { terminated: terminatedOf(terminated) };
  if (running && pod.terminated)
    return { terminated: unknownEnd(containerId ?? '', running.startedAt, pod.terminated.at) };
  if (running) return { running: { startedAt: rfc3339(running.startedAt) } };
  const { reason, message } = waiting ?? { reason: 'ContainerCreating' };
  return { waiting: { reason, ...(message !== undefined && { message }) } };
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
  const amounts = spec.containers.map(({ resources: { requests = {}, limits = {} } = {} }) => ({ requests, limits }));
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
