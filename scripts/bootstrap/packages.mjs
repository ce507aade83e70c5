import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Missing, asRoot, runAsRoot, say } from './system.mjs';

/** The path of a program, also in the administrators' directories that an ordinary PATH leaves out. */
export function found(program) {
  const path = `${process.env.PATH ?? ''}${delimiter}/usr/local/sbin${delimiter}/usr/sbin${delimiter}/sbin`;
  for (const directory of path.split(delimiter).filter(Boolean)) {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return join(directory, program);
    } catch {
      // Not in this directory.
    }
  }
  return undefined;
}

/** Installs, by apt, what is missing of `wanted`: `{program, package, present?, unless?, otherwise?}`. */
export function ensurePackages(wanted) {
  const missing = wanted.filter(isMissing);
  if (missing.length === 0) return;
  const names = missing.map((each) => each.package);
  const programs = missing.map((each) => each.program).join(', ');
  const hints = missing.flatMap((each) => (each.otherwise ? [each.otherwise] : []));
  if (!existsSync('/usr/bin/apt-get')) {
    throw new Missing(
      `not installed: ${programs}`,
      ['Install it with the package manager of this system,', ...hints].join('\n'),
    );
  }
  if (!asRoot()) {
    throw new Missing(
      `not installed: ${programs}`,
      [`As root: apt-get install ${names.join(' ')}`, ...hints].join('\n'),
    );
  }
  say(`installing ${names.join(' ')} ...`);
  // The package lists of a fresh machine are empty or old; fetching them takes long, so only when they are to blame.
  if (aptInstall(names) !== 0 && (runAsRoot(['apt-get', 'update', '-q']) !== 0 || aptInstall(names) !== 0)) {
    throw new Missing(
      `could not install ${names.join(' ')}`,
      ['The output of apt-get above says why.', ...hints].join('\n'),
    );
  }
  const still = missing.filter(isMissing).map((each) => each.package);
  if (still.length > 0) {
    const remedy = `Parts of a package were removed by hand, it seems. As root: apt-get install --reinstall ${still.join(' ')}`;
    throw new Missing(`installed, and yet not found: ${still.join(' ')}`, remedy);
  }
}

function isMissing(each) {
  return !each.unless?.() && !(each.present ? each.present() : found(each.program));
}

function aptInstall(names) {
  return runAsRoot(
    ['apt-get', 'install', '-y', '-q', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=180', ...names],
    {
      DEBIAN_FRONTEND: 'noninteractive',
    },
  );
}
