import { DomainError } from '../errors.js';
import { extended } from '../extended.js';
import type { EventEnvelope, NewEvent, Recorded } from '../event.js';
import type { JsonObject } from '../json.js';
import { fateOf } from '../lifecycle/fate.js';
import { alreadyExists, changedData, checkPreconditions, notFound } from '../meta/metadata.js';
import { editablePod } from './editable.js';
import { evolvePod } from './evolve.js';
import { GATES_NOT_READY, incompleteInits, outcomeOf, readinessOf } from './readiness.js';
import type { ContainerRun, PodCommand, PodEvent, PodFact, PodState, ReportedRun } from './pod.js';

type Command<Type extends PodCommand['type']> = Extract<PodCommand, { type: Type }>;

/** How often an unchanged refusal is recorded again, at most (DESIGN section 3). */
const REFUSAL_REPEAT_MS = 60_000;

/** What a command makes happen to a pod; nothing when it is already so. Throws `DomainError` when it is refused. */
export function decidePod(command: PodCommand, pod: PodState | undefined): PodEvent[] {
  if (command.type === 'RequestPod') return request(command, pod);
  if (command.type === 'ReportFact') return pod ? report(command, pod) : [];
  if (!pod) throw notFound('Pod', 'name' in command ? String(command.name) : '');
  switch (command.type) {
    case 'ChangePod':
      return change(command, pod);
    case 'SchedulePod':
      return schedule(command, pod);
    case 'RecordUnschedulable':
      return recordUnschedulable(command, pod);
    case 'TerminatePod':
      return terminate(command, pod);
    case 'GiveUpPod':
      return giveUp(command, pod);
  }
}

function request(command: Command<'RequestPod'>, pod: PodState | undefined): PodEvent[] {
  if (pod) throw alreadyExists('Pod', command.name);
  const { mainContainer, sharedFate } = fateOf(command.spec, command.meta.annotations);
  const { nodeName, ...spec } = command.spec;
  const events: PodEvent[] = [
    {
      type: 'PodRequested',
      data: extended(command.meta, { spec: { ...spec } as typeof command.spec, mainContainer, sharedFate }),
    },
  ];
  if (nodeName) events.push({ type: 'PodScheduled', data: { uid: command.meta.uid, node: nodeName, by: 'request' } });
  return events;
}

function change(command: Command<'ChangePod'>, pod: PodState): PodEvent[] {
  checkPreconditions('Pod', pod.meta, command.preconditions);
  const status =
    command.status === undefined
      ? undefined
      : { current: pod.clientStatus ?? {}, desired: command.status as JsonObject };
  const data = changedData(pod.meta, editablePod(pod), command, status);
  return data ? withDeletion(pod, withDerived(pod, [{ type: 'PodChanged', data }])) : [];
}

function schedule(command: Command<'SchedulePod'>, pod: PodState): PodEvent[] {
  const { uid, node, by, record } = command;
  checkPreconditions('Pod', pod.meta, uid === undefined ? {} : { uid });
  const refuse = (why: string): DomainError =>
    new DomainError('Conflict', `Operation cannot be fulfilled on pods/binding "${pod.meta.name}": ${why}`);
  if (pod.nodeName !== undefined) throw refuse(`pod ${pod.meta.name} is already assigned to node "${pod.nodeName}"`);
  if (pod.meta.deletion) throw refuse(`pod ${pod.meta.name} is being deleted, cannot be assigned to a host`);
  if (pod.terminated) throw refuse(`pod ${pod.meta.name} has ended`);
  if (pod.spec.schedulingGates?.length) throw refuse(`pod ${pod.meta.name} has non-empty .spec.schedulingGates`);
  return [{ type: 'PodScheduled', data: { uid: pod.meta.uid, node, by, ...(record && { record }) } }];
}

function recordUnschedulable({ uid, message, record, now }: Command<'RecordUnschedulable'>, pod: PodState): PodEvent[] {
  if (pod.meta.uid !== uid || pod.nodeName !== undefined || pod.meta.deletion || pod.terminated) return [];
  const before = pod.unschedulable;
  const unchanged = before && reasonsOf(before.record.refused) === reasonsOf(record.refused);
  if (unchanged && now - before.at < REFUSAL_REPEAT_MS) return [];
  return [{ type: 'PodUnschedulable', data: { uid, message, record } }];
}

/** The set of reasons, whatever their counts. */
function reasonsOf(refused: Readonly<Record<string, Readonly<Record<string, number>>>>): string {
  const reasons = Object.entries(refused).flatMap(([filter, counts]) =>
    Object.keys(counts).map((why) => `${filter}: ${why}`),
  );
  return reasons.sort().join('\n');
}

function terminate(command: Command<'TerminatePod'>, pod: PodState): PodEvent[] {
  checkPreconditions('Pod', pod.meta, command.preconditions);
  const asked = command.gracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds;
  const grace = pod.nodeName === undefined ? 0 : asked < 0 ? 1 : asked;
  const { propagation, reason, message, nodeReady } = command;
  const goesNow = pod.nodeName === undefined || (grace === 0 && !nodeReady);
  const events: PodEvent[] = [];
  const before = pod.meta.deletion;
  if (!before || grace < before.gracePeriodSeconds) {
    events.push({
      type: 'PodTerminationRequested',
      data: { gracePeriodSeconds: grace, propagation, reason, ...(message !== undefined && { message }) },
    });
  }
  // What depends on it is seen to first, by the garbage reconcile; that lets it go then.
  const waits = !before && propagation !== 'Background';
  if (goesNow && !waits && pod.meta.finalizers.length === 0) {
    events.push({ type: 'PodDeleted', data: { uid: pod.meta.uid, reason: pod.terminationReason ?? reason } });
  }
  return events;
}

function giveUp({ uid, reason, message }: Command<'GiveUpPod'>, pod: PodState): PodEvent[] {
  if (pod.meta.uid !== uid) return [];
  const events: PodEvent[] = [];
  if (!pod.terminated) events.push({ type: 'PodTerminated', data: { phase: 'Failed', reason, message } });
  if (pod.meta.deletion && pod.meta.finalizers.length === 0) {
    events.push({ type: 'PodDeleted', data: { uid, reason: pod.terminationReason ?? reason } });
  }
  return events;
}

function report({ uid, node, fact }: Command<'ReportFact'>, pod: PodState): PodEvent[] {
  if (pod.meta.uid !== uid || pod.nodeName !== node || isKnown(fact, pod)) return [];
  const { id: _, ...event } = fact;
  const events: PodEvent[] = [event];
  if (fact.type === 'PodRefusedByNode') {
    events.push({
      type: 'PodTerminated',
      data: { phase: 'Failed', reason: fact.data.reason, message: fact.data.message },
    });
  }
  return withDeletion(pod, withDerived(pod, events));
}

/** Whether the log already says what the fact says, or newer. Executors repeat themselves until acknowledged. */
function isKnown(fact: PodFact, pod: PodState): boolean {
  switch (fact.type) {
    case 'PodSandboxStarted':
      return (
        pod.sandbox !== undefined &&
        (pod.sandbox.attempt > fact.data.attempt ||
          (pod.sandbox.sandboxId === fact.data.sandboxId && pod.sandbox.ip === fact.data.ip))
      );
    case 'ContainerStarted': {
      const known = pod.containers[fact.data.container];
      if (!known || known.attempt > fact.data.attempt) return true;
      return known.containerId === fact.data.containerId;
    }
    case 'ContainerExited': {
      const known = pod.containers[fact.data.container];
      if (!known || known.attempt > fact.data.attempt) return true;
      return (
        known.terminated?.containerId === fact.data.containerId || known.last?.containerId === fact.data.containerId
      );
    }
    case 'PodContainersRemoved':
      return !pod.meta.deletion || pod.removedFromNode;
    case 'PodRefusedByNode':
      return pod.terminated !== undefined;
    case 'ContainerKilling':
      return pod.containers[fact.data.container]?.running === undefined;
    case 'ContainerProbeFailed':
    case 'LifecycleHookFailed':
      return !isOfPresentRun(fact.data, pod);
    case 'PostStartHookSucceeded':
      return !isOfPresentRun(fact.data, pod) || reportedOf(fact.data, pod).hooked === true;
    case 'ContainerStartupSucceeded':
      return !isOfPresentRun(fact.data, pod) || reportedOf(fact.data, pod).started === true;
    case 'ContainerReadinessChanged':
      return !isOfPresentRun(fact.data, pod) || (reportedOf(fact.data, pod).ready ?? false) === fact.data.ready;
    case 'PodSandboxFailed':
      return pod.terminated !== undefined;
    case 'ImagePullStarted':
    case 'ImagePullProgressed':
    case 'ImagePulled':
    case 'ImagePullFailed':
    case 'ContainerCreateFailed':
    case 'ContainerCreated':
    case 'ContainerBackingOff':
      return pod.terminated !== undefined || pod.containers[fact.data.container]?.running !== undefined;
  }
}

/** Whether a fact is about the run that the log knows as the container's present one. */
function isOfPresentRun({ container, containerId }: ContainerRun, pod: PodState): boolean {
  const known = pod.containers[container];
  return known?.running !== undefined && known.containerId === containerId;
}

const reportedOf = ({ container }: ContainerRun, pod: PodState): ReportedRun =>
  pod.containers[container]?.reported ?? {};

/** Adds what follows from the events: that init containers are done, the terminal phase, and the turns of readiness. */
function withDerived(pod: PodState, given: PodEvent[]): PodEvent[] {
  const after = preview(pod, given);
  if (!after) return given;
  const isInitialized =
    after.sandbox !== undefined &&
    after.conditions['Initialized']?.status === 'False' &&
    incompleteInits(after).length === 0;
  const events: PodEvent[] = isInitialized ? [...given, { type: 'PodInitialized', data: {} }] : given;
  const outcome = outcomeOf(after);
  const stillRunning = Object.values(after.containers).some(({ running }) => running);
  if (!after.terminated && outcome.kind === 'ended' && !stillRunning) {
    const { phase, message } = outcome;
    const why = message !== undefined && { reason: 'DependencyFailed', message };
    return [...events, { type: 'PodTerminated', data: { phase, ...why } }];
  }
  if (after.terminated) return events;
  const readiness = readinessOf(after);
  const { Ready: ready, ContainersReady: containers } = pod.conditions;
  if (readiness.ready) {
    return ready?.status === 'True' ? events : [...events, { type: 'PodBecameReady', data: {} }];
  }
  const { reason, message } = readiness;
  // Conditions are recorded when they turn: those of the containers too, while gates keep the pod from being ready.
  const containersReady = reason === GATES_NOT_READY;
  const isTurn = ready?.status === 'True' || (containers?.status === 'True') !== containersReady;
  return isTurn ? [...events, { type: 'PodBecameUnready', data: { reason, message } }] : events;
}

/** Adds `PodDeleted` once deletion was asked for, no finalizer is left, and no container is left on a node. */
function withDeletion(pod: PodState, events: PodEvent[]): PodEvent[] {
  // None of the events that come here asks for it.
  if (!pod.meta.deletion) return events;
  const after = preview(pod, events);
  const gone =
    after?.meta.deletion &&
    after.meta.finalizers.length === 0 &&
    (after.nodeName === undefined || after.removedFromNode);
  if (!after || !gone) return events;
  return [
    ...events,
    { type: 'PodDeleted', data: { uid: pod.meta.uid, reason: after.terminationReason ?? 'Requested' } },
  ];
}

/** The pod as it would be after events that are not recorded yet; only its facts are read, never its times. */
function preview(pod: PodState, events: readonly PodEvent[]): PodState | undefined {
  return events.reduce<PodState | undefined>((state, event) => evolvePod(state, unrecorded(event)), pod);
}

const PREVIEW = { kind: 'system', name: 'preview' } as const;

/** An event in the form of a recorded one. Spelled out: every decision makes some, and spreading was measured at several times the cost. */
function unrecorded(event: PodEvent): Recorded<PodEvent> {
  const recorded: EventEnvelope & NewEvent<string, unknown> = {
    type: event.type,
    data: event.data,
    id: '',
    revision: 0,
    stream: '',
    version: 0,
    time: 0,
    schemaVersion: 1,
    commandId: '',
    commandLast: 0,
    actor: PREVIEW,
    requestId: '',
    correlationId: '',
  };
  return recorded as Recorded<PodEvent>;
}
