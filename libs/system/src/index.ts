import { randomUUID } from 'node:crypto';
import type { Clock, IdSource } from '#domain';

export { readSchedule } from './cron-schedule.js';

/** The machine's clock and timers. A timer that waits keeps no process alive. */
export class SystemClock implements Clock {
  now(): number {
    return Date.now();
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms).unref();
      signal?.addEventListener('abort', end, { once: true });
    });
  }

  after(ms: number, run: () => void): () => void {
    const timer = setTimeout(run, ms).unref();
    return () => clearTimeout(timer);
  }
}

/** Random names from the system. */
export class SystemIds implements IdSource {
  uuid(): string {
    return randomUUID();
  }

  random(): number {
    return Math.random();
  }
}
