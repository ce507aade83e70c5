import type { AssignedPod } from '../node/assigned-pod.js';
import { containerNamed } from '../pod/container-kinds.js';
import type { Container } from '../pod/pod-spec.js';
import { dependenciesOf, type DependencyCondition } from './dependencies.js';
import { isMetBy } from './fate.js';
import { MembersDraft } from './members-draft.js';
import type { MembersInput, MembersPlan } from './members-plan.js';
import type { ObservedContainer } from './observed.js';
import { isUp, planInits } from './plan-inits.js';
import type { PodInput } from './pod-plan.js';
import { generationOf, hasEnded, isFresh, isRunning, nextAttempt, type PodView } from './pod-view.js';
import { restartPolicyOf, restarts } from './restart-rule.js';

/** Plans the containers of a pod that is to run, by the pod's fate rule (DESIGN section 4). */
export function planMembers(input: MembersInput): MembersPlan {
  const draft = new MembersDraft(input);
  if (!isOverBefore(draft)) return draft.finish(false);
  const initialized = planInits(draft);
  if (input.pod.sharedFate) planSharedFate(draft);
  else planIndependent(draft);
  return draft.finish(initialized);
}

/** Whether the run before a restart of all containers is over, and the next may begin. Ends it if not. */
function isOverBefore(draft: MembersDraft): boolean {
  const { view } = draft.input;
  if (!view.restartOfAll) return true;
  const { askedBy, former } = view.restartOfAll;
  const running = former.filter(isRunning);
  const why = `container ${askedBy.name} ended with exit code ${view.endingOf(askedBy).exitCode}`;
  for (const container of running) draft.replace(container, `All containers of the pod are restarted: ${why}`);
  draft.remove.push(...former.filter(isFresh));
  const hasBegun = view.apps.length + view.inits.length > 0;
  return (hasBegun || draft.mayRestart(askedBy)) && running.length === 0;
}

/** The generation that lives, or is to be made first; see `specHashOf`. */
export function currentGeneration({ mainContainer, attempts }: AssignedPod, { apps, restartOfAll }: PodView): number {
  const former = (restartOfAll?.former ?? []).map(generationOf);
  const known = Math.max(attempts[mainContainer] ?? -1, ...former);
  const observed = Math.max(-1, ...apps.map(generationOf));
  return observed >= known && observed >= 0 ? observed : known + 1;
}

/** One generation at a time: it is created together, and it is over when its main container is. */
function planSharedFate(draft: MembersDraft): void {
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
    else if (isFresh(member)) startInOrder(draft, member, memberOf);
    else if (isRunning(member)) {
      if (sandbox && !draft.isJoined(member)) draft.replace(member, 'Its pod has a new sandbox');
      else if (draft.isEdited(member)) draft.replace(member, `Container ${member.name} definition changed`);
      else draft.endCondemned(member);
    } else if (restarts(pod.spec, member.name, view.endingOf(member)) && draft.mayRestart(member)) {
      draft.make(container, generation);
    }
  }
}

/** Why a generation that has begun cannot go on; `undefined` while it can. */
function whyOver(draft: MembersDraft, main: ObservedContainer | undefined): string | undefined {
  if (!main) return 'the main container is gone';
  if (hasEnded(main)) return `main container ${main.name} ended`;
  if (!draft.isJoined(main)) return 'Pod sandbox changed, it will be killed and re-created';
  if (isRunning(main) && draft.isEdited(main)) return `Container ${main.name} definition changed`;
  // Under Never it is only ended, and the pod with it.
  if (isRunning(main) && restartPolicyOf(draft.input.pod.spec, main.name) !== 'Never')
    return draft.condemnationOf(main)?.message;
  return undefined;
}

/** Ends a generation and, when all of it has ended and the back-off is over, makes the next. */
function restartPod(draft: MembersDraft, generation: number, main: ObservedContainer | undefined, why: string): void {
  const { pod, view, memory } = draft.input;
  const running = view.apps.filter(isRunning);
  for (const app of running) {
    if (app !== main || !draft.endCondemned(app)) draft.replace(app, `The pod is restarted: ${why}`);
  }
  draft.remove.push(...view.apps.filter(isFresh));
  const due = !main || !hasEnded(main) || draft.mayRestart(main);
  if (!due || running.length > 0) return;
  draft.together = true;
  const next = Math.max(generation + 1, nextAttempt(pod, view, memory, pod.mainContainer));
  for (const container of pod.spec.containers) draft.make(container, next);
}

/** Kubernetes' own rule, container by container; only the first creation in a sandbox is a common one. */
function planIndependent(draft: MembersDraft): void {
  const { pod, view, sandbox } = draft.input;
  const newestOf = (name: string): ObservedContainer | undefined => view.apps.find((app) => app.name === name);
  const joined = (name: string): ObservedContainer | undefined =>
    view.apps.find((app) => app.name === name && draft.isJoined(app));
  draft.dropAllBut(new Set(pod.spec.containers.flatMap(({ name }) => newestOf(name) ?? [])));
  draft.together = !view.apps.some((app) => draft.isJoined(app) && !isFresh(app));
  for (const container of pod.spec.containers) {
    const newest = newestOf(container.name);
    if (!newest) draft.make(container, 0);
    else if (isFresh(newest)) startInOrder(draft, newest, joined);
    else if (isRunning(newest)) {
      if (!sandbox || !draft.isJoined(newest))
        draft.replace(newest, 'Pod sandbox changed, it will be killed and re-created');
      else if (draft.isEdited(newest)) draft.replace(newest, `Container ${newest.name} definition changed`);
      else draft.endCondemned(newest);
    } else if (restarts(pod.spec, newest.name, view.endingOf(newest)) && draft.mayRestart(newest)) {
      draft.make(container, 0);
    }
  }
}

/**
 * Starts a container that is made, once what it depends on is as it wants it. That is asked where the containers of a run
 * are begun together; one that is restarted alone finds the others as they are.
 */
function startInOrder(
  draft: MembersDraft,
  fresh: ObservedContainer,
  memberOf: (name: string) => ObservedContainer | undefined,
): void {
  const { pod, view } = draft.input;
  if (!draft.isJoined(fresh) || !view.isWanted(fresh)) return void draft.remove.push(fresh);
  const isFirst = !view.apps.some(
    (app) => app.name === fresh.name && !isFresh(app) && draft.isJoined(app) && isOfOneRun(pod, app, fresh),
  );
  const waitsFor = Object.entries(dependenciesOf(pod.annotations)[fresh.name] ?? {});
  const mayStart = !isFirst || waitsFor.every(([name, condition]) => holds(draft, fresh, memberOf, name, condition));
  (mayStart ? draft.start : draft.held).push(fresh);
}

const isOfOneRun = (pod: AssignedPod, a: ObservedContainer, b: ObservedContainer): boolean =>
  !pod.sharedFate || generationOf(a) === generationOf(b);

/** Whether a container of this run of the pod is as one that depends on it wants it. */
function holds(
  draft: MembersDraft,
  fresh: ObservedContainer,
  memberOf: (name: string) => ObservedContainer | undefined,
  name: string,
  condition: DependencyCondition,
): boolean {
  const { pod, view, health } = draft.input;
  const container = containerNamed(pod.spec, name);
  const member = memberOf(name) ?? view.inits.find((run) => run.name === name && draft.isJoined(run));
  if (!container) return false;
  if (!member) return isMetForGood(draft, fresh, name, condition);
  if (isRunning(member)) {
    if (condition === 'Started') return isUp(container, health?.[member.id]);
    if (condition === 'Healthy') return isHealthy(container, health?.[member.id]);
  }
  const runs = [...view.apps, ...view.inits].filter(
    (run) => run.name === name && draft.isJoined(run) && isOfOneRun(pod, run, member),
  );
  return runs.some((run) => hasEnded(run) && isMetBy(view.endingOf(run), condition));
}

/** Whether one that ended in an earlier sandbox, and is not to run again, ended as a container that depends on it wants it. */
function isMetForGood(
  { input: { pod, view } }: MembersDraft,
  fresh: ObservedContainer,
  name: string,
  condition: DependencyCondition,
): boolean {
  const last = view.apps.find((run) => run.name === name);
  if (!last || !hasEnded(last) || !isOfOneRun(pod, last, fresh)) return false;
  const ending = view.endingOf(last);
  return !restarts(pod.spec, name, ending) && isMetBy(ending, condition);
}

/** Whether a container that runs has come up and is ready: its probes, where it has any, have succeeded. */
const isHealthy = (container: Container, health: NonNullable<PodInput['health']>[string] | undefined): boolean =>
  isUp(container, health) && (health ? health.ready : container.readinessProbe === undefined);
