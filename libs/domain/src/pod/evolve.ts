import { BrokenInvariant } from '../errors.js';
import { extended } from '../extended.js';
import type { EventEnvelope, Recorded } from '../event.js';
import { afterChange, afterDeletionRequest, newMeta } from '../meta/metadata.js';
import { restartAction } from '../lifecycle/restart-rule.js';
import { allContainersOf, initContainersOf } from './container-kinds.js';
import type { PodSpec } from './pod-spec.js';
import { DISRUPTION_TARGET, disruptionBy } from './disruption.js';
import { editablePod } from './editable.js';
import type {
  Condition,
  ContainerRun,
  ContainerState,
  PodEvent,
  PodState,
  ReportedRun,
  TerminationReason,
} from './pod.js';
import { endingOf, GATES_NOT_READY, isUp, outcomeOf } from './readiness.js';

/**
 * A pod after one more event; `undefined` once deleted. Total over recorded events: what the log holds has been decided.
 * Events that leave the wire form as it is leave `resourceVersion` too (DESIGN section 3).
 */
export function evolvePod(pod: PodState | undefined, event: Recorded<PodEvent>): PodState | undefined {
  if (event.type === 'PodRequested') return requested(event);
  if (!pod) throw new BrokenInvariant(`${event.type} at revision ${event.revision}, but ${event.stream} holds no pod`);
  const after: { -readonly [Key in keyof PodState]: PodState[Key] } | undefined = step(pod, event);
  // What `step` made nobody else has seen yet: it is completed in place, for replay makes millions.
  if (after && after !== pod) after.meta = { ...after.meta, resourceVersion: event.revision };
  return after;
}

function requested(event: Recorded<Extract<PodEvent, { type: 'PodRequested' }>>): PodState {
  const { spec, mainContainer, sharedFate } = event.data;
  return {
    kind: 'Pod',
    meta: newMeta(event.data, event),
    spec,
    mainContainer,
    sharedFate,
    startedContainersOnce: false,
    containers: Object.fromEntries(
      allContainersOf(spec).map(({ name }) => [name, { name, attempt: 0, waiting: comingUp(spec) }]),
    ),
    conditions: {},
    removedFromNode: false,
  };
}

function step(pod: PodState, event: Recorded<Exclude<PodEvent, { type: 'PodRequested' }>>): PodState | undefined {
  switch (event.type) {
    case 'PodChanged': {
      const { meta, spec, status } = afterChange(pod.meta, editablePod(pod), pod.clientStatus ?? {}, event.data);
      const { clientStatus: _, ...rest } = pod;
      return {
        ...rest,
        meta,
        spec: spec as PodSpec,
        ...(meta.generation > pod.meta.generation && { specChangedAt: event.time }),
        ...(Object.keys(status).length > 0 && { clientStatus: status }),
      };
    }
    case 'PodScheduled': {
      const nodeName = event.data.node;
      const conditions = { PodScheduled: condition(pod, event, 'PodScheduled', { status: 'True' }) };
      return extended(pod.unschedulable ? placed(pod) : pod, {
        nodeName,
        scheduledAt: event.time,
        spec: extended(pod.spec, { nodeName }),
        conditions: extended(pod.conditions, conditions),
      });
    }
    case 'PodUnschedulable':
      return extended(pod, {
        unschedulable: { message: event.data.message, at: event.time, record: event.data.record },
        conditions: extended(pod.conditions, {
          PodScheduled: condition(pod, event, 'PodScheduled', {
            status: 'False',
            reason: 'Unschedulable',
            message: event.data.message,
          }),
        }),
      });
    case 'PodSandboxStarted': {
      const isNew = pod.sandbox?.sandboxId !== event.data.sandboxId;
      const inits = initContainersOf(pod.spec).map(({ name }) => name);
      return extended(isNew ? waitingAgain(pod, inits) : pod, {
        startedAt: pod.startedAt ?? event.time,
        sandbox: event.data,
        conditions: extended(pod.conditions, {
          PodReadyToStartContainers: condition(pod, event, 'PodReadyToStartContainers', { status: 'True' }),
          Initialized: isNew
            ? initializedIn(pod, event, inits)
            : (pod.conditions['Initialized'] ?? initializedIn(pod, event, inits)),
        }),
      });
    }
    case 'ImagePullFailed': {
      const { reason, message, retryAt } = event.data;
      return waiting(pod, event.data.container, { reason, message, ...(retryAt !== undefined && { retryAt }) });
    }
    case 'ContainerCreateFailed': {
      const { container, reason, message, retryAt } = event.data;
      return waiting(pod, container, { reason, message, retryAt });
    }
    case 'ContainerBackingOff': {
      const { container, message, retryAt } = event.data;
      return waiting(pod, container, { reason: 'CrashLoopBackOff', message, retryAt });
    }
    case 'ImagePulled':
      return waiting(pod, event.data.container, comingUp(pod.spec));
    case 'ContainerCreated':
      return pod.containers[event.data.container]?.waiting?.reason === comingUp(pod.spec).reason
        ? pod
        : waiting(pod, event.data.container, comingUp(pod.spec));
    case 'ContainerStarted': {
      const { container, attempt, containerId, imageId, startedAt } = event.data;
      const before = pod.containers[container];
      if (!before) return pod;
      const last = before.terminated ?? before.last;
      return withContainer(pod, {
        name: container,
        attempt,
        containerId,
        imageId,
        running: { startedAt },
        ...(last && { last }),
      });
    }
    case 'ContainerExited': {
      const { container, attempt, ...termination } = event.data;
      const before = pod.containers[container];
      if (!before) return pod;
      const previous =
        before.terminated && before.terminated.containerId !== termination.containerId
          ? before.terminated
          : before.last;
      const asksForAll =
        termination.reason !== 'StartError' &&
        outcomeOf(pod).kind === 'running' &&
        restartAction(pod.spec, container, endingOf(termination)) === 'RestartAllContainers';
      return withContainer(asksForAll ? waitingAgain(pod, Object.keys(pod.containers)) : pod, {
        name: container,
        attempt,
        containerId: termination.containerId,
        ...(before.imageId !== undefined && { imageId: before.imageId }),
        terminated: { ...termination, ...(isCondemned(before, termination.containerId) && { condemned: true }) },
        ...(previous && { last: previous }),
      });
    }
    case 'PostStartHookSucceeded':
      return withReport(pod, event.data, { hooked: true });
    case 'ContainerStartupSucceeded':
      return withReport(pod, event.data, { started: true });
    case 'ContainerReadinessChanged':
      return withReport(pod, event.data, { ready: event.data.ready });
    case 'PodInitialized':
      return {
        ...pod,
        conditions: {
          ...pod.conditions,
          Initialized: condition(pod, event, 'Initialized', { status: 'True' }),
        },
      };
    case 'PodBecameReady':
      return { ...pod, conditions: readiness(pod, event, { status: 'True' }) };
    case 'PodBecameUnready': {
      const { reason, message } = event.data;
      const unready = { status: 'False', reason, message } as const;
      // Readiness gates are about the pod alone: its containers are ready all the same.
      const containers = reason === GATES_NOT_READY ? ({ status: 'True' } as const) : unready;
      return { ...pod, conditions: readiness(pod, event, unready, containers) };
    }
    case 'PodTerminationRequested':
      return extended(pod, {
        meta: afterDeletionRequest(pod.meta, event.data, event),
        terminationReason: pod.terminationReason ?? event.data.reason,
        conditions: extended(pod.conditions, disruption(pod, event, event.data.reason)),
      });
    case 'PodTerminated': {
      const reason = event.data.phase === 'Succeeded' ? 'PodCompleted' : 'PodFailed';
      return extended(pod, {
        terminated: extended(event.data, { at: event.time }),
        conditions: {
          ...readiness(pod, event, { status: 'False', reason }),
          ...(event.data.reason === 'NodeLost' && disruption(pod, event, 'NodeLost')),
        },
      });
    }
    case 'PodContainersRemoved':
      return { ...pod, removedFromNode: true };
    case 'PodDeleted':
      return undefined;
    case 'PodRefusedByNode':
    case 'PodSandboxFailed':
    case 'ImagePullStarted':
    case 'ImagePullProgressed':
    case 'ContainerKilling':
      return pod;
    case 'ContainerProbeFailed':
      return event.data.condemned ? withReport(pod, event.data, { condemned: true }) : pod;
    case 'LifecycleHookFailed':
      return event.data.hook === 'postStart' ? withReport(pod, event.data, { condemned: true }) : pod;
  }
}

/** A pod that waits for a place no more. */
function placed({ unschedulable: _, ...rest }: PodState): PodState {
  return rest;
}

type NewCondition = Omit<Condition, 'lastTransitionAt'>;

/** A condition as it is now; its transition time moves only when its status does. */
function condition(pod: PodState, event: EventEnvelope, type: string, next: NewCondition): Condition {
  const before = pod.conditions[type];
  const { status, reason, message } = next;
  const lastTransitionAt = before?.status === status ? before.lastTransitionAt : event.time;
  if (reason === undefined && message === undefined) return { status, lastTransitionAt };
  return {
    status,
    ...(reason !== undefined && { reason }),
    ...(message !== undefined && { message }),
    lastTransitionAt,
  };
}

/** The condition that tells of a disruption, if the pod ends by one. Who told it to go first is told. */
function disruption(pod: PodState, event: EventEnvelope, reason: TerminationReason): PodState['conditions'] {
  const why = disruptionBy(reason);
  if (!why || pod.terminationReason !== undefined || pod.conditions[DISRUPTION_TARGET]) return {};
  return { [DISRUPTION_TARGET]: condition(pod, event, DISRUPTION_TARGET, { status: 'True', ...why }) };
}

function readiness(
  pod: PodState,
  event: EventEnvelope,
  next: NewCondition,
  containers: NewCondition = next,
): PodState['conditions'] {
  return extended(pod.conditions, {
    ContainersReady: condition(pod, event, 'ContainersReady', containers),
    Ready: condition(pod, event, 'Ready', next),
  });
}

/** Whether the log has the verdict that a run was killed for, though its node may have forgotten it. */
const isCondemned = ({ containerId, reported }: ContainerState, endedId: string): boolean =>
  containerId === endedId && reported?.condemned === true;

/** News of the run of a container that the log knows as the present one. */
function withReport(pod: PodState, { container, containerId }: ContainerRun, news: ReportedRun): PodState {
  const before = pod.containers[container];
  if (!before?.running || before.containerId !== containerId) return pod;
  return withContainer(pod, { ...before, reported: { ...before.reported, ...news } });
}

function withContainer(pod: PodState, container: ContainerState): PodState {
  const containers = { ...pod.containers, [container.name]: container };
  const startedContainersOnce =
    pod.startedContainersOnce ||
    pod.spec.containers.every((spec) => {
      const state = containers[spec.name];
      return state !== undefined && (isUp(spec, state) || (state.terminated ?? state.last) !== undefined);
    });
  return { ...pod, containers, startedContainersOnce };
}

/** What a container that is not made yet waits for, in kubelet's words. */
export const comingUp = ({ initContainers }: PodSpec): { readonly reason: string } => ({
  reason: initContainers?.length ? 'PodInitializing' : 'ContainerCreating',
});

function initializedIn(pod: PodState, event: EventEnvelope, inits: readonly string[]): Condition {
  return condition(
    pod,
    event,
    'Initialized',
    inits.length === 0 ? { status: 'True' } : { status: 'False', ...notInitialized(inits) },
  );
}

/** Why a pod is not initialized, in kubelet's words. */
export const notInitialized = (
  incomplete: readonly string[],
): { readonly reason: string; readonly message: string } => ({
  reason: 'ContainersNotInitialized',
  message: `containers with incomplete status: [${incomplete.join(' ')}]`,
});

/** Of these containers, those that ended wait to be begun again. */
function waitingAgain(pod: PodState, names: readonly string[]): PodState {
  return names.reduce((state, name) => {
    const isOver = state.containers[name]?.terminated !== undefined;
    return isOver ? waiting(state, name, comingUp(pod.spec)) : state;
  }, pod);
}

/** A container that waits. The end of its last run is kept; one that runs is not put back to waiting by late news. */
function waiting(pod: PodState, name: string, next: NonNullable<ContainerState['waiting']>): PodState {
  const before = pod.containers[name];
  if (!before || before.running) return pod;
  const last = before.terminated ?? before.last;
  return withContainer(pod, {
    name,
    attempt: before.attempt,
    waiting: next,
    ...(last && { last }),
    ...(before.imageId !== undefined && { imageId: before.imageId }),
  });
}
