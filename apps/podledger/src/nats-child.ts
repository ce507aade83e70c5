import { accessSync, constants, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { connectNats, controlPlaneCreds, loadNatsKeys, natsServerConfig } from '#bus';
import type { BusAccess } from './assembly.js';
import type { Certificates } from './certificates.js';
import type { Home } from './home.js';
import { bracketed, freePort, isFree, isServed, localAddress } from './ports.js';
import { endProcess } from './process-table.js';
import { SupervisedChild } from './supervised-child.js';

/** The home's own nats-server. */
export interface EmbeddedNats {
  /** For the control plane: all subjects. */
  readonly access: BusAccess & { readonly credentials: string };
  /** Where other machines reach it; the loopback address unless it listens beyond. */
  readonly port: number;
  /** Holds the keys that sign credentials. */
  readonly keysDirectory: string;
  readonly pid: number | undefined;
  stop(): Promise<void>;
}

/** Its store is flushed and closed in this time, or the next start checks it. */
const stopSignals = [
  { signal: 'SIGTERM', withinMs: 10_000 },
  { signal: 'SIGKILL', withinMs: 5_000 },
] as const;
const readyWithinMs = 30_000;

/**
 * Starts the home's NATS with JetStream and restarts it should it die. Its port is chosen at the first start and kept: nodes
 * on other machines know it. A server that outlived a killed start of this home is stopped first.
 */
export async function startNats(
  home: Home,
  listenHost: string,
  certificates: Certificates | undefined,
  now: Date,
  report: (text: string) => void,
): Promise<EmbeddedNats> {
  const directory = home.directory('nats');
  const configFile = join(directory, 'nats.conf');
  await endSurvivor(directory, configFile);
  const program = findServer();
  const port = await choosePort(home, listenHost, report);
  const keys = await loadNatsKeys(directory);
  const config = natsServerConfig({
    keys,
    host: listenHost,
    port,
    storeDir: home.directory('nats', 'store'),
    ...(certificates && { tls: { certFile: home.file('pki', 'server.crt'), keyFile: home.file('pki', 'server.key') } }),
    now: now.getTime(),
  });
  writeFileSync(configFile, config, { mode: 0o600 });
  const access = {
    url: `${certificates ? 'tls' : 'nats'}://${bracketed(localAddress(listenHost))}:${port}`,
    credentials: controlPlaneCreds(keys, now.getTime()),
    ...(certificates && { ca: certificates.ca }),
  };
  const child = await SupervisedChild.start(
    {
      name: 'nats-server',
      program,
      args: ['--config', configFile, '--pid', join(directory, 'pid')],
      env: { PATH: process.env.PATH },
      logFile: join(home.directory('logs'), 'nats.log'),
      isReady: async () => (await isServed(localAddress(listenHost), port)) && answers(access),
      readyWithinMs,
      stopSignals,
    },
    report,
  );
  return {
    access,
    port,
    keysDirectory: directory,
    get pid() {
      return child.pid;
    },
    stop: () => child.stop(),
  };
}

async function endSurvivor(directory: string, configFile: string): Promise<void> {
  const pidFile = join(directory, 'pid');
  const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8')) : 0;
  if (Number.isSafeInteger(pid) && pid > 1) await endProcess(pid, (args) => args.includes(configFile), stopSignals);
}

/** The server on PATH, or in the administrators' directories that an ordinary PATH leaves out. */
function findServer(): string {
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin'];
  for (const directory of directories.filter((each) => each !== '')) {
    const path = join(directory, 'nats-server');
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this directory.
    }
  }
  throw new Error(
    'nats-server is not installed: install the package nats-server, or give the address of a server in NATS_URL',
  );
}

async function choosePort(home: Home, host: string, report: (text: string) => void): Promise<number> {
  const noted = home.read('nats/port');
  const known = noted === undefined ? undefined : Number(noted);
  if (known !== undefined && (await isFree(host, known))) return known;
  const port = await freePort(host);
  if (known !== undefined)
    report(`port ${known} of NATS is taken, using ${port}: nodes of other machines have to join anew`);
  home.write('nats/port', `${port}\n`);
  return port;
}

async function answers(access: EmbeddedNats['access']): Promise<boolean> {
  const signal = AbortSignal.timeout(2000);
  try {
    const link = await connectNats({
      url: access.url,
      name: 'podledger start',
      creds: access.credentials,
      ...(access.ca && { ca: access.ca }),
      report: () => undefined,
      signal,
    });
    await link.close();
    return true;
  } catch {
    return false;
  }
}
