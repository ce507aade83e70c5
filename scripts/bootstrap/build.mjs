import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Missing, root, say } from './system.mjs';

const inputs = [
  'apps',
  'libs',
  'test',
  'bench',
  'tsconfig.json',
  'tsconfig.build.json',
  'package.json',
  'package-lock.json',
];
const stamp = join(root, 'dist', '.build-stamp');

/** Compiles to `dist` unless the sources are those of the last build that succeeded. */
export function ensureBuild() {
  const now = fingerprint();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === now) return;
  say('building ...');
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const result = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (result.status !== 0) throw new Missing('the build failed', 'The compiler above says where.');
  mkdirSync(join(root, 'dist'), { recursive: true });
  writeFileSync(stamp, now);
}

/** Path, size and time of change of everything the compiler reads: cheap, and any edit, addition or removal changes it. */
function fingerprint() {
  const hash = createHash('sha256');
  for (const input of inputs) visit(join(root, input), hash);
  return hash.digest('hex');
}

function visit(path, hash) {
  const info = statSync(path, { throwIfNoEntry: false });
  if (!info) return;
  if (info.isDirectory()) {
    for (const name of readdirSync(path).sort()) visit(join(path, name), hash);
  } else if (!path.endsWith('.spec.ts')) {
    hash.update(`${path}\0${info.size}\0${info.mtimeMs}\n`);
  }
}
