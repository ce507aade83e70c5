import { parentPort } from 'node:worker_threads';
import type { Job } from './crew.js';
import { MUTANTS } from './mutants.js';
import { runSeed } from './run.js';

/** Runs seeds in a thread of its own, one after the other. */
parentPort?.on('message', ({ seed, mutant, lines }: Job) => {
  const sabotage = mutant === undefined ? {} : MUTANTS[mutant];
  if (!sabotage) throw new RangeError(`no mutant ${mutant}`);
  // What fails here is the simulation itself: the thread ends with it.
  void runSeed(seed, { sabotage, lines }).then((outcome) => parentPort?.postMessage(outcome));
});
