import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { readKubeconfig } from '../../apps/podledger/src/admin-client.js';
import { HttpsClient } from './https-client.js';
import { type KubectlBinary, kubectls, type Ran, run } from './kubectl.js';
import { ENTRY, Program } from './program.js';

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}

/** Podledger as a user runs it: the built command line, a home of its own, a real kubectl, the local Docker Engine. */
export class Product {
  readonly docker = new Docker();
  private program: Program | undefined;

  private constructor(
    readonly home: string,
    readonly port: number,
    readonly binaries: readonly KubectlBinary[],
    private readonly args: readonly string[],
  ) {}

  static async create(...args: string[]): Promise<Product> {
    const binaries = await kubectls();
    if (binaries.length === 0) throw new Error('the end-to-end tests need a kubectl on PATH');
    const home = mkdtempSync(join(tmpdir(), 'podledger-e2e-'));
    return new Product(home, await freePort(), binaries, args);
  }

  private get env(): NodeJS.ProcessEnv {
    return { PODLEDGER_HOME: this.home, PODLEDGER_PORT: String(this.port), NODE_OPTIONS: '' };
  }

  private get clientEnv(): NodeJS.ProcessEnv {
    return { KUBECONFIG: join(this.home, 'kubeconfig'), HOME: this.home };
  }

  /** Starts it and waits for Ready; with other arguments than at creation if some are given. */
  async start(...args: string[]): Promise<void> {
    this.program = await Program.start(['start', ...(args.length > 0 ? args : this.args)], this.env);
  }

  get printed(): string {
    return this.program?.output ?? '';
  }

  get pid(): number {
    if (!this.program) throw new Error('podledger is not running');
    return this.program.pid;
  }

  /** Ends it by a signal and waits until it is gone. */
  async end(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<number | null> {
    const program = this.program;
    this.program = undefined;
    return program ? program.end(signal) : null;
  }

  /** Starts an executor of a further node, as a machine that joins; its home is a directory in ours. */
  async join(nodeName: string, env: NodeJS.ProcessEnv = {}): Promise<Program> {
    const { stdout, stderr } = await this.command('join-command');
    const invitation = /podledger-join-\S+/.exec(stdout)?.[0];
    if (!invitation) throw new Error(`no invitation: ${stdout}${stderr}`);
    return Program.start(['join', invitation, '--node-name', nodeName], {
      PODLEDGER_HOME: this.homeOfNode(nodeName),
      ...env,
    });
  }

  /** Where a node that joined keeps what is its own. */
  homeOfNode(nodeName: string): string {
    return join(this.home, 'joined', nodeName);
  }

  /** A command of the command line other than `start`, on this home. */
  command(...args: string[]): Promise<Ran> {
    return run(process.execPath, [ENTRY, ...args], { env: this.env });
  }

  /** The newest kubectl, or that of a minor version, with the kubeconfig that the start wrote. */
  kubectlOf(binary: KubectlBinary | undefined, args: readonly string[], input?: string): Promise<Ran> {
    const program = binary ?? this.binaries.at(-1);
    if (!program) throw new Error('no kubectl');
    return run(program.path, args, { env: this.clientEnv, ...(input !== undefined && { input }) });
  }

  /** A client with the rights of the kubeconfig, for what kubectl would be too slow for. */
  client(): HttpsClient {
    const { server, ca, token } = readKubeconfig(join(this.home, 'kubeconfig'));
    return new HttpsClient(server, ca, token);
  }

  /** Runs a kubectl that goes on until it is stopped. */
  watch(binary: KubectlBinary | undefined, args: readonly string[]): Watching {
    const program = binary ?? this.binaries.at(-1);
    if (!program) throw new Error('no kubectl');
    const child = spawn(program.path, args, { env: { ...process.env, ...this.clientEnv } });
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (printed += chunk));
    return {
      printed: () => printed,
      stop: () => {
        child.kill();
        return ended;
      },
    };
  }

  /** Runs kubectl and expects it to succeed; returns what it printed. Words are split at blanks. */
  async kubectl(words: string, input?: string): Promise<string> {
    const ran = await this.kubectlOf(undefined, words.split(' '), input);
    if (ran.code !== 0) throw new Error(`kubectl ${words}: exit ${ran.code}\n${ran.stderr}${ran.stdout}`);
    return ran.stdout;
  }

  /** Applies a manifest. */
  apply(manifest: object): Promise<string> {
    return this.kubectl('apply -f -', JSON.stringify(manifest));
  }

  /** An object as JSON. */
  async get<T = KubeObject>(what: string): Promise<T> {
    return JSON.parse(await this.kubectl(`get ${what} -o json`)) as T;
  }

  /** The containers of a pod by container name (`""`: the sandbox), from Docker, dead ones included. */
  async containers(podUid: string): Promise<Map<string, Docker.ContainerInfo>> {
    const all = await this.docker.listContainers({
      all: true,
      filters: { label: [`io.kubernetes.pod.uid=${podUid}`] },
    });
    return new Map(all.map((info) => [info.Labels['io.kubernetes.container.name'] ?? '', info]));
  }

  /** Everything on Docker that carries this home's cluster id. */
  async leftovers(): Promise<string[]> {
    const filters = { label: [`podledger.dev/cluster=${this.clusterId}`] };
    const [containers, volumes, networks] = await Promise.all([
      this.docker.listContainers({ all: true, filters }),
      this.docker.listVolumes({ filters }),
      this.docker.listNetworks({ filters }),
    ]);
    return [
      ...containers.map(({ Names }) => `container ${Names.join()}`),
      ...(volumes.Volumes ?? []).map(({ Name }) => `volume ${Name}`),
      ...networks.map(({ Name }) => `network ${Name}`),
    ];
  }

  /** As the home has it. */
  get clusterId(): string {
    return readFileSync(join(this.home, 'cluster-id'), 'utf8').trim();
  }

  /** Ends everything, removes what is left on Docker, and the home. */
  async destroy(): Promise<void> {
    await this.end('SIGTERM');
    await this.command('down');
    rmSync(this.home, { recursive: true, force: true });
  }
}

/** A kubectl that runs. */
export interface Watching {
  /** What it has printed so far. */
  printed(): string;
  /** Ends it; resolves when it is gone. */
  stop(): Promise<void>;
}

/** What tests read of a Kubernetes object. */
export interface KubeObject {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly kind: string; readonly name: string; readonly uid: string }[];
  };
  readonly spec: Readonly<Record<string, unknown>> & { readonly nodeName?: string; readonly replicas?: number };
  readonly status: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly reason?: string;
    readonly readyReplicas?: number;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
    readonly containerStatuses?: readonly {
      readonly name: string;
      readonly restartCount: number;
      readonly containerID?: string;
      readonly state: {
        readonly running?: { readonly startedAt: string };
        readonly waiting?: { readonly reason: string; readonly message?: string };
        readonly terminated?: { readonly exitCode: number; readonly reason: string };
      };
      readonly lastState?: { readonly terminated?: { readonly exitCode: number; readonly reason: string } };
    }[];
  };
}
export interface KubeList {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly KubeObject[];
}
