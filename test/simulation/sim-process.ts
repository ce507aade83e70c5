import type { Clock, IdSource } from '#domain';
import type { EventLoop, Owner, Task } from './event-loop.js';
import type { Link } from './link.js';
import type { Random } from './random.js';

/**
 * One run of a program: its code runs only in its own tasks. It can be stopped like by SIGSTOP and go on, and it can die: then
 * nothing it waits for ever comes, though what it asked for may still be done.
 */
export class SimProcess implements Owner {
  readonly clock: Clock;
  readonly ids: IdSource;
  state: Owner['state'] = 'running';
  private held: Task[] = [];
  private readonly atEnd: (() => void)[] = [];

  constructor(
    private readonly loop: EventLoop,
    readonly name: string,
    random: Random,
    skewMs: number,
  ) {
    this.ids = random.ids();
    const after: Clock['after'] = (ms, run) => this.later(ms, 'timer', run);
    this.clock = {
      now: () => Math.floor(loop.now + skewMs),
      after,
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          if (signal?.aborted) return resolve();
          const end = (): void => {
            cancel();
            signal?.removeEventListener('abort', end);
            resolve();
          };
          const cancel = after(ms, end);
          signal?.addEventListener('abort', end, { once: true });
        }),
    };
  }

  /** A task of this process. */
  later(ms: number, label: string, run: () => void): () => void {
    return this.loop.schedule(ms, label, run, this);
  }

  /** News from outside that came in somebody else's task: taken now, or when the process goes on, or never. */
  enter(label: string, run: () => void): void {
    if (this.state === 'running') run();
    else if (this.state === 'paused') this.later(0, label, run);
  }

  /**
   * A call that leaves the process: `work` is carried out elsewhere, in a task of its own and even when the process is gone by
   * then; the answer comes back in a task of the process. The link between the two decides how long each takes and what is lost.
   */
  call<T>(label: string, link: Link, work: () => T | Promise<T>): Promise<T> {
    if (this.state === 'dead') return new Promise(() => undefined);
    return new Promise((resolve, reject) => {
      const { requestMs, answerMs, fault } = link.fate(label);
      const answer = (summary: string, settle: () => void): void => {
        this.later(answerMs, `${label} = ${summary}`, settle);
      };
      const fail = (): void => answer(`no answer`, () => reject(link.failure(label)));
      const done = (value: T): void => {
        if (fault === 'unanswered' || link.down) fail();
        else answer(summaryOf(value), () => resolve(value));
      };
      const failed = (error: unknown): void => {
        if (fault === 'unanswered' || link.down) fail();
        else answer(errorText(error), () => reject(error));
      };
      this.loop.schedule(requestMs, `${this.name} asks ${label}`, () => {
        if (fault === 'lost' || link.down) return fail();
        try {
          const value = work();
          if (value instanceof Promise) value.then(done, failed);
          else done(value);
        } catch (error) {
          failed(error);
        }
      });
    });
  }

  /** Called when the process dies. */
  onEnd(run: () => void): void {
    if (this.state === 'dead') run();
    else this.atEnd.push(run);
  }

  hold(task: Task): void {
    this.held.push(task);
  }

  pause(): void {
    if (this.state === 'running') this.state = 'paused';
  }

  resume(): void {
    if (this.state !== 'paused') return;
    this.state = 'running';
    this.loop.release(this.held.splice(0));
  }

  /** SIGKILL, or its own exit. */
  die(): void {
    if (this.state === 'dead') return;
    this.state = 'dead';
    this.held = [];
    for (const run of this.atEnd.splice(0)) run();
  }
}

/** Enough of a result to tell two runs apart. */
function summaryOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.length}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  if ('last' in value) return `last ${String(value.last)}`;
  if ('state' in value) return String(value.state);
  return 'ok';
}

export function errorText(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
