import type Dockerode from 'dockerode';
import type { Millis, ObservedContainer } from '#domain';
import { identityOf } from './docker-names.js';

/** An engine's time stamp; the year 1 stands for "never". */
function millis(text: string | undefined): Millis | undefined {
  const time = text === undefined ? Number.NaN : Date.parse(text);
  return time > 0 ? time : undefined;
}

/** The engine's states as ours. A paused process lives; `removing` and `dead` are ends that the engine could not tidy up. */
export function stateOf(engineState: string): ObservedContainer['state'] {
  switch (engineState) {
    case 'created':
      return 'created';
    case 'running':
    case 'paused':
    case 'restarting':
      return 'running';
    default:
      return 'exited';
  }
}

const JOINED = /^container:(.+)$/;

/** The sandbox that a container was joined to when it was created. */
export function sandboxIdOf(networkMode: string | undefined): string | undefined {
  return JOINED.exec(networkMode ?? '')?.[1];
}

/**
 * One container as the engine describes it, or `undefined` when its labels are not those of a container of ours.
 * `oomKilled` needs exit code 137 too: the engine also sets its mark when only a child was killed.
 */
export function observe(
  info: Dockerode.ContainerInspectInfo,
  imageId: string,
  network: string,
): ObservedContainer | undefined {
  const identity = identityOf(info.Config.Labels);
  if (identity === undefined) return undefined;
  const { State } = info;
  const state = stateOf(State.Status);
  const sandboxId = sandboxIdOf(info.HostConfig.NetworkMode);
  const startedAt = millis(State.StartedAt);
  const finishedAt = state === 'exited' ? millis(State.FinishedAt) : undefined;
  const startFailed = state === 'created' && State.Error !== '';
  const ip = state === 'running' ? info.NetworkSettings.Networks[network]?.IPAddress : undefined;
  return {
    id: info.Id,
    ...identity,
    state,
    ...(sandboxId !== undefined && { sandboxId }),
    createdAt: millis(info.Created) ?? 0,
    ...(startedAt !== undefined && state !== 'created' && { startedAt }),
    ...(finishedAt !== undefined && { finishedAt }),
    ...(state === 'exited' && {
      exitCode: State.ExitCode,
      oomKilled: State.OOMKilled && State.ExitCode === 137,
    }),
    ...(startFailed && { startError: State.Error, exitCode: State.ExitCode }),
    image: info.Config.Image,
    imageId,
    ...(identity.role === 'sandbox' && ip && { ip }),
  };
}

/** An engine that goes down sends its signals at once, so the first to end is the sandbox, which obeys immediately. */
const BEFORE_SANDBOX_MS = 2_000;
/** ... and kills after 10 s what has not obeyed. */
const AFTER_SANDBOX_MS = 15_000;
/** What an engine finds dead (code 255) or kills while it starts, ends within this of the start that we can see. */
const AROUND_START_MS = 30_000;

/**
 * Marks the containers that ended because the engine or its host went down. The engine itself keeps no such record: a server
 * that obeyed the engine's SIGTERM looks like one that completed. The witness is the pod's sandbox, which never ends by
 * itself: who started before the engine's present life and ended with its sandbox, ended with the engine. Kept narrow on
 * purpose, because a wrong mark runs a completed container again.
 */
export function markInfrastructureExits(
  containers: readonly ObservedContainer[],
  engineStartedAt: Millis | undefined,
): ObservedContainer[] {
  if (engineStartedAt === undefined) return [...containers];
  const sandboxes = new Map(containers.filter((c) => c.role === 'sandbox').map((c) => [c.id, c]));
  return containers.map((container) => {
    const sandbox = container.role === 'sandbox' ? container : sandboxes.get(container.sandboxId ?? '');
    return endedWithEngine(container, sandbox, engineStartedAt)
      ? { ...container, infrastructureExit: true }
      : container;
  });
}

function endedWithEngine(
  container: ObservedContainer,
  sandbox: ObservedContainer | undefined,
  engineStartedAt: Millis,
): boolean {
  const { state, startedAt, finishedAt } = container;
  if (state !== 'exited' || startedAt === undefined || finishedAt === undefined) return false;
  const inEarlierLife = startedAt < engineStartedAt && finishedAt <= engineStartedAt + AROUND_START_MS;
  if (!inEarlierLife || sandbox?.finishedAt === undefined) return false;
  const afterSandboxMs = finishedAt - sandbox.finishedAt;
  return afterSandboxMs >= -BEFORE_SANDBOX_MS && afterSandboxMs <= AFTER_SANDBOX_MS;
}
