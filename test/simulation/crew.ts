import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Outcome } from './run.js';

/** A seed to be run. */
export interface Job {
  readonly seed: number;
  /** Name of a planted bug. */
  readonly mutant?: string;
  /** How many of the newest trace lines the outcome is to have. */
  readonly lines: number;
}

/** Runs seeds side by side, a thread for each core, until all are done or `onOutcome` says that it is enough. */
export async function runAll(jobs: readonly Job[], onOutcome: (outcome: Outcome) => 'on' | 'enough'): Promise<void> {
  const left = jobs.values();
  let isEnough = false;
  const workOff = async (): Promise<void> => {
    const worker = new Worker(new URL('./seed-worker.js', import.meta.url));
    try {
      for (const job of left) {
        const outcome = await runBy(worker, job);
        if (isEnough) return;
        isEnough = onOutcome(outcome) === 'enough';
        if (isEnough) return;
      }
    } finally {
      await worker.terminate();
    }
  };
  const threads = Math.min(availableParallelism(), jobs.length);
  await Promise.all(Array.from({ length: threads }, workOff));
}

async function runBy(worker: Worker, job: Job): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const ended = (code: number): void => reject(new Error(`the thread of seed ${job.seed} ended with ${code}`));
    worker.once('error', reject);
    worker.once('exit', ended);
    worker.once('message', (outcome: Outcome) => {
      worker.off('error', reject);
      worker.off('exit', ended);
      resolve(outcome);
    });
    worker.postMessage(job);
  });
}
