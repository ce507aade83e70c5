import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { GrowthNews } from '#eventlog';
import { SystemClock } from '#system';
import { readDockerHost } from '../../executor/src/docker-endpoint.js';
import { hostAddress } from '../../executor/src/host-address.js';
import { RuntimeError } from '../../executor/src/runtime/container-runtime.js';
import { purgeCluster } from '../../executor/src/runtime/docker-purge.js';
import { awaitNodes, deleteNode, type AdminAccess } from './admin-client.js';
import type { Apps, RunningApi } from './assembly.js';
import { certificates, type Certificates } from './certificates.js';
import { Home } from './home.js';
import {
  defaultNodeName,
  encodeInvitation,
  invite,
  joinDoorFile,
  joinTokenTtlMs,
  localNodeAccess,
  type JoinDoor,
} from './join.js';
import { adminToken, serverUrl, writeKubeconfig } from './kubeconfig.js';
import type { Service } from './lifecycle.js';
import { masterKey } from './master-key.js';
import { Parts } from './parts.js';
import { bracketed, isFree, PortTaken } from './ports.js';
import { isSystemError } from './system-error.js';
import { startServers, type ForeignServers, type Servers } from './servers.js';

export interface StartOptions extends ForeignServers {
  readonly home: string;
  /** How many nodes share this machine's engine. */
  readonly nodes: number;
  readonly listen: { readonly host: string; readonly port: number };
  readonly dockerHost: string;
  /** Leaves the user's kubeconfig as it is: for a start that serves only itself. */
  readonly unannounced?: boolean;
}

/** Where a cluster that has come up is found. */
export interface Ready {
  readonly access: AdminAccess;
  readonly kubeconfig: string;
  readonly cluster: string;
  readonly nodeNames: readonly string[];
  /** Text to paste on another machine; none where the operator runs NATS. */
  readonly invitation: string | undefined;
}

const clock = new SystemClock();

/** A node whose engine answers is Ready in well under a second. */
const nodesReadyWithinMs = 15_000;

/** Stop order: the nodes first, whose last words the API puts into the log; the scheduler gives its lease back; then what all lean on. */
const rank = { executors: 0, api: 1, scheduler: 2, home: 5 } as const;

/** Everything in one process: a cluster of this machine, of which others may become nodes. */
export class AllInOne implements Service {
  private readonly parts: Parts;
  private servers: Servers | undefined;

  constructor(
    private readonly options: StartOptions,
    private readonly apps: Apps,
    private readonly report: (text: string) => void,
    private readonly onReady: (ready: Ready) => Promise<void> | void,
  ) {
    this.parts = new Parts(report);
  }

  async start(): Promise<void> {
    const { options, parts, report } = this;
    const { host, port } = options.listen;
    const { home } = await parts.start('home', rank.home, async () => {
      const home = await Home.open(options.home);
      return { home, stop: async () => home.release() };
    });
    if (!(await isFree(host, port)))
      throw new PortTaken(host, port, 'stop that one, or choose another port with --port or PODLEDGER_PORT');
    const tls = await certificates(home, host, new Date());
    const isOpen = !isLoopback(host);
    const servers = await startServers(home, parts, options, { host, tls: isOpen ? tls : undefined }, report);
    this.servers = servers;
    home.write('cluster-id', `${servers.cluster}\n`);
    home.write('database-url', servers.databaseUrl);

    const token = adminToken(home);
    const api = await this.startControlPlane(servers, tls, token, masterKey(home, process.env));
    const access = { server: serverUrl(host, port), ca: tls.ca, token };
    const kubeconfig = options.unannounced
      ? home.file('kubeconfig')
      : writeKubeconfig(home, access.server, tls.ca, token);
    const nodeNames = localNodeNames(options.nodes);
    await this.startExecutors(home, servers, nodeNames);
    for (const name of await awaitNodes(access, nodeNames, nodesReadyWithinMs)) {
      report(`node ${name} is not Ready yet: its Docker Engine may be away; it joins when that is back`);
    }
    await this.retireVanishedNodes(home, servers.cluster, access, nodeNames);
    const invitation = await this.invitation(home, servers, tls, api);
    await this.onReady({ access, kubeconfig, cluster: servers.cluster, nodeNames, invitation });
  }

  stop(): Promise<void> {
    return this.parts.stop();
  }

  abandon(): void {
    for (const { pid, signal } of this.servers?.pids() ?? []) {
      try {
        process.kill(pid, signal);
      } catch (error) {
        if (!isSystemError(error, 'ESRCH')) throw error; // Gone already.
      }
    }
  }

  private async startControlPlane(
    servers: Servers,
    tls: Certificates,
    token: string,
    masterKey: string,
  ): Promise<RunningApi> {
    const { apps, parts, options } = this;
    const { databaseUrl, bus, ownNats } = servers;
    const growth = new GrowthNews();
    const identity = `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
    await parts.start('scheduler', rank.scheduler, () => apps.startScheduler({ databaseUrl, growth, bus, identity }));
    return parts.start('API', rank.api, () =>
      apps.startApi({
        databaseUrl,
        growth,
        bus,
        listen: options.listen,
        tls,
        token,
        masterKey,
        ...(ownNats && { natsKeysDirectory: ownNats.keysDirectory }),
      }),
    );
  }

  private async startExecutors(home: Home, servers: Servers, nodeNames: readonly string[]): Promise<void> {
    const { apps, parts, options } = this;
    await Promise.all(
      nodeNames.map((nodeName) =>
        parts.start(`executor ${nodeName}`, rank.executors, async () =>
          apps.startExecutor({
            bus: servers.ownNats
              ? await localNodeAccess(servers.ownNats.keysDirectory, servers.bus, nodeName, new Date())
              : servers.bus,
            nodeName,
            capacityShare: 1 / nodeNames.length,
            dockerHost: options.dockerHost,
            stateDirectory: home.directory('nodes', nodeName),
          }),
        ),
      ),
    );
  }

  /** Nodes that an earlier start had and this one has not: nobody else would ever end their pods. */
  private async retireVanishedNodes(
    home: Home,
    cluster: string,
    access: AdminAccess,
    present: readonly string[],
  ): Promise<void> {
    const namesIn = (file: string): string[] => JSON.parse(home.read(file) ?? '[]') as string[];
    const before = new Set([...namesIn('local-nodes.json'), ...namesIn('vanished-nodes.json')]);
    const left: string[] = [];
    for (const name of [...before].filter((each) => !present.includes(each))) {
      this.report(`node ${name} is no more: ending its pods`);
      await deleteNode(access, name);
      try {
        await purgeCluster(readDockerHost(this.options.dockerHost, process.env), { cluster, node: name }, clock);
      } catch (error) {
        if (!(error instanceof RuntimeError)) throw error;
        this.report(`its containers are still there; the next start tries again: ${error.message}`);
        left.push(name);
      }
    }
    home.write('vanished-nodes.json', `${JSON.stringify(left)}\n`);
    home.write('local-nodes.json', `${JSON.stringify(present)}\n`);
  }

  /**
   * Text for one machine that wants to join; what is needed to make more of them is left in the home. None where the operator
   * runs NATS: then the operator hands out the credentials.
   */
  private async invitation(
    home: Home,
    { ownNats }: Servers,
    tls: Certificates,
    api: RunningApi,
  ): Promise<string | undefined> {
    if (!ownNats) return undefined;
    const { host } = this.options.listen;
    const door: JoinDoor = { url: invitationUrl(host, ownNats.port), ...(!isLoopback(host) && { ca: tls.ca }) };
    home.write(joinDoorFile, `${JSON.stringify(door)}\n`);
    return encodeInvitation(
      await invite(door, ownNats.keysDirectory, await api.issueJoinToken(joinTokenTtlMs), new Date()),
    );
  }
}

/** The address other machines reach this one's NATS on. */
export function invitationUrl(listenHost: string, natsPort: number): string {
  const scheme = isLoopback(listenHost) ? 'nats' : 'tls';
  const everywhere = listenHost === '0.0.0.0' || listenHost === '::';
  return `${scheme}://${bracketed(everywhere ? hostAddress() : listenHost)}:${natsPort}`;
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

/** The first node bears this machine's name, as on a machine that is one node. */
function localNodeNames(count: number): string[] {
  const name = defaultNodeName();
  return Array.from({ length: count }, (_, index) => (index === 0 ? name : `${name}-${index + 1}`));
}
