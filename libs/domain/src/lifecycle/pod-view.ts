import type { AssignedPod } from '../node/assigned-pod.js';
import { allContainersOf, isInitContainer } from '../pod/container-kinds.js';
import type { ObservedContainer } from './observed.js';
import type { PodMemory } from './pod-memory.js';
import { restartAction, restartPolicyOf, restarts, runsToCompletion, type Ending } from './restart-rule.js';
import { containerHash, readSpecHash } from './spec-hash.js';

/** Made and never started, and no start of it has failed. */
export const isFresh = (container: ObservedContainer): boolean =>
  container.state === 'created' && container.startError === undefined;

export const isRunning = (container: ObservedContainer): boolean => container.state === 'running';

/** It ran and stopped, or its start failed, which is a termination too (DESIGN section 4). */
export const hasEnded = (container: ObservedContainer): boolean =>
  container.state === 'exited' || container.startError !== undefined;

export const generationOf = (container: ObservedContainer): number => readSpecHash(container.specHash).generation;

/** When a container ended. The engine keeps no time of a failed start; its creation comes nearest. */
export const endedAt = (container: ObservedContainer): number =>
  container.finishedAt ?? container.startedAt ?? container.createdAt;

/** The exit code of a failed start whose engine gave none (Docker's code for "could not be run"). */
const START_FAILED = 128;

/** A restart of all containers of a pod, init containers included, that the end of one of them asked for. */
export interface RestartOfAll {
  readonly askedBy: ObservedContainer;
  /** Everything made before: none of it is part of the pod's present run. */
  readonly former: readonly ObservedContainer[];
}

/** A pod's containers on its node, newest first, and how to read them. */
export interface PodView {
  readonly sandboxes: readonly ObservedContainer[];
  /** Everything but sandboxes. */
  readonly members: readonly ObservedContainer[];
  /** Of the pod's present run: app containers, and strangers to the spec. */
  readonly apps: readonly ObservedContainer[];
  /** Of the pod's present run: init containers and sidecars. */
  readonly inits: readonly ObservedContainer[];
  /** Hash wanted of each container of the spec, by name, without generation. */
  readonly wanted: Readonly<Record<string, string>>;
  /** Absent when nothing is left of one. */
  readonly restartOfAll?: RestartOfAll;
  /** Newest container of a name, of whatever run. */
  newest(name: string): ObservedContainer | undefined;
  /** True when it was created from what the pod now says. */
  isWanted(container: ObservedContainer): boolean;
  /** How an ended container ended, as its pod's fate counts it. */
  endingOf(container: ObservedContainer): Ending;
}

/** Reads what a node's engine shows of a pod. */
export function viewPod(pod: AssignedPod, observed: readonly ObservedContainer[], memory: PodMemory): PodView {
  const newestFirst = [...observed].sort((a, b) => b.attempt - a.attempt || b.createdAt - a.createdAt);
  const sandboxes = newestFirst.filter(({ role }) => role === 'sandbox');
  const members = newestFirst.filter(({ role }) => role === 'app');
  const wanted = Object.fromEntries(
    allContainersOf(pod.spec).map((container) => [container.name, containerHash(pod, container)]),
  );
  const isWanted = (container: ObservedContainer): boolean =>
    readSpecHash(container.specHash).hash === wanted[container.name];
  const ownEnding = (container: ObservedContainer): Ending => ({
    exitCode: container.exitCode ?? START_FAILED,
    ...endedByUs({ pod, container, sandboxes, memory, isWanted: isWanted(container) }),
    ...((memory.condemned.includes(container.id) || pod.reported?.[container.id]?.condemned) && { condemned: true }),
    ...(container.startError !== undefined && { startFailed: true }),
  });
  const askedBy = restartAskedBy(pod, members, memory, ownEnding);
  const isFormer = (container: ObservedContainer): boolean =>
    askedBy !== undefined && (container === askedBy || container.createdAt < endedAt(askedBy));
  const present = members.filter((container) => !isFormer(container));
  return {
    sandboxes,
    members,
    apps: present.filter(({ name }) => !isInitContainer(pod.spec, name)),
    inits: present.filter(({ name }) => isInitContainer(pod.spec, name)),
    wanted,
    ...(askedBy && { restartOfAll: { askedBy, former: members.filter(isFormer) } }),
    isWanted,
    newest: (name) => members.find((member) => member.name === name),
    endingOf: (container) => {
      const stopped = askedBy && container !== askedBy && isFormer(container) && endedAt(container) >= endedAt(askedBy);
      return stopped ? { ...ownEnding(container), replaced: true } : ownEnding(container);
    },
  };
}

interface End {
  readonly pod: AssignedPod;
  readonly container: ObservedContainer;
  readonly sandboxes: readonly ObservedContainer[];
  readonly memory: PodMemory;
  readonly isWanted: boolean;
}

/**
 * Whether a container ended with its engine, or because the node stopped it to make it anew. The second must be readable
 * from the engine and the log alone, for the node's memory may be lost in between: it ended after its sandbox, or it is of
 * a spec that was edited before its end.
 */
function endedByUs({ pod, container, sandboxes, memory, isWanted }: End): Pick<Ending, 'infrastructure' | 'replaced'> {
  const { id, name } = container;
  // What an init container did counts, whatever its spec says by now (Kubernetes since 1.20).
  const isEdited = !isWanted && !runsToCompletion(pod.spec, name);
  const isReplaced =
    isEdited && (memory.replaced.includes(id) || endedAt(container) >= (pod.specChangedAt ?? Infinity));
  const infrastructure =
    container.infrastructureExit === true ||
    memory.replaced.includes(id) ||
    (isEdited && restartPolicyOf(pod.spec, name) !== 'Never') ||
    (container.startError === undefined && outlivedSandbox(container, sandboxes));
  return { ...(infrastructure && { infrastructure }), ...(isReplaced && { replaced: true }) };
}

function outlivedSandbox(container: ObservedContainer, sandboxes: readonly ObservedContainer[]): boolean {
  const sandbox = sandboxes.find(({ id }) => id === container.sandboxId);
  return sandbox?.finishedAt !== undefined && sandbox.finishedAt < endedAt(container);
}

/** The container whose end asked last for a restart of all (KEP-5532). Not one that we stopped, nor one of a pod that had ended. */
function restartAskedBy(
  pod: AssignedPod,
  members: readonly ObservedContainer[],
  memory: PodMemory,
  endingOf: (container: ObservedContainer) => Ending,
): ObservedContainer | undefined {
  const asks = (container: ObservedContainer): boolean =>
    container.state === 'exited' &&
    !memory.replaced.includes(container.id) &&
    restartAction(pod.spec, container.name, endingOf(container)) === 'RestartAllContainers';
  const isAfterTheEnd = (container: ObservedContainer): boolean => {
    if (!pod.sharedFate || container.name === pod.mainContainer) return false;
    const main = members.find(({ name, createdAt }) => name === pod.mainContainer && createdAt < endedAt(container));
    if (!main || !hasEnded(main) || endedAt(main) >= endedAt(container)) return false;
    return !restarts(pod.spec, main.name, endingOf(main));
  };
  return members
    .filter((container) => asks(container) && !isAfterTheEnd(container))
    .reduce<ObservedContainer | undefined>(
      (newest, one) => (newest && endedAt(newest) >= endedAt(one) ? newest : one),
      undefined,
    );
}

/** Attempt number of the next container of a name: one after every run that the engine, the log or this node knows of. */
export function nextAttempt(pod: AssignedPod, view: PodView, memory: PodMemory, name: string): number {
  const runs = view.members.filter((one) => one.name === name && !isFresh(one)).map(({ attempt }) => attempt);
  return Math.max(pod.attempts[name] ?? -1, memory.attempts[name] ?? -1, ...runs) + 1;
}
