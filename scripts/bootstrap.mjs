#!/usr/bin/env node
/**
 * Makes a fresh machine ready, before `npm start`, `npm test` and their like: node modules, the build, system packages, a
 * running Docker Engine. Does only what is missing, and takes well under half a second when nothing is.
 *
 * Uses Node's own library only, since it runs before `node_modules` exists. Where it cannot do something it says what is
 * missing and how to get it, and exits with code 1.
 *
 * Usage: node scripts/bootstrap.mjs [build|start|down|executor|test|compose]
 */
import { spawnSync } from 'node:child_process';
import { ensureBuild } from './bootstrap/build.mjs';
import { ensureDocker } from './bootstrap/docker.mjs';
import { ensureModules } from './bootstrap/modules.mjs';
import { ensurePackages, found } from './bootstrap/packages.mjs';
import { Missing } from './bootstrap/system.mjs';

const nats = {
  program: 'nats-server',
  package: 'nats-server',
  unless: () => Boolean(process.env.NATS_URL),
  otherwise: 'or give the address of a running one in NATS_URL',
};
const kubectl = { program: 'kubectl', package: 'kubernetes-client' };
const busybox = { program: 'busybox', package: 'busybox-static', present: isStaticBusybox };
const compose = {
  program: 'docker-compose',
  package: 'docker-compose',
  present: () => found('docker-compose') || hasComposePlugin(),
};

/** What each command needs besides node modules and the build. The executor finds Docker itself; `docker` here is the Engine. */
const needs = {
  build: { packages: [], docker: false },
  start: { packages: [nats], docker: true },
  down: { packages: [nats], docker: true },
  executor: { packages: [], docker: true },
  test: { packages: [nats, kubectl, busybox], docker: true },
  compose: { packages: [nats, kubectl, busybox, compose], docker: true },
};

function hasComposePlugin() {
  return found('docker') && spawnSync('docker', ['compose', 'version'], { stdio: 'ignore' }).status === 0;
}

/** Test images have no C library, so a dynamically linked busybox would not run in them. */
function isStaticBusybox() {
  const path = found('busybox');
  return Boolean(path) && !/=>/.test(spawnSync('ldd', [path], { encoding: 'utf8' }).stdout ?? '');
}

async function main() {
  const command = process.argv[2] ?? 'build';
  const need = needs[command];
  if (!need) throw new Missing(`unknown command "${command}"`, `one of: ${Object.keys(needs).join(', ')}`);
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new Missing(
      `Node.js ${process.versions.node} is too old`,
      'Podledger needs Node.js 20.19 or newer: https://nodejs.org',
    );
  }
  ensureModules();
  ensurePackages(need.packages);
  if (need.docker) await ensureDocker();
  ensureBuild();
}

main().catch((error) => {
  if (!(error instanceof Missing)) throw error;
  console.error(`\npodledger: ${error.message}\n  ${error.remedy.split('\n').join('\n  ')}\n`);
  process.exit(1);
});
