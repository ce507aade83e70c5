import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { homedir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensurePackages, found } from './packages.mjs';
import { Missing, asRoot, isRoot, runAsRoot, say } from './system.mjs';

const socket = '/var/run/docker.sock';
/** A first start makes its data root and its bridge; on a slow disk that takes its time. */
const startDeadlineMs = 60_000;

/** A Docker Engine that answers: the one of DOCKER_HOST, or this machine's own, installed and started where it is not. */
export async function ensureDocker() {
  const address = process.env.DOCKER_HOST;
  if (address) {
    const problem = await ping(address);
    if (problem)
      throw new Missing(
        `the Docker Engine of DOCKER_HOST (${address}) does not answer: ${problem}`,
        'Start it, or unset DOCKER_HOST to use the one of this machine.',
      );
    return;
  }
  let problem = await ping(`unix://${socket}`);
  if (!problem) return;
  if (problem !== 'EACCES') {
    const engine = {
      program: 'dockerd',
      package: 'docker.io',
      otherwise: 'or give the address of a Docker Engine in DOCKER_HOST',
    };
    const installed = Boolean(found('dockerd'));
    ensurePackages([engine]);
    // Where an init system runs, installing the package has started the engine already: it only needs a moment.
    if (!installed && existsSync('/run/systemd/system')) problem = await waitForEngine(10_000);
    if (problem && problem !== 'EACCES') problem = await startEngine();
  }
  if (problem === 'EACCES') problem = await openSocket();
  if (problem)
    throw new Missing(
      `the Docker Engine does not answer: ${problem}`,
      'See its log, or start it yourself: systemctl start docker',
    );
}

async function startEngine() {
  if (!asRoot()) {
    throw new Missing(
      'no Docker Engine is running',
      `As root: ${existsSync('/run/systemd/system') ? 'systemctl start docker' : 'dockerd &'}\nor give the address of another one in DOCKER_HOST`,
    );
  }
  say('starting the Docker Engine ...');
  if (existsSync('/run/systemd/system') && runAsRoot(['systemctl', 'start', 'docker']) === 0)
    return waitForEngine(startDeadlineMs);
  const log = isRoot() ? '/var/log/podledger-dockerd.log' : join(homedir(), '.cache', 'podledger', 'dockerd.log');
  mkdirSync(dirname(log), { recursive: true });
  const output = openSync(log, 'a', 0o600);
  const [program, ...args] = [
    ...asRoot(),
    found('dockerd'),
    ...(isRoot() ? [] : ['--group', String(process.getgid())]),
  ];
  // A session of its own: it outlives npm, and a Ctrl-C at the terminal is not for it.
  const child = spawn(program, args, { detached: true, stdio: ['ignore', output, output], cwd: '/' });
  let ended;
  child.on('error', (error) => (ended = error.message));
  child.on('exit', (code, signal) => (ended = `dockerd ended with ${signal ?? `code ${code}`}`));
  child.unref();
  const problem = await waitForEngine(startDeadlineMs, () => ended);
  if (problem && problem !== 'EACCES') {
    const tail = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-5).join('\n');
    throw new Missing(`the Docker Engine did not start: ${problem}`, `The end of ${log}:\n${tail}`);
  }
  return problem;
}

async function waitForEngine(deadlineMs, ended = () => undefined) {
  const until = Date.now() + deadlineMs;
  for (;;) {
    const problem = await ping(`unix://${socket}`);
    if (!problem || problem === 'EACCES') return problem;
    if (ended() || Date.now() > until) return ended() ?? problem;
    await sleep(100);
  }
}

/**
 * The engine runs, but its socket is closed to this user. Whoever may use sudo may have it: the group for good, and the
 * socket now, since a group counts from the next login only.
 */
async function openSocket() {
  const user = userInfo().username;
  const remedy = `sudo usermod -aG docker ${user}    and log in again`;
  if (!asRoot()) throw new Missing(`${user} may not use the Docker Engine (${socket})`, remedy);
  say(`giving ${user} access to the Docker Engine ...`);
  runAsRoot(['usermod', '-aG', 'docker', user]);
  if (runAsRoot(['chown', user, socket]) !== 0)
    throw new Missing(`${user} may not use the Docker Engine (${socket})`, remedy);
  return ping(`unix://${socket}`);
}

/** `undefined` when the engine answers, else what went wrong. */
function ping(address) {
  const url = new URL(address.replace(/^tcp:/, process.env.DOCKER_TLS_VERIFY ? 'https:' : 'http:'));
  if (url.protocol === 'ssh:' || url.protocol === 'fd:')
    return Promise.resolve(`${url.protocol} addresses are not supported`);
  const target =
    url.protocol === 'unix:'
      ? { socketPath: url.pathname }
      : { host: url.hostname, port: url.port || 2375, ...certificates(url) };
  return new Promise((resolve) => {
    const request = (url.protocol === 'https:' ? https : http).get(
      { ...target, path: '/_ping', timeout: 5000 },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200 ? undefined : `HTTP ${response.statusCode}`);
      },
    );
    request.on('timeout', () => request.destroy(new Error('no answer within 5 s')));
    request.on('error', (error) => resolve(error.code ?? error.message));
  });
}

function certificates(url) {
  const directory = process.env.DOCKER_CERT_PATH;
  if (url.protocol !== 'https:' || !directory) return {};
  const read = (name) => readFileSync(join(directory, name));
  return { ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') };
}
