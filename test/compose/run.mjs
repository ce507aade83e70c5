#!/usr/bin/env node
/**
 * Proves docker-compose.yml: brings it up under a name of its own, runs a pod of two containers through it, scales the
 * executors up and down, takes it down, and looks that nothing is left. Needs no registry.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Dockerode from 'dockerode';
import { SystemClock } from '#system';
import { purgeCluster } from '../../dist/apps/executor/src/runtime/docker-purge.js';
import { found } from '../../scripts/bootstrap/packages.mjs';
import { root } from '../../scripts/bootstrap/system.mjs';
import { BUSYBOX, ensureBusybox } from '../../scripts/images.mjs';

const socket = '/var/run/docker.sock';
const docker = new Dockerode({ socketPath: socket });
const project = `podledger-test-${randomBytes(3).toString('hex')}`;
const directory = mkdtempSync(join(tmpdir(), 'podledger-compose-'));
const kubeconfig = join(directory, 'kubeconfig');
const port = await freePort();
const env = {
  ...process.env,
  COMPOSE_PROJECT_NAME: project,
  PODLEDGER_PORT: String(port),
  KUBECONFIG: kubeconfig,
  // The classic builder asks no registry about an image that is there.
  DOCKER_BUILDKIT: '0',
  COMPOSE_DOCKER_CLI_BUILD: '0',
};
const compose = found('docker-compose') ? ['docker-compose'] : ['docker', 'compose'];
const checks = { passed: 0 };

const pod = `
apiVersion: v1
kind: Pod
metadata: { name: pair }
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 1
  volumes: [{ name: shared, emptyDir: {} }]
  containers:
    - name: app
      image: ${BUSYBOX}
      command: [sh, -c, 'echo from the app > /shared/file; mkdir /www; echo hello > /www/index.html; exec httpd -f -p 8080 -h /www']
      volumeMounts: [{ name: shared, mountPath: /shared }]
    - name: helper
      image: ${BUSYBOX}
      command: [sh, -c, 'until wget -qO- http://localhost:8080/ && cat /shared/file; do sleep 0.1; done; exec sleep 3600']
      volumeMounts: [{ name: shared, mountPath: /shared }]
`;

let failure;
let cluster;
try {
  await prove();
} catch (error) {
  failure = error;
  console.error(error);
  run([...compose, 'logs', '--tail', '40']);
} finally {
  await takeDown();
  rmSync(directory, { recursive: true });
}
console.log(`${checks.passed} passed, ${failure ? 1 : 0} failed`);
process.exit(failure ? 1 : 0);

async function prove() {
  must([process.execPath, join(root, 'scripts', 'compose-base-images.mjs')]);
  await ensureBusybox(docker);
  must([...compose, 'build']);
  must([...compose, 'up', '--detach']);
  await eventually('the API answers with the kubeconfig that setup made', () => {
    const made = run([...compose, 'exec', '-T', 'api', 'cat', '/home/podledger/kubeconfig'], true);
    if (made.status !== 0) return false;
    writeFileSync(kubeconfig, made.stdout, { mode: 0o600 });
    return kubectl('get', '--raw', '/readyz').status === 0;
  });
  cluster = must([...compose, 'exec', '-T', 'api', 'cat', '/home/podledger/cluster-id'], true);
  await eventually('both executors are Ready nodes', () => readyNodes().length === 2);

  writeFileSync(join(directory, 'pod.yaml'), pod);
  must(['kubectl', 'apply', '-f', join(directory, 'pod.yaml')]);
  must(['kubectl', 'wait', '--for=condition=Ready', 'pod/pair', '--timeout=60s']);
  passed('a pod of two containers runs');
  await eventually('the helper reads the app on localhost and a file of the shared volume', () => {
    const { stdout } = kubectl('logs', 'pair', '-c', 'helper');
    return stdout.includes('hello') && stdout.includes('from the app');
  });

  must([...compose, 'up', '--detach', '--scale', 'executor=3']);
  await eventually('a third executor joins as a node', () => readyNodes().length === 3);
  must([...compose, 'up', '--detach', '--scale', 'executor=1']);
  await eventually('nodes whose executors were taken away are no longer Ready', () => readyNodes().length === 1);

  must(['kubectl', 'delete', 'pod', 'pair', '--grace-period=0', '--force', '--wait=false']);
  await eventually('a deleted pod is gone', () => kubectl('get', 'pod', 'pair').stderr.includes('NotFound'));
}

/** Whatever happened, and wherever: the parts, and what they made on this engine under their cluster's label. */
async function takeDown() {
  run([...compose, 'down', '--volumes', '--timeout', '10']);
  if (cluster) await purgeCluster(socket, { cluster }, new SystemClock());
  const left = await docker.listContainers({
    all: true,
    filters: { label: [`com.docker.compose.project=${project}`] },
  });
  if (left.length > 0) failure ??= new Error(`${left.length} containers of ${project} are left`);
}

function readyNodes() {
  const { stdout } = kubectl('get', 'nodes', '--no-headers');
  return stdout.split('\n').filter((line) => /\sReady\s/.test(line));
}

function kubectl(...args) {
  return run(['kubectl', '--request-timeout=5s', ...args], true);
}

function passed(what) {
  checks.passed += 1;
  console.log(`ok ${checks.passed} ${what}`);
}

async function eventually(what, condition, withinMs = 90_000) {
  const until = Date.now() + withinMs;
  while (!condition()) {
    if (Date.now() > until) throw new Error(`not within ${withinMs / 1000} s: ${what}`);
    await sleep(250);
  }
  passed(what);
}

function must(command, captured = false) {
  console.log(`$ ${command.join(' ')}`);
  const { status, stdout } = run(command, captured);
  if (status !== 0) throw new Error(`${command.join(' ')}: exit code ${status}`);
  return stdout?.trim();
}

function run([program, ...args], captured = false) {
  return spawnSync(program, args, {
    cwd: root,
    env,
    encoding: 'utf8',
    stdio: captured ? 'pipe' : ['ignore', 'inherit', 'inherit'],
  });
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port: free } = server.address();
      server.close(() => resolve(free));
    });
  });
}
