import type { AssignedPod } from '../node/assigned-pod.js';
import type { Ending } from './fate.js';
import type { ObservedContainer } from './observed.js';
import type { PodMemory } from './pod-memory.js';
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

/** A pod's containers on its node, newest first, and how to read them. */
export interface PodView {
  readonly sandboxes: readonly ObservedContainer[];
  readonly apps: readonly ObservedContainer[];
  /** Hash wanted of each container of the spec, by name, without generation. */
  readonly wanted: Readonly<Record<string, string>>;
  /** Newest app container of a name. */
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
  const apps = newestFirst.filter(({ role }) => role === 'app');
  const wanted = Object.fromEntries(
    pod.spec.containers.map((container) => [container.name, containerHash(pod, container)]),
  );
  const isWanted = (container: ObservedContainer): boolean =>
    readSpecHash(container.specHash).hash === wanted[container.name];
  // Under restartPolicy Never nothing is stopped for an edit.
  const runsOnce = pod.spec.restartPolicy === 'Never';
  return {
    sandboxes,
    apps,
    wanted,
    isWanted,
    newest: (name) => apps.find((app) => app.name === name),
    endingOf: (container) => ({
      exitCode: container.exitCode ?? START_FAILED,
      ...(endedByUs(container, sandboxes, memory, runsOnce || isWanted(container)) && { infrastructure: true }),
    }),
  };
}

/**
 * Whether a container ended with its engine, or because the node stopped it to make it anew. The second must be readable
 * from the engine alone, for the node's memory may be lost in between: it ended after its sandbox, or it is of a spec that
 * was edited since.
 */
function endedByUs(
  container: ObservedContainer,
  sandboxes: readonly ObservedContainer[],
  memory: PodMemory,
  wanted: boolean,
): boolean {
  if (container.infrastructureExit === true || !wanted || memory.replaced.includes(container.id)) return true;
  if (container.startError !== undefined) return false;
  const sandbox = sandboxes.find(({ id }) => id === container.sandboxId);
  return sandbox?.finishedAt !== undefined && sandbox.finishedAt < endedAt(container);
}

/** Attempt number of the next container of a name: one after every run that the engine or the log knows of. */
export function nextAttempt(pod: AssignedPod, view: PodView, name: string): number {
  const runs = view.apps.filter((app) => app.name === name && !isFresh(app)).map(({ attempt }) => attempt);
  return Math.max(pod.attempts[name] ?? -1, ...runs, -1) + 1;
}
