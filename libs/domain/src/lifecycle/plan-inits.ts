import { initContainersOf, isSidecar } from '../pod/container-kinds.js';
import type { Container } from '../pod/pod-spec.js';
import type { MembersDraft } from './members-draft.js';
import type { ObservedContainer } from './observed.js';
import { hasEnded, isFresh, isRunning } from './pod-view.js';
import { isSuccess, restarts } from './restart-rule.js';

/**
 * Plans the init containers and sidecars of a pod that is to run; true when its app containers may be made. Init containers
 * run one after another, once in each sandbox; a sidecar is begun in its place and kept running from then on. What is done
 * is read from the engine alone: where a later container has been made, the earlier ones are done, though their records be
 * gone (kubelet's rule).
 */
export function planInits(draft: MembersDraft): boolean {
  const { pod, view } = draft.input;
  const containers = initContainersOf(pod.spec);
  const runs = containers.map(({ name }) => view.inits.find((run) => run.name === name && draft.isJoined(run)));
  dropStrays(draft, new Set(runs));
  const appsBegun = view.apps.some((app) => draft.isJoined(app));
  const furthest = appsBegun ? containers.length : runs.findLastIndex((run) => run !== undefined);
  let open = true;
  for (const [index, container] of containers.entries()) {
    const isPassed = index < furthest;
    if (!open) draft.upcoming.push(draft.creationOf(container, 0));
    else if (isSidecar(container)) open = keepSidecar(draft, container, runs[index]) || isPassed;
    else open = isPassed || advance(draft, container, runs[index]);
  }
  return open;
}

/** Ends what is joined to another sandbox or has a newer container of its name. */
function dropStrays(draft: MembersDraft, runs: ReadonlySet<ObservedContainer | undefined>): void {
  for (const run of draft.input.view.inits) {
    if (runs.has(run)) continue;
    if (isRunning(run)) draft.replace(run, 'Pod sandbox changed, it will be killed and re-created');
    else if (isFresh(run)) draft.remove.push(run);
  }
}

/** Sees to one init container; true when it has done its work. */
function advance(draft: MembersDraft, container: Container, run: ObservedContainer | undefined): boolean {
  const { pod, view } = draft.input;
  if (!run) draft.makeSingly(container);
  else if (isFresh(run)) startOrRemake(draft, run);
  else if (hasEnded(run)) {
    const ending = view.endingOf(run);
    if (isSuccess(ending)) return true;
    if (restarts(pod.spec, container.name, ending) && draft.mayRestart(run)) draft.makeSingly(container);
  }
  return false;
}

/** Keeps one sidecar running; true when what comes after it may begin. */
function keepSidecar(draft: MembersDraft, container: Container, run: ObservedContainer | undefined): boolean {
  const { pod, view, health } = draft.input;
  if (!run) draft.makeSingly(container);
  else if (isFresh(run)) startOrRemake(draft, run);
  else if (isRunning(run)) {
    if (draft.isEdited(run)) draft.replace(run, `Container ${run.name} definition changed`);
    else if (!draft.endCondemned(run)) return isUp(container, health?.[run.id]);
  } else if (restarts(pod.spec, container.name, view.endingOf(run)) && draft.mayRestart(run)) {
    draft.makeSingly(container);
  }
  return false;
}

function startOrRemake(draft: MembersDraft, run: ObservedContainer): void {
  if (draft.input.view.isWanted(run)) draft.singly.start.push(run);
  else draft.remove.push(run);
}

/** Whether a container that runs has come up: its startup probe, if it has one, has succeeded. */
export const isUp = (container: Container, health: { readonly started: boolean } | undefined): boolean =>
  health ? health.started : container.startupProbe === undefined;
