import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { endProcess } from './process-table.js';

/** A server we run as a child: how to start it, how to see that it serves, how to stop it. */
export interface ChildPlan {
  /** As the user knows it: `PostgreSQL`. */
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Run as this user; only root can. */
  readonly account?: { readonly uid: number; readonly gid: number };
  readonly logFile: string;
  /** Whether it serves; asked again and again until it does. */
  readonly isReady: () => Promise<boolean>;
  readonly readyWithinMs: number;
  /** Tried in turn to end it. */
  readonly stopSignals: readonly { readonly signal: NodeJS.Signals; readonly withinMs: number }[];
}

/** Log files are begun anew above this size, at a start. */
const maxLogBytes = 10 * 1024 * 1024;
const firstRestartDelayMs = 250;
const maxRestartDelayMs = 10_000;
/** After this time of running a child counts as sound again. */
const soundAfterMs = 60_000;

/**
 * Keeps one server running until told to stop. It lives in a session of its own, so that a Ctrl-C at the terminal does not
 * reach it before those who use it have ended.
 */
export class SupervisedChild {
  private readonly stopping = new AbortController();
  private child: ChildProcess | undefined;
  /** Resolves, with how it ended, when the present child has. */
  private ended: Promise<string> = Promise.resolve('not started');

  private constructor(
    private readonly plan: ChildPlan,
    private readonly report: (text: string) => void,
  ) {}

  /** Resolves when the server serves. Throws, with the end of its log, when it does not. */
  static async start(plan: ChildPlan, report: (text: string) => void): Promise<SupervisedChild> {
    const supervised = new SupervisedChild(plan, report);
    rotate(plan.logFile);
    try {
      await supervised.launch();
    } catch (error) {
      await supervised.stop();
      throw error;
    }
    void supervised.keepRunning();
    return supervised;
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** Ends the server; resolves when it is gone. */
  async stop(): Promise<void> {
    this.stopping.abort();
    const child = this.child;
    if (child?.pid === undefined) return;
    await endProcess(child.pid, () => !hasEnded(child), this.plan.stopSignals);
  }

  private async launch(): Promise<void> {
    const { plan } = this;
    const log = openSync(plan.logFile, 'a', 0o600);
    const child = spawn(plan.program, plan.args, {
      ...plan.account,
      env: plan.env,
      cwd: '/',
      detached: true,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.child = child;
    let failure: Error | undefined;
    this.ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => resolve(`${plan.name} ended with ${signal ?? `code ${code}`}`));
      child.once('error', (error) => {
        failure = error;
        resolve(`${plan.name} cannot be run`);
      });
    });
    const until = performance.now() + plan.readyWithinMs;
    while (!(await plan.isReady())) {
      if (failure) throw new Error(`${plan.name} cannot be run: ${failure.message}`, { cause: failure });
      if (hasEnded(child))
        throw new Error(`${plan.name} did not start. The end of ${plan.logFile}:\n${tail(plan.logFile)}`);
      if (performance.now() > until)
        throw new Error(`${plan.name} does not answer after ${plan.readyWithinMs / 1000} s, see ${plan.logFile}`);
      await sleep(20);
    }
  }

  private async keepRunning(): Promise<void> {
    const { signal } = this.stopping;
    let delayMs = firstRestartDelayMs;
    for (;;) {
      const startedAt = performance.now();
      const what = await this.ended;
      if (signal.aborted) return;
      delayMs =
        performance.now() - startedAt > soundAfterMs ? firstRestartDelayMs : Math.min(delayMs * 2, maxRestartDelayMs);
      this.report(`${what}; starting it again in ${delayMs} ms (log: ${this.plan.logFile})`);
      await sleep(delayMs, undefined, { signal }).catch(() => undefined); // Aborted: told to stop meanwhile.
      if (signal.aborted) return;
      try {
        await this.launch();
        this.report(`${this.plan.name} is back`);
      } catch (error) {
        this.report(error instanceof Error ? error.message : String(error));
        this.child?.kill('SIGKILL'); // One that hangs must end before it can be started again.
      }
    }
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function rotate(path: string): void {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > maxLogBytes) renameSync(path, `${path}.1`);
}

/** The last lines of a log file. */
function tail(path: string): string {
  return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-5).join('\n');
}
