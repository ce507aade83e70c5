import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { IncomingMessage } from 'node:http';
import type Dockerode from 'dockerode';
import type { Clock } from '#domain';
import { RuntimeError, type ExecResult } from './container-runtime.js';
import type { DockerClient } from './docker-client.js';
import { translate } from './docker-errors.js';
import { demultiplexed } from './docker-stream.js';

const CALL_DEADLINE_MS = 10_000;
/** Ending what timed out, by whatever way. */
const END_DEADLINE_MS = 5_000;
/** As much as kubelet keeps. */
const MAX_OUTPUT_BYTES = 10 * 1024;
/** Carried by everything that an exec starts, so that it is found again. */
const MARK = 'PODLEDGER_EXEC';
/** A process may fork while it is looked for. */
const SWEEPS = 3;

/** Ends every process of this machine whose environment holds a text; says how many there were. */
export type EndOnHost = (mark: string) => Promise<number>;

interface Exec {
  readonly exec: Dockerode.Exec;
  readonly stream: IncomingMessage;
  readonly mark: string;
}

/**
 * Runs a command in a container. The engine has no way to end one: what times out is looked for by a mark in its environment,
 * on the host where this program can see its processes, else by a shell of the container's own. In a container without a
 * shell on an engine elsewhere it goes on until it ends by itself.
 */
export async function execInContainer(
  { client, clock, endOnHost = endMarkedProcesses }: { client: DockerClient; clock: Clock; endOnHost?: EndOnHost },
  id: string,
  command: readonly string[],
  timeoutMs: number,
): Promise<ExecResult> {
  const running = await answered(begin(client, id, command));
  const output = new Output();
  let cancel = (): void => undefined;
  const timeout = new Promise<'timeout'>((resolve) => {
    cancel = clock.after(timeoutMs, () => resolve('timeout'));
  });
  try {
    const ended = await Promise.race([output.read(running.stream), timeout]);
    const { Running, ExitCode } = await answered(inspect(client, running.exec));
    // Something it left behind may hold its output open: it has ended all the same.
    if (ended !== 'timeout' || !Running) return { exitCode: ExitCode ?? 137, output: output.text };
    await end(client, id, running.mark, endOnHost);
  } finally {
    cancel();
    running.stream.destroy();
  }
  throw new RuntimeError('DeadlineExceeded', `command ${JSON.stringify(command)} timed out after ${timeoutMs / 1000}s`);
}

async function begin(client: DockerClient, id: string, command: readonly string[]): Promise<Exec> {
  const mark = randomUUID();
  const what = `run a command in ${id.slice(0, 12)}`;
  return client.call(what, CALL_DEADLINE_MS, async (docker, abortSignal) => {
    const exec = await docker.getContainer(id).exec({
      ...{ Cmd: [...command], Env: [`${MARK}=${mark}`], AttachStdout: true, AttachStderr: true },
      abortSignal,
    });
    const stream = await exec.start({});
    if (!(stream instanceof IncomingMessage)) throw new Error('the engine answered without a stream');
    return { exec, stream, mark };
  });
}

/** It has ended when its output has, but the engine may learn of the second first. */
function inspect(client: DockerClient, exec: Dockerode.Exec): Promise<Dockerode.ExecInspectInfo> {
  return client.call('look at a command that was run', CALL_DEADLINE_MS, (_, abortSignal) =>
    exec.inspect({ abortSignal }),
  );
}

/** An engine that takes too long to answer says nothing of the command: it is away, for all that is known. */
async function answered<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (!(error instanceof RuntimeError) || error.fault !== 'DeadlineExceeded') throw error;
    throw new RuntimeError('Unavailable', error.message, undefined, { cause: error });
  }
}

class Output {
  private bytes = Buffer.alloc(0);

  get text(): string {
    return this.bytes.toString();
  }

  async read(stream: IncomingMessage): Promise<void> {
    try {
      for await (const chunk of demultiplexed(stream)) {
        // What is not kept is read all the same: the command must not block on it.
        const room = MAX_OUTPUT_BYTES - this.bytes.length;
        if (room > 0) this.bytes = Buffer.concat([this.bytes, Buffer.from(chunk).subarray(0, room)]);
      }
    } catch (error) {
      // Its end is read from the engine's record, which also says when there is none.
      if (translate('read the output of a command', error).fault !== 'Unavailable') throw error;
    }
  }
}

async function end(client: DockerClient, id: string, mark: string, endOnHost: EndOnHost): Promise<void> {
  const needle = `${MARK}=${mark}`;
  if ((await endOnHost(needle)) > 0) return;
  // The shell itself carries the mark in its arguments only, and runs as who the command ran as.
  const script = 'for p in /proc/[0-9]*; do grep -q "$0" "$p/environ" 2>/dev/null && kill -9 "${p#/proc/}"; done; true';
  try {
    await client.call('end a command that timed out', END_DEADLINE_MS, async (docker, abortSignal) => {
      const exec = await docker.getContainer(id).exec({ Cmd: ['sh', '-c', script, needle], abortSignal });
      await exec.start({ Detach: true, abortSignal });
    });
  } catch (error) {
    // Nobody waits for this: that the command timed out is what its caller must hear.
    if (!(error instanceof RuntimeError)) throw error;
  }
}

async function endMarkedProcesses(mark: string): Promise<number> {
  let ended = 0;
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const found = await markedProcesses(mark);
    if (found.length === 0) break;
    for (const pid of found) if (endProcess(pid)) ended += 1;
  }
  return ended;
}

async function markedProcesses(mark: string): Promise<number[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const marked = await Promise.all(
    // Those of other users cannot be read, and those that have just ended are no more.
    pids.map(async (pid) => (await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '')).includes(mark)),
  );
  return pids.filter((_, index) => marked[index]).map(Number);
}

function endProcess(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}
