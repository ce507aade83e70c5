import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { commandLine } from './process-table.js';
import { isSystemError } from './system-error.js';

/** Another process holds the home. */
export class HomeLocked extends Error {
  constructor(
    readonly path: string,
    readonly pid: number | undefined,
  ) {
    const who = pid === undefined ? 'another process' : `process ${pid}`;
    super(`${path} is in use by ${who}: stop that one first, or use another home with PODLEDGER_HOME`);
    this.name = 'HomeLocked';
  }
}

/** How long a holder that lost its npm is given to stop, in ms: it is on its way down already. */
const orphanStopMs = 20_000;

/** Where the home is: `PODLEDGER_HOME`, else `~/.podledger`. */
export function homePath(env: NodeJS.ProcessEnv): string {
  return env.PODLEDGER_HOME || join(homedir(), '.podledger');
}

/**
 * The directory that holds everything of one cluster on this machine: data, certificates, credentials, logs. Open to its
 * owner only. One process holds it at a time, by a lock that ends with the process however that ends.
 */
export class Home {
  private constructor(
    readonly path: string,
    private readonly lock: number | undefined,
  ) {}

  /** Makes the home where there is none, and locks it. Throws {@link HomeLocked}. */
  static async open(path: string): Promise<Home> {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const real = realpathSync(path);
    const lock = openSync(join(real, 'lock'), 'a+', 0o600);
    try {
      const until = performance.now() + orphanStopMs;
      while (!tryLock(lock)) {
        const holder = readHolder(real);
        if (!(await isOrphan(holder)) || performance.now() > until) throw new HomeLocked(real, holder?.pid);
        await sleep(100);
      }
    } catch (error) {
      closeSync(lock);
      throw error;
    }
    ftruncateSync(lock);
    writeSync(lock, JSON.stringify({ pid: process.pid, parent: process.ppid }));
    return new Home(real, lock);
  }

  /** The files of a home that several processes read at once, as those of one cluster do in containers: no lock is taken. */
  static shared(path: string): Home {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return new Home(realpathSync(path), undefined);
  }

  /** A path inside. */
  file(...names: string[]): string {
    return join(this.path, ...names);
  }

  /** A directory inside, made where missing, mode 0700. */
  directory(...names: string[]): string {
    const path = this.file(...names);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return path;
  }

  read(name: string): string | undefined {
    return readIfThere(this.file(name));
  }

  /** Replaces a file as a whole, mode 0600: a reader, and a crash, see the old content or the new. */
  write(name: string, content: string): void {
    const path = this.file(name);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const next = `${path}.new`;
    rmSync(next, { force: true });
    writeFileSync(next, content, { mode: 0o600, flush: true });
    renameSync(next, path);
  }

  /** What a file holds that is written once and never replaced: of several processes that start together one makes it. */
  keep(name: string, make: () => string): string {
    const known = this.read(name);
    if (known !== undefined) return known;
    const path = this.file(name);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const draft = `${path}.${process.pid}`;
    writeFileSync(draft, make(), { mode: 0o600, flush: true });
    try {
      // A hard link appears whole or not at all, and never over a file that is there.
      linkSync(draft, path);
    } catch (error) {
      if (!isSystemError(error, 'EEXIST')) throw error;
    } finally {
      rmSync(draft, { force: true });
    }
    return readFileSync(path, 'utf8');
  }

  /** Lets members of a group pass through to what inside is theirs, without listing or reading anything else. */
  letPass(chown: (path: string) => void): void {
    chown(this.path);
    chmodSync(this.path, 0o710);
  }

  /** Gives the home free. */
  release(): void {
    if (this.lock !== undefined) closeSync(this.lock);
  }
}

/**
 * Takes flock(2), which Node does not have, through util-linux: the lock belongs to the open file, not to the process that
 * asked for it, so it stays with our descriptor when the helper has ended, and the kernel drops it with us.
 */
function tryLock(descriptor: number): boolean {
  const { status, error } = spawnSync('flock', ['--exclusive', '--nonblock', '3'], {
    stdio: ['ignore', 'ignore', 'ignore', descriptor],
  });
  if (error)
    throw new Error('cannot lock the home: the program flock (package util-linux) is missing', { cause: error });
  return status === 0;
}

interface Holder {
  readonly pid: number;
  readonly parent: number;
}

function readHolder(home: string): Holder | undefined {
  try {
    const { pid, parent }: Partial<Holder> = JSON.parse(readFileSync(join(home, 'lock'), 'utf8'));
    return pid === undefined || parent === undefined ? undefined : { pid, parent };
  } catch {
    return undefined; // Locked this instant and not written yet.
  }
}

/** A holder whose npm was killed notices and stops (see `lifecycle.ts`): worth waiting for. */
async function isOrphan(holder: Holder | undefined): Promise<boolean> {
  return holder !== undefined && holder.parent > 1 && (await commandLine(holder.parent)) === undefined;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}
