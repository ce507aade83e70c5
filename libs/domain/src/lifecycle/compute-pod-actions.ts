import type { Millis } from '../event.js';
import type { AssignedPod } from '../node/assigned-pod.js';
import { allContainersOf, isInitContainer } from '../pod/container-kinds.js';
import type { PodFact } from '../pod/pod.js';
import { backOffMs, CREATE_BACK_OFF, isHeldBack, RESTART_RESET_MS } from './back-off.js';
import { computeRemoval } from './compute-removal.js';
import { needsPodIP } from './expand-env.js';
import { dependenciesOf } from './dependencies.js';
import { healthWithHooks, planPostStarts, preStopsOf } from './hooks.js';
import { podOutcome, type PodOutcome, type RunState } from './fate.js';
import type { Creation, MembersPlan } from './members-plan.js';
import type { ObservedContainer } from './observed.js';
import { planImages } from './plan-images.js';
import { currentGeneration, planMembers } from './plan-members.js';
import { planStops } from './plan-stops.js';
import type { PodAction, PodInput, PodPlan } from './pod-plan.js';
import { createKey, sandboxKey, type PodMemory } from './pod-memory.js';
import { endedAt, generationOf, hasEnded, isFresh, isRunning, viewPod, type PodView } from './pod-view.js';
import { sandboxHash } from './spec-hash.js';
import { stopOrderOf } from './stop-order.js';

/**
 * What is to be done about one pod now: pure, total, and idempotent, so a lost answer or a restart of the node's agent
 * only means looking again. After kubelet's `computePodActions`, with co-creation, shared fate and co-termination of
 * DESIGN section 4.
 */
export function computePodActions(input: PodInput): PodPlan {
  const { pod, observed, now, settled } = input;
  const memory = forget(input.memory, observed);
  if (pod.deletion) {
    const deadline = pod.deletion.requestedAt + pod.deletion.gracePeriodSeconds * 1000;
    const message = 'The pod is deleted';
    const rules = { order: stopOrderOf(pod), preStops: preStopsOf(pod) };
    const plan = computeRemoval({ observed, memory, deadline, settled, message, ...rules, now });
    return plan.gone ? { ...plan, facts: [removedFact(input)] } : plan;
  }
  const view = viewPod(pod, observed, memory);
  if (input.refusal) {
    const id = `${pod.key.uid}/PodRefusedByNode`;
    return windDown(input, view, memory, 'The node refused the pod', [
      { id, type: 'PodRefusedByNode', data: input.refusal },
    ]);
  }
  if (pod.terminated || outcomeOnNode(pod, view).kind === 'ended') {
    return windDown(input, view, memory, 'The pod has ended', []);
  }
  return keepRunning({ ...input, memory }, view);
}

function removedFact({ pod, node }: PodInput): PodFact {
  return { id: `${pod.key.uid}/PodContainersRemoved`, type: 'PodContainersRemoved', data: { node } };
}

/** Drops what is remembered of containers that are no more, and keeps count of those that are. */
function forget(memory: PodMemory, observed: readonly ObservedContainer[]): PodMemory {
  const running = new Set(observed.filter(isRunning).map(({ id }) => id));
  const known = new Set(observed.map(({ id }) => id));
  const attempts: Record<string, number> = { ...memory.attempts };
  for (const one of observed) {
    if (one.role === 'sandbox' ? one.startedAt !== undefined : !isFresh(one))
      attempts[one.name] = Math.max(attempts[one.name] ?? 0, one.attempt);
  }
  return {
    ...memory,
    attempts,
    stopping: Object.fromEntries(Object.entries(memory.stopping).filter(([id]) => running.has(id))),
    graceEnds: Object.fromEntries(Object.entries(memory.graceEnds).filter(([id]) => running.has(id))),
    replaced: memory.replaced.filter((id) => known.has(id)),
    hooks: Object.fromEntries(Object.entries(memory.hooks).filter(([id]) => running.has(id))),
    condemned: memory.condemned.filter((id) => known.has(id)),
  };
}

/** The pod's fate as its node can tell it, perhaps before the log can. */
function outcomeOnNode(pod: AssignedPod, view: PodView): PodOutcome {
  const { spec, mainContainer, sharedFate, annotations } = pod;
  const generation = sharedFate ? currentGeneration(pod, view) : undefined;
  const runs: Record<string, RunState> = {};
  for (const { name } of allContainersOf(spec)) {
    const isApp = !isInitContainer(spec, name);
    const newest = (isApp ? view.apps : view.inits).find((one) => one.name === name);
    if (!newest || isFresh(newest) || (isApp && generation !== undefined && generationOf(newest) !== generation))
      continue;
    runs[name] = hasEnded(newest) ? { ending: view.endingOf(newest) } : {};
  }
  return podOutcome({ spec, mainContainer, sharedFate, dependencies: dependenciesOf(annotations) }, runs);
}

/** Stops what still runs of a pod that has ended. Dead containers stay, for their output, until the pod is deleted. */
function windDown(
  { pod, now, settled }: PodInput,
  view: PodView,
  memory: PodMemory,
  message: string,
  facts: readonly PodFact[],
): PodPlan {
  const runningMembers = view.members.filter(isRunning);
  const isOver = runningMembers.length === 0;
  // The sandbox goes last, so that the members keep their network while they shut down, and gives its address and ports back.
  const running = isOver ? view.sandboxes.filter(isRunning) : runningMembers;
  const graceSeconds = isOver ? 0 : pod.spec.terminationGracePeriodSeconds;
  const stops = planStops(
    running.map((container) => ({ container, message, replaced: false })),
    {
      ...{ memory, order: stopOrderOf(pod), preStops: preStopsOf(pod) },
      deadline: now + graceSeconds * 1000,
      now,
      shorten: false,
    },
  );
  const fresh = [...view.members, ...view.sandboxes].filter((container) => isFresh(container));
  const removable = [...fresh, ...outdated(view, settled)];
  return {
    actions: [...stops.actions, ...removable.map(({ id }): PodAction => ({ type: 'Remove', containerId: id }))],
    facts: [...facts, ...stops.facts],
    memory: { ...memory, ...stops.memory },
    ...(stops.nextLookAt !== undefined && { nextLookAt: stops.nextLookAt }),
    holdsResources: !isOver,
    gone: false,
  };
}

/** Dead containers older than the previous run, whose exit the log has. The previous one is kept for its output. */
function outdated(view: PodView, settled: ReadonlySet<string>): ObservedContainer[] {
  const seen = new Map<string, number>();
  return view.members.filter((app) => {
    const newer = seen.get(app.name) ?? 0;
    seen.set(app.name, newer + 1);
    const kept = app.name in view.wanted ? 2 : 0;
    return newer >= kept && hasEnded(app) && settled.has(app.id);
  });
}

/** Sandboxes that serve no more. A dead one witnesses why its members ended, and stays until that is told. */
function deadSandboxes(
  view: PodView,
  usable: ObservedContainer | undefined,
  settled: ReadonlySet<string>,
): ObservedContainer[] {
  return view.sandboxes.filter((sandbox, index) => {
    if (sandbox === usable || isRunning(sandbox)) return false;
    // The newest that ran stays until there is another, so that attempts go on counting.
    if (index === 0 && sandbox.startedAt !== undefined) return false;
    if (sandbox.startedAt === undefined) return true;
    return !view.members.some(
      (app) => app.sandboxId === sandbox.id && hasEnded(app) && (!settled.has(app.id) || view.newest(app.name) === app),
    );
  });
}

function keepRunning(input: PodInput, view: PodView): PodPlan {
  const { pod, now, settled, memory } = input;
  const wantedSandbox = sandboxHash(pod);
  const sandbox = view.sandboxes.find((one) => one.specHash === wantedSandbox && (isRunning(one) || isFresh(one)));
  const running = [...view.inits, ...view.apps].filter(isRunning);
  const health = healthWithHooks(pod, running, memory, input.health);
  const members = planMembers({ pod, view, sandbox, memory, now, health });
  const waits = members.nextLookAt === undefined ? [] : [members.nextLookAt];
  const ending = new Set(members.stop.map(({ container }) => container.id));
  const postStarts = planPostStarts(
    pod,
    running.filter(({ id }) => !ending.has(id)),
    memory,
  );
  const stops = planStops(sandboxStops(members.stop, view, sandbox), {
    memory: { ...memory, hooks: postStarts.hooks },
    order: stopOrderOf(pod),
    preStops: preStopsOf(pod),
    deadline: now + pod.spec.terminationGracePeriodSeconds * 1000,
    now,
    shorten: false,
  });
  if (stops.nextLookAt !== undefined) waits.push(stops.nextLookAt);
  const replaced = members.stop.filter((stop) => stop.replaced).map(({ container }) => container.id);
  const condemned = members.stop.filter((stop) => stop.condemned).map(({ container }) => container.id);
  const images = planImages(input, [...members.singly.create, ...members.create, ...members.upcoming]);
  waits.push(...images.waits);
  const isBlocked = ({ container: { name } }: Creation): boolean =>
    images.blocked.has(name) || isHeldBack(memory.failures[createKey(name)], now);
  const blocked = [...members.singly.create, ...members.create].filter(isBlocked);
  for (const { container } of blocked) {
    const retryAt = memory.failures[createKey(container.name)]?.retryAt;
    if (retryAt !== undefined && retryAt > now) waits.push(retryAt);
  }
  const failed = members.together && members.create.some(isBlocked);
  const removals = [
    ...members.remove,
    // One cannot be made: none of those made with it stays (DESIGN section 4).
    ...(failed ? [...members.start, ...members.held] : []),
    ...outdated(view, settled),
    ...deadSandboxes(view, sandbox, settled),
  ];
  const actions: PodAction[] = [
    ...stops.actions,
    ...postStarts.actions,
    ...removals.map(({ id }): PodAction => ({ type: 'Remove', containerId: id })),
    ...images.actions,
  ];
  const { singly, create, start, held } = members;
  const needsSandbox = [singly.create, singly.start, create, start, held].some(({ length }) => length > 0);
  if (needsSandbox) actions.push(...sandboxActions(input, view, sandbox, wantedSandbox, waits));
  if (sandbox) {
    const mayCreate = input.awaitsConfig ? () => false : creatable(sandbox, blocked, images.ready);
    actions.push(...singleActions(members, sandbox, mayCreate, images.ready));
    if (!failed) actions.push(...memberActions(members, sandbox, mayCreate, images.ready));
  }
  return {
    actions,
    facts: [...members.facts, ...images.facts, ...stops.facts],
    memory: {
      ...memory,
      ...images.memory,
      ...stops.memory,
      restarts: members.restarts,
      replaced: [...new Set([...memory.replaced, ...replaced])],
      condemned: [...new Set([...memory.condemned, ...condemned])],
    },
    ...(waits.length > 0 && { nextLookAt: Math.min(...waits) }),
    holdsResources: true,
    gone: false,
  };
}

/** A running sandbox that is not the one wanted ends too, after its members. */
function sandboxStops(
  stops: MembersPlan['stop'],
  view: PodView,
  usable: ObservedContainer | undefined,
): MembersPlan['stop'] {
  const isInUse = ({ id }: ObservedContainer): boolean =>
    view.members.some((member) => isRunning(member) && member.sandboxId === id);
  const unfit = view.sandboxes.filter((sandbox) => sandbox !== usable && isRunning(sandbox) && !isInUse(sandbox));
  return [...stops, ...unfit.map((container) => ({ container, message: 'Pod sandbox changed', replaced: true }))];
}

/** Makes and starts the sandbox, once nothing of an earlier one runs and its back-off is over. */
function sandboxActions(
  { pod, memory, now }: PodInput,
  view: PodView,
  sandbox: ObservedContainer | undefined,
  specHash: string,
  waits: Millis[],
): PodAction[] {
  const failure = memory.failures[sandboxKey];
  if (isHeldBack(failure, now)) {
    if (failure.retryAt !== undefined) waits.push(failure.retryAt);
    return [];
  }
  if (sandbox) return isFresh(sandbox) ? [{ type: 'StartSandbox', sandboxId: sandbox.id }] : [];
  if (view.members.some(isRunning) || view.sandboxes.some((one) => isRunning(one) || !one.startedAt)) return [];
  const retryAt = sandboxRetryAt(view.sandboxes[0], now);
  if (retryAt > now) {
    waits.push(retryAt);
    return [];
  }
  const known = Math.max(pod.attempts[''] ?? -1, memory.attempts[''] ?? -1);
  const attempt = Math.max(view.sandboxes[0]?.attempt ?? -1, known) + 1;
  return [{ type: 'CreateSandbox', attempt, specHash }];
}

/** A sandbox that died is made anew at once; one that keeps dying soon after its start is not. */
function sandboxRetryAt(dead: ObservedContainer | undefined, now: Millis): Millis {
  if (!dead || dead.attempt === 0 || dead.infrastructureExit) return now;
  const ranMs = endedAt(dead) - (dead.startedAt ?? endedAt(dead));
  if (ranMs >= RESTART_RESET_MS) return now;
  return Math.min(endedAt(dead), now) + backOffMs(CREATE_BACK_OFF, dead.attempt);
}

type MayCreate = (creation: Creation) => boolean;

/** Whether a container can be made now: its image is there, no failure holds it back, and what it asks of the sandbox is known. */
const creatable =
  (sandbox: ObservedContainer, blocked: readonly Creation[], ready: ReadonlySet<string>): MayCreate =>
  (creation) =>
    !blocked.includes(creation) &&
    ready.has(creation.container.name) &&
    (!needsPodIP(creation.container) || (isRunning(sandbox) && sandbox.ip !== undefined));

const creating = ({ container, attempt, specHash }: Creation, sandbox: ObservedContainer): PodAction => ({
  type: 'CreateContainer',
  container: container.name,
  attempt,
  specHash,
  sandboxId: sandbox.id,
});

const starting = ({ id, name }: ObservedContainer): PodAction => ({
  type: 'StartContainer',
  container: name,
  containerId: id,
});

/** Makes and starts init containers and sidecars, each by itself; none begins before all images of the pod are there. */
function singleActions(
  { singly, upcoming }: MembersPlan,
  sandbox: ObservedContainer,
  mayCreate: MayCreate,
  ready: ReadonlySet<string>,
): PodAction[] {
  const allReady = upcoming.every(({ container }) => ready.has(container.name));
  return [
    ...(allReady ? singly.create.filter(mayCreate).map((creation) => creating(creation, sandbox)) : []),
    ...(isRunning(sandbox) ? singly.start.map(starting) : []),
  ];
}

/** Creates the app containers that are missing, and starts those that may be started. */
function memberActions(
  { create, start, remove, together }: MembersPlan,
  sandbox: ObservedContainer,
  mayCreate: MayCreate,
  ready: ReadonlySet<string>,
): PodAction[] {
  // All images first, then all containers, then all starts: one that fails must not leave others behind.
  const allReady = create.every(({ container }) => ready.has(container.name));
  const allMade = create.length === 0 && remove.length === 0;
  return [
    ...(allReady || !together ? create.filter(mayCreate).map((creation) => creating(creation, sandbox)) : []),
    ...(isRunning(sandbox) && (allMade || !together) ? start.map(starting) : []),
  ];
}
