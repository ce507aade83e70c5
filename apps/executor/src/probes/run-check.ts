import {
  failed,
  judgeExec,
  judgeGrpc,
  judgeHttp,
  succeeded,
  undecided,
  type Check,
  type CheckOutcome,
  type Clock,
  type ObservedContainer,
} from '#domain';
import { RuntimeError, type ContainerRuntime } from '../runtime/container-runtime.js';
import { NoUsableAnswer, type NetworkAnswer, type Prober } from './prober.js';

/** Who carries out what handlers ask for. */
export interface Checkers {
  readonly runtime: ContainerRuntime;
  readonly prober: Prober;
  readonly clock: Clock;
}

/**
 * Carries out a check of a container once, within `timeoutMs`. An engine that does not answer leaves it undecided: that is
 * not the container's fault.
 */
export async function runCheck(
  { runtime, prober, clock }: Checkers,
  containerId: string,
  check: Check,
  timeoutMs: number,
): Promise<CheckOutcome> {
  switch (check.type) {
    case 'impossible':
      return failed(check.message);
    case 'sleep':
      await clock.sleep(Math.min(check.seconds * 1000, timeoutMs));
      return succeeded;
    case 'exec':
      return runCommand(runtime, containerId, check.command, timeoutMs);
    case 'http':
    case 'tcp':
    case 'grpc':
      try {
        return judge(await prober.ask(check, timeoutMs));
      } catch (cause) {
        if (!(cause instanceof NoUsableAnswer)) throw cause;
        return failed(cause.message);
      }
  }
}

/** Carries out a lifecycle hook. Of an HTTP hook any answer is one, whatever its status (kubelet's rule). */
export async function runHook(
  checkers: Checkers,
  containerId: string,
  hook: Check,
  timeoutMs: number,
): Promise<CheckOutcome> {
  if (hook.type !== 'http') return runCheck(checkers, containerId, hook, timeoutMs);
  try {
    await checkers.prober.ask(hook, timeoutMs);
    return succeeded;
  } catch (cause) {
    if (!(cause instanceof NoUsableAnswer)) throw cause;
    return failed(cause.message);
  }
}

/** The address of a container's pod: its sandbox's. */
export function addressOf(containerId: string, observed: readonly ObservedContainer[]): string | undefined {
  const sandboxId = observed.find(({ id }) => id === containerId)?.sandboxId;
  return observed.find(({ id }) => id === sandboxId)?.ip;
}

function judge(answer: NetworkAnswer): CheckOutcome {
  switch (answer.type) {
    case 'http':
      return judgeHttp(answer.status);
    case 'tcp':
      return succeeded;
    case 'grpc':
      return judgeGrpc(answer.servingStatus);
  }
}

async function runCommand(
  runtime: ContainerRuntime,
  containerId: string,
  command: readonly string[],
  timeoutMs: number,
): Promise<CheckOutcome> {
  try {
    const { exitCode, output } = await runtime.exec(containerId, command, { timeoutMs });
    return judgeExec(exitCode, output);
  } catch (cause) {
    if (!(cause instanceof RuntimeError)) throw cause;
    if (cause.fault !== 'DeadlineExceeded') return undecided(cause.message);
    return failed(`command timed out: ${JSON.stringify(command.join(' '))} timed out after ${timeoutMs / 1000}s`);
  }
}
