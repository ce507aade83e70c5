import { once } from 'node:events';
import { isSystemError } from './system-error.js';

/** Prints a line at the pace of whoever reads standard output. */
export async function printLine(line: string): Promise<void> {
  if (!process.stdout.write(`${line}\n`)) await once(process.stdout, 'drain');
}

/** Resolves when all that was printed has left this process: an exit before that would cut it off. */
export function flushed(): Promise<void> {
  return new Promise((resolve) => process.stdout.write('', () => resolve()));
}

/** A reader who has seen enough, as `head` has, ends the program: not with an error. */
export function endWithReader(): void {
  process.stdout.on('error', (error) => {
    if (isSystemError(error, 'EPIPE')) process.exit(0);
    throw error;
  });
}
