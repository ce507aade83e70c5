import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of this clone. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Something is not there and cannot be provided from here; `remedy` says how the reader gets it. */
export class Missing extends Error {
  constructor(message, remedy) {
    super(message);
    this.remedy = remedy;
  }
}

/** What is being done, for steps that take time. Silent when nothing is missing. */
export const say = (text) => console.error(`podledger: ${text}`);

export const isRoot = () => process.getuid?.() === 0;

let elevation;
/**
 * The words to put before a command so that root runs it: none for root, `sudo -n` where no password is asked, `sudo` where
 * somebody sits at a terminal and can give one; `undefined` when there is no way.
 */
export function asRoot() {
  elevation ??= { words: findElevation() };
  return elevation.words;
}

function findElevation() {
  if (isRoot()) return [];
  if (spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0) return ['sudo', '-n'];
  const hasSudo = spawnSync('sudo', ['--version'], { stdio: 'ignore' }).status === 0;
  return hasSudo && process.stdin.isTTY ? ['sudo'] : undefined;
}

/** Runs a command as root with its output shown; the exit code, or 127 where root is out of reach. */
export function runAsRoot(command, env = {}) {
  const words = asRoot();
  if (!words) return 127;
  const assignments = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const [program, ...args] = [...words, 'env', ...assignments, ...command];
  // Their output goes to stderr, so that the stdout of what npm runs next stays its own.
  return spawnSync(program, args, { stdio: ['inherit', 2, 2] }).status ?? 127;
}
