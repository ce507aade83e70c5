import type { Millis } from '../event.js';
import type { AssignedPod } from '../node/assigned-pod.js';
import type { PodFact } from '../pod/pod.js';
import type { Container } from '../pod/pod-spec.js';
import { backOffMs, restartBackOff, RESTART_RESET_MS } from './back-off.js';
import { restarts } from './fate.js';
import type { ObservedContainer } from './observed.js';
import type { PodMemory, RestartCount } from './pod-memory.js';
import { endedAt, generationOf, hasEnded, isFresh, isRunning, nextAttempt, type PodView } from './pod-view.js';
import { specHashOf } from './spec-hash.js';

/** A container that is to be made. */
export interface Creation {
  readonly container: Container;
  readonly attempt: number;
  readonly specHash: string;
}

/** A container that is to end. `replaced`: only to be made anew, so its exit is not its own doing. */
export interface Stop {
  readonly container: ObservedContainer;
  readonly message: string;
  readonly replaced: boolean;
}

/** What a pod's app containers need, before its sandbox and its images are looked at. */
export interface MembersPlan {
  readonly stop: readonly Stop[];
  readonly remove: readonly ObservedContainer[];
  readonly create: readonly Creation[];
  readonly start: readonly ObservedContainer[];
  /** Co-creation: none is started before all are made, and none stays when one cannot be made. */
  readonly together: boolean;
  readonly facts: readonly PodFact[];
  readonly restarts: Readonly<Record<string, RestartCount>>;
  readonly nextLookAt?: Millis;
}

export interface MembersInput {
  readonly pod: AssignedPod;
  readonly view: PodView;
  /** The sandbox to join; absent while there is none that serves. */
  readonly sandbox: ObservedContainer | undefined;
  readonly memory: PodMemory;
  readonly now: Millis;
}

/** Plans the app containers of a pod that is to run, by the pod's fate rule (DESIGN section 4). */
export function planMembers(input: MembersInput): MembersPlan {
  const draft = new Draft(input);
  if (input.pod.sharedFate) planSharedFate(draft);
  else planIndependent(draft);
  return draft.finish();
}

/** The generation that lives, or is to be made first; see `specHashOf`. */
export function currentGeneration({ mainContainer, attempts }: AssignedPod, { apps }: PodView): number {
  const known = attempts[mainContainer] ?? -1;
  const observed = Math.max(-1, ...apps.map(generationOf));
  return observed >= known && observed >= 0 ? observed : known + 1;
}

/** The plan while it is being made. */
class Draft {
  readonly stop: Stop[] = [];
  readonly remove: ObservedContainer[] = [];
  readonly create: Creation[] = [];
  readonly start: ObservedContainer[] = [];
  readonly facts: PodFact[] = [];
  together = false;
  private restarts: Readonly<Record<string, RestartCount>>;
  private readonly waits: Millis[] = [];

  constructor(readonly input: MembersInput) {
    this.restarts = input.memory.restarts;
  }

  /** Ends what no member is: strangers to the spec, and what a newer container of the name has outdated. */
  dropAllBut(members: ReadonlySet<ObservedContainer>): void {
    for (const app of this.input.view.apps) {
      if (members.has(app)) continue;
      if (isRunning(app)) this.replace(app, `Container ${app.name} is no part of the pod as it is now`);
      else if (isFresh(app)) this.remove.push(app);
    }
  }

  /** Joined to the sandbox in use. */
  isJoined = (container: ObservedContainer): boolean =>
    this.input.sandbox !== undefined && container.sandboxId === this.input.sandbox.id;

  /**
   * Runs on from an older spec. Under restartPolicy Never it is left alone: it may run only once, and a run is not thrown
   * away for an edit.
   */
  isEdited = (container: ObservedContainer): boolean =>
    !this.input.view.isWanted(container) && this.input.pod.spec.restartPolicy !== 'Never';

  replace(container: ObservedContainer, message: string): void {
    this.stop.push({ container, message, replaced: true });
  }

  /** Makes a container, once nothing unfit of its name is in the way. */
  make(container: Container, generation: number): void {
    const { pod, view } = this.input;
    if (this.remove.some(({ name }) => name === container.name)) return;
    const next = nextAttempt(pod, view, container.name);
    const attempt = container.name === pod.mainContainer ? Math.max(next, generation) : next;
    const hash = view.wanted[container.name] ?? '';
    this.create.push({ container, attempt, specHash: specHashOf(hash, generation) });
  }

  /** Whether a container that ended may run again by now; counts the restart, and says so while it waits. */
  mayRestart(ended: ObservedContainer): boolean {
    const { view, now } = this.input;
    if (view.endingOf(ended).infrastructure) return true;
    const count = this.countRestart(ended);
    if (count.retryAt <= now) return true;
    this.waits.push(count.retryAt);
    this.facts.push(this.backingOff(ended, count));
    return false;
  }

  private countRestart(ended: ObservedContainer): RestartCount {
    const { pod, now } = this.input;
    const before = this.restarts[ended.name];
    if (before?.containerId === ended.id) return before;
    const ranLong = ended.startedAt !== undefined && endedAt(ended) - ended.startedAt >= RESTART_RESET_MS;
    const failures = ranLong ? 1 : (before?.failures ?? ended.attempt) + 1;
    const waitMs = backOffMs(restartBackOff(pod.annotations), failures);
    const count = { containerId: ended.id, failures, retryAt: Math.min(endedAt(ended), now) + waitMs };
    this.restarts = { ...this.restarts, [ended.name]: count };
    return count;
  }

  private backingOff(ended: ObservedContainer, { failures, retryAt }: RestartCount): PodFact {
    const { pod } = this.input;
    const wait = `${backOffMs(restartBackOff(pod.annotations), failures) / 1000}s`;
    const where = `container=${ended.name} pod=${pod.key.name}_${pod.key.namespace}(${pod.key.uid})`;
    const message = `back-off ${wait} restarting failed ${where}`;
    const data = { container: ended.name, attempt: ended.attempt, retryAt, message };
    return { id: `${ended.id}/ContainerBackingOff`, type: 'ContainerBackingOff', data };
  }

  finish(): MembersPlan {
    const { stop, remove, create, start, together, facts, restarts } = this;
    const next = this.waits.length > 0 && { nextLookAt: Math.min(...this.waits) };
    return { stop, remove, create, start, together, facts, restarts, ...next };
  }
}

/** One generation at a time: it is created together, and it is over when its main container is. */
function planSharedFate(draft: Draft): void {
  const { pod, view, sandbox } = draft.input;
  const generation = currentGeneration(pod, view);
  const memberOf = (name: string): ObservedContainer | undefined =>
    view.apps.find((app) => app.name === name && generationOf(app) === generation);
  const members = pod.spec.containers.flatMap(({ name }) => memberOf(name) ?? []);
  const main = memberOf(pod.mainContainer);
  const begun = members.some((member) => !isFresh(member));
  const over = begun ? whyOver(draft, main) : undefined;
  if (over !== undefined) return restartPod(draft, generation, main, over);

  draft.dropAllBut(new Set(members));
  draft.together = !begun;
  for (const container of pod.spec.containers) {
    const member = memberOf(container.name);
    if (!member) draft.make(container, generation);
    else if (isFresh(member)) {
      if (draft.isJoined(member) && view.isWanted(member)) draft.start.push(member);
      else draft.remove.push(member);
    } else if (isRunning(member)) {
      if (sandbox && !draft.isJoined(member)) draft.replace(member, 'Its pod has a new sandbox');
      else if (draft.isEdited(member)) draft.replace(member, `Container ${member.name} definition changed`);
    } else if (restarts(pod.spec.restartPolicy, view.endingOf(member)) && draft.mayRestart(member)) {
      draft.make(container, generation);
    }
  }
}

/** Why a generation that has begun cannot go on; `undefined` while it can. */
function whyOver(draft: Draft, main: ObservedContainer | undefined): string | undefined {
  if (!main) return 'the main container is gone';
  if (hasEnded(main)) return `main container ${main.name} ended`;
  if (!draft.isJoined(main)) return 'Pod sandbox changed, it will be killed and re-created';
  if (isRunning(main) && draft.isEdited(main)) return `Container ${main.name} definition changed`;
  return undefined;
}

/** Ends a generation and, when all of it has ended and the back-off is over, makes the next. */
function restartPod(draft: Draft, generation: number, main: ObservedContainer | undefined, why: string): void {
  const { pod, view } = draft.input;
  const running = view.apps.filter(isRunning);
  for (const app of running) draft.replace(app, `The pod is restarted: ${why}`);
  draft.remove.push(...view.apps.filter(isFresh));
  const due = !main || !hasEnded(main) || draft.mayRestart(main);
  if (!due || running.length > 0) return;
  draft.together = true;
  const next = Math.max(generation + 1, nextAttempt(pod, view, pod.mainContainer));
  for (const container of pod.spec.containers) draft.make(container, next);
}

/** Kubernetes' own rule, container by container; only the first creation in a sandbox is a common one. */
function planIndependent(draft: Draft): void {
  const { pod, view, sandbox } = draft.input;
  draft.dropAllBut(new Set(pod.spec.containers.flatMap(({ name }) => view.newest(name) ?? [])));
  draft.together = !view.apps.some((app) => draft.isJoined(app) && !isFresh(app));
  for (const container of pod.spec.containers) {
    const newest = view.newest(container.name);
    if (!newest) draft.make(container, 0);
    else if (isFresh(newest)) {
      if (draft.isJoined(newest) && view.isWanted(newest)) draft.start.push(newest);
      else draft.remove.push(newest);
    } else if (isRunning(newest)) {
      if (!sandbox || !draft.isJoined(newest))
        draft.replace(newest, 'Pod sandbox changed, it will be killed and re-created');
      else if (draft.isEdited(newest)) draft.replace(newest, `Container ${newest.name} definition changed`);
    } else if (restarts(pod.spec.restartPolicy, view.endingOf(newest)) && draft.mayRestart(newest)) {
      draft.make(container, 0);
    }
  }
}
