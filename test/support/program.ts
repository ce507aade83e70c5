import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { eventually } from './eventually.js';

/** The built command line. */
export const ENTRY = join(import.meta.dirname, '../../dist/apps/podledger/src/main.js');

/** A command of the command line that goes on until it is told to stop, as a process of its own. */
export class Program {
  private printed = '';
  private readonly exited: Promise<number | null>;

  private constructor(private readonly child: ChildProcess) {
    const keep = (chunk: Buffer): void => {
      this.printed += chunk.toString();
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    this.exited = new Promise((resolve) => child.once('exit', resolve));
  }

  /** Starts it and waits until it says that it is Ready. */
  static async start(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Program> {
    const program = new Program(
      spawn(process.execPath, [ENTRY, ...args], { env: { ...process.env, NODE_OPTIONS: '', ...env } }),
    );
    const ready = eventually('Ready', () => /\bReady\b/.test(program.output), { timeoutMs: 90_000, everyMs: 50 });
    const ended = program.exited.then((code) => {
      throw new Error(`podledger ${args.join(' ')} ended with ${code} before it was ready:\n${program.output}`);
    });
    ended.catch(() => undefined);
    await Promise.race([ready, ended]);
    return program;
  }

  /** Everything it has printed. */
  get output(): string {
    return this.printed;
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error('it is not running');
    return this.child.pid;
  }

  /** Sends a signal that does not end it: SIGSTOP, SIGCONT. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.child.kill(signal);
  }

  /** Ends it by a signal and waits until it is gone. */
  async end(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL' = 'SIGTERM'): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    return this.exited;
  }
}
