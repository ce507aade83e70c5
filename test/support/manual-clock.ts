import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock, Millis } from '#domain';

interface Timer {
  readonly at: Millis;
  readonly order: number;
  readonly run: () => void;
}

/** Time that moves only when a test says so. Timers due at the same time run in the order they were set. */
export class ManualClock implements Clock {
  private timers: Timer[] = [];
  private order = 0;

  constructor(private time: Millis = Date.UTC(2026, 0, 1)) {}

  now(): Millis {
    return this.time;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const end = (): void => {
        cancel();
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const cancel = this.after(ms, end);
      signal?.addEventListener('abort', end, { once: true });
    });
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.time + Math.max(0, ms), order: this.order++, run };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  /** Lets everything that waits for nothing but its turn happen, then moves on timer by timer. */
  async advance(ms: number): Promise<void> {
    const until = this.time + ms;
    for (;;) {
      await nextTurn();
      const next = this.timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (next === undefined) break;
      this.timers = this.timers.filter((other) => other !== next);
      this.time = Math.max(this.time, next.at);
      next.run();
    }
    this.time = until;
  }
}
