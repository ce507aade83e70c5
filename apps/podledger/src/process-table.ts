import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** The arguments a process was started with, or `undefined` when it is gone, a zombie, or not ours to see. */
export async function commandLine(pid: number): Promise<string[] | undefined> {
  try {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8');
    return line === '' ? undefined : line.replace(/\0$/, '').split('\0');
  } catch {
    return undefined;
  }
}

/** Whether a process that was once noted is still that process: pids are used again, so its command line must fit. */
export async function isRunning(pid: number, recognise: (args: readonly string[]) => boolean): Promise<boolean> {
  const args = await commandLine(pid);
  return args !== undefined && recognise(args);
}

/** Sends the signals one after the other, each `withinMs` after the one before, until the process is gone. Throws when it survives the last. */
export async function endProcess(
  pid: number,
  recognise: (args: readonly string[]) => boolean,
  signals: readonly { readonly signal: NodeJS.Signals; readonly withinMs: number }[],
): Promise<void> {
  for (const { signal, withinMs } of signals) {
    if (!(await isRunning(pid, recognise))) return;
    process.kill(pid, signal);
    const until = performance.now() + withinMs;
    while (performance.now() < until) {
      if (!(await isRunning(pid, recognise))) return;
      await sleep(25);
    }
  }
  if (await isRunning(pid, recognise)) throw new Error(`process ${pid} cannot be ended`);
}
