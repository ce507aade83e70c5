import type { Millis } from '../event.js';

/** Kubernetes documents 10 s doubling to 6 min for the pods of jobs; ours are the same. */
const FIRST_MS = 10_000;
const LAST_MS = 360_000;

/** When the next pod may be made after failures in a row, the last of them at `lastAt`; 0 for at once. */
export const nextTryAt = ({ failures, lastAt }: { readonly failures: number; readonly lastAt: Millis }): Millis =>
  failures === 0 ? 0 : lastAt + Math.min(FIRST_MS * 2 ** (failures - 1), LAST_MS);
