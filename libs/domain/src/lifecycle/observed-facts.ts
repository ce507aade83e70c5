import type { AssignedPod } from '../node/assigned-pod.js';
import type { ContainerExited, PodFact, Termination } from '../pod/pod.js';
import type { ObservedContainer } from './observed.js';
import type { PodMemory } from './pod-memory.js';
import { endedAt, hasEnded, isRunning, viewPod, type PodView } from './pod-view.js';

/** Id of the fact that a container ended; its acknowledgement is what allows its removal. */
export const exitFactId = (containerId: string): string => `${containerId}/ContainerExited`;

/**
 * Everything the engine itself shows that the log should know, oldest first. It can be told again at any time, word for
 * word: the engine is the spool (DESIGN section 3), so nothing needs to be kept until it is acknowledged.
 */
export function observedFacts(
  pod: AssignedPod,
  observed: readonly ObservedContainer[],
  memory: PodMemory,
  hostIP: string,
): PodFact[] {
  const view = viewPod(pod, observed, memory);
  const sandboxes = [...view.sandboxes].reverse().flatMap((sandbox) => sandboxFacts(sandbox, hostIP));
  const apps = [...view.members].reverse().sort((a, b) => a.createdAt - b.createdAt);
  return [...sandboxes, ...apps.flatMap((app) => appFacts(app, view))];
}

function sandboxFacts(sandbox: ObservedContainer, hostIP: string): PodFact[] {
  const { id, attempt, ip } = sandbox;
  if (!isRunning(sandbox) || ip === undefined) return [];
  return [{ id: `${id}/PodSandboxStarted`, type: 'PodSandboxStarted', data: { attempt, sandboxId: id, ip, hostIP } }];
}

function appFacts(app: ObservedContainer, view: PodView): PodFact[] {
  const { id, name: container, attempt, imageId, startedAt } = app;
  const facts: PodFact[] = [
    { id: `${id}/ContainerCreated`, type: 'ContainerCreated', data: { container, attempt, containerId: id } },
  ];
  if (startedAt !== undefined && app.startError === undefined) {
    const data = { container, attempt, containerId: id, imageId, startedAt };
    facts.push({ id: `${id}/ContainerStarted`, type: 'ContainerStarted', data });
  }
  if (hasEnded(app)) facts.push({ id: exitFactId(id), type: 'ContainerExited', data: exitOf(app, view) });
  return facts;
}

function exitOf(app: ObservedContainer, view: PodView): ContainerExited {
  const { exitCode, infrastructure, replaced, condemned } = view.endingOf(app);
  // The engine shows death by a signal as 128 + its number; there are 64 of them.
  const signal = exitCode > 128 && exitCode <= 128 + 64 && app.startError === undefined ? exitCode - 128 : undefined;
  return {
    container: app.name,
    attempt: app.attempt,
    containerId: app.id,
    exitCode,
    reason: reasonOf(app, exitCode),
    finishedAt: endedAt(app),
    ...(signal !== undefined && { signal }),
    ...(app.startError !== undefined && { message: app.startError }),
    ...(app.startedAt !== undefined && { startedAt: app.startedAt }),
    ...(infrastructure && { infrastructure: true }),
    ...(replaced && { replaced: true }),
    ...(condemned && { condemned: true }),
  };
}

function reasonOf(app: ObservedContainer, exitCode: number): Termination['reason'] {
  if (app.startError !== undefined) return 'StartError';
  if (app.oomKilled === true) return 'OOMKilled';
  if (exitCode === 255 && app.infrastructureExit) return 'ContainerStatusUnknown';
  return exitCode === 0 ? 'Completed' : 'Error';
}
