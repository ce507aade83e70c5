import type { Clock } from '#domain';
import type { Schedule } from '#eventlog';

/**
 * A process that can be stopped like by SIGSTOP: while it is, none of its timers fires, none of its calls leaves or returns,
 * and no message reaches it. Afterwards all of that happens at once, late.
 */
export class PausableProcess {
  #paused = false;
  #late: (() => void)[] = [];

  get paused(): boolean {
    return this.#paused;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    for (const run of this.#late.splice(0)) run();
  }

  /** Runs now, or once the process goes on. */
  run(action: () => void): void {
    if (this.#paused) this.#late.push(action);
    else action();
  }

  /** The process' view of a clock. */
  clock(clock: Clock): Clock {
    const after: Clock['after'] = (ms, run) => {
      let cancelled = false;
      const cancel = clock.after(ms, () => this.run(() => !cancelled && run()));
      return () => {
        cancelled = true;
        cancel();
      };
    };
    return {
      now: () => clock.now(),
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

  /** Its calls to a log in memory: held back before they leave and after they were carried out. */
  readonly schedule: Schedule = async (_label, work) => {
    await this.#going();
    const result = work();
    await this.#going();
    return result;
  };

  #going(): Promise<void> {
    return new Promise((resolve) => this.run(resolve));
  }
}
