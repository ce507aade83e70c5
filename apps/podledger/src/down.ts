import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { endAllPods, readKubeconfig, type AdminAccess } from './admin-client.js';
import { SystemClock } from '#system';
import { readDockerHost } from '../../executor/src/docker-endpoint.js';
import { purgeCluster } from '../../executor/src/runtime/docker-purge.js';
import type { Apps } from './assembly.js';
import { HomeLocked } from './home.js';
import { freePort } from './ports.js';
import { AllInOne, type Ready } from './start.js';
import type { ForeignServers } from './servers.js';

export interface DownOptions extends ForeignServers {
  readonly home: string;
  readonly dockerHost: string;
  /** What a container is given between SIGTERM and SIGKILL. */
  readonly gracePeriodSeconds: number;
}

/** Beyond the grace period, for everything else that ending a pod takes. */
const marginMs = 60_000;
const host = '127.0.0.1';

/**
 * Ends every pod of a home, in the log too, so that none comes back at the next start: through the API, the running one or
 * one brought up for this. Then removes what is left of the cluster on Docker. With a start that runs, that one goes on.
 */
export async function down(options: DownOptions, apps: Apps, report: (text: string) => void): Promise<void> {
  const idFile = join(options.home, 'cluster-id');
  if (!existsSync(idFile)) return report(`nothing was ever started on ${options.home}: nothing to remove`);
  const cluster = readFileSync(idFile, 'utf8').trim();
  try {
    await endThroughOwnApi(options, apps, report);
  } catch (error) {
    if (error instanceof HomeLocked) {
      await end(readKubeconfig(join(options.home, 'kubeconfig')), options, report);
      return report(`${error.message.split(':')[0]}, which goes on, without pods`);
    }
    report(`the pods could not be ended in good order: ${error instanceof Error ? error.message : String(error)}`);
    report('removing them from Docker alone: the next start will make anew what the log still wants');
  }
  const endpoint = readDockerHost(options.dockerHost, process.env);
  const { containers, volumes, networks } = await purgeCluster(endpoint, { cluster }, new SystemClock());
  report(`removed what was left on Docker: containers ${containers}, volumes ${volumes}, networks ${networks}`);
}

async function endThroughOwnApi(options: DownOptions, apps: Apps, report: (text: string) => void): Promise<void> {
  const record = join(options.home, 'local-nodes.json');
  const nodes = existsSync(record) ? (JSON.parse(readFileSync(record, 'utf8')) as string[]).length : 1;
  let ready: Ready | undefined;
  const listen = { host, port: await freePort(host) };
  const service = new AllInOne(
    { ...options, nodes, listen, unannounced: true },
    apps,
    report,
    (each) => void (ready = each),
  );
  try {
    await service.start();
    if (ready) await end(ready.access, options, report);
  } finally {
    await service.stop();
  }
}

async function end(access: AdminAccess, options: DownOptions, report: (text: string) => void): Promise<void> {
  const pods = await endAllPods(access, options.gracePeriodSeconds, options.gracePeriodSeconds * 1000 + marginMs);
  report(`ended ${pods} pod${pods === 1 ? '' : 's'}`);
}
