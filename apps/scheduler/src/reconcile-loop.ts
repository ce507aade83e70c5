import { BrokenInvariant, type Clock, type ClusterState, type Millis, type ObjectChange } from '#domain';
import type { ClusterProjection } from '#eventlog';
import { type Cause, TermOver } from './term.js';

/** Told of what went wrong and is tried again. */
export type Report = (problem: string, cause?: unknown) => void;

/** One concern of the scheduler: which keys a change touches, and how a key is made true. Lives for one term. */
export interface Controller {
  readonly name: string;
  /** Keys to look at when the term begins. Called once, before {@link concerned}. */
  all(state: ClusterState): Iterable<string>;
  /** Keys that a change makes worth looking at; called for every change, in order, after the state has moved. */
  concerned(change: ObjectChange, state: ClusterState): Iterable<string>;
  /**
   * Makes one key true, or a bounded part of it. Resolves to when it is to be looked at again though nothing changes: a time
   * that is over means at once. What it throws is reported and tried again, later each time.
   */
  reconcile(key: string, cause: Cause | undefined): Promise<Millis | undefined>;
  /** Opens what else wakes keys (heartbeats, ticks); the returned function closes it. */
  open?(wake: (key: string) => void): () => void;
}

export interface ReconcileLoopOptions {
  readonly clock: Clock;
  readonly projection: ClusterProjection;
  readonly report: Report;
  /** Called when an invariant is broken: the process has to stop. */
  readonly fail: (error: unknown) => void;
  /** Keys under way at once. */
  readonly concurrency?: number;
}

const FIRST_BACKOFF_MS = 100;
const LAST_BACKOFF_MS = 30_000;

interface Wake {
  readonly at: Millis;
  readonly cancel: () => void;
}

/**
 * Runs a controller: keys become dirty, each is reconciled by one pass at a time, and what became dirty during a pass is
 * looked at again after it. Knows nothing of what the controller does.
 */
export class ReconcileLoop {
  readonly #dirty = new Map<string, Cause | undefined>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #timers = new Map<string, Wake>();
  readonly #failures = new Map<string, number>();
  readonly #closers: (() => void)[] = [];
  #stopped = false;
  #scheduled = false;

  constructor(
    private readonly controller: Controller,
    private readonly options: ReconcileLoopOptions,
  ) {}

  /** Begins with every key there is. */
  start(): void {
    const { projection } = this.options;
    this.#closers.push(
      projection.onChanges((changes) => {
        for (const change of changes) {
          for (const key of this.controller.concerned(change, projection.state)) this.wake(key, change.event);
        }
      }),
    );
    for (const key of this.controller.all(projection.state)) this.wake(key);
    const close = this.controller.open?.((key) => this.wake(key));
    if (close) this.#closers.push(close);
  }

  /** Asks for a key to be looked at soon. Of several causes the first is kept. */
  wake(key: string, cause?: Cause): void {
    if (this.#stopped) return;
    this.#dirty.set(key, this.#dirty.get(key) ?? cause);
    // A key that failed waits out its back-off, whatever changes meanwhile.
    if (!this.#failures.has(key)) this.#cancelTimer(key);
    this.#schedule();
  }

  /** Starts nothing more and resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const close of this.#closers.splice(0)) close();
    for (const key of [...this.#timers.keys()]) this.#cancelTimer(key);
    this.#dirty.clear();
    await Promise.all(this.#running.values());
  }

  /** Passes start in a turn of their own: a controller is never run from inside the change that woke it. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#startPasses();
    });
  }

  #startPasses(): void {
    const { concurrency = 16 } = this.options;
    for (const [key, cause] of this.#dirty) {
      if (this.#stopped || this.#running.size >= concurrency) return;
      if (this.#running.has(key) || this.#timers.has(key)) continue;
      this.#dirty.delete(key);
      const pass = this.#pass(key, cause).finally(() => {
        this.#running.delete(key);
        this.#schedule();
      });
      this.#running.set(key, pass);
    }
  }

  async #pass(key: string, cause: Cause | undefined): Promise<void> {
    const { clock, report, fail } = this.options;
    try {
      const again = await this.controller.reconcile(key, cause);
      this.#failures.delete(key);
      if (again === undefined || this.#stopped) return;
      if (again <= clock.now()) this.wake(key, cause);
      else if (!this.#dirty.has(key)) this.#wakeAt(key, again);
    } catch (error) {
      if (error instanceof TermOver || this.#stopped) return;
      if (error instanceof BrokenInvariant) return fail(error);
      const failures = (this.#failures.get(key) ?? 0) + 1;
      this.#failures.set(key, failures);
      report(`${this.controller.name}: ${key} failed, try ${failures}`, error);
      this.#dirty.set(key, this.#dirty.get(key) ?? cause);
      this.#wakeAt(key, clock.now() + Math.min(FIRST_BACKOFF_MS * 2 ** (failures - 1), LAST_BACKOFF_MS));
    }
  }

  #wakeAt(key: string, at: Millis): void {
    const known = this.#timers.get(key);
    if (known && known.at <= at) return;
    this.#cancelTimer(key);
    const { clock } = this.options;
    const cancel = clock.after(at - clock.now(), () => {
      this.#timers.delete(key);
      this.#dirty.set(key, this.#dirty.get(key));
      this.#schedule();
    });
    this.#timers.set(key, { at, cancel });
  }

  #cancelTimer(key: string): void {
    this.#timers.get(key)?.cancel();
    this.#timers.delete(key);
  }
}
