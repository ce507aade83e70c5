import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { eventually } from './eventually.js';
import { type KubectlBinary, kubectls, type Ran, run } from './kubectl.js';

const ENTRY = join(import.meta.dirname, '../../dist/apps/podledger/src/main.js');

async function freePort(): Promise<number> {
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
  private child: ChildProcess | undefined;
  private output = '';

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

  /** Starts it and waits for Ready. */
  async start(): Promise<void> {
    this.output = '';
    const child = spawn(process.execPath, [ENTRY, 'start', ...this.args], { env: { ...process.env, ...this.env } });
    this.child = child;
    const keep = (chunk: Buffer): void => {
      this.output += chunk.toString();
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const failed = new Promise<never>((_, reject) => {
      child.on('exit', (code) =>
        reject(new Error(`podledger ended with ${code} before it was ready:\n${this.output}`)),
      );
    });
    const ready = eventually('Ready', () => /\bReady\b/.test(this.output), { timeoutMs: 90_000 });
    failed.catch(() => undefined);
    await Promise.race([ready, failed]);
  }

  get printed(): string {
    return this.output;
  }

  get pid(): number {
    if (this.child?.pid === undefined) throw new Error('podledger is not running');
    return this.child.pid;
  }

  /** Ends it by a signal and waits until it is gone. */
  async end(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<number | null> {
    const child = this.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const gone = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill(signal);
    const code = await gone;
    this.child = undefined;
    return code;
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

  /** Learnt from a container of this home; set by {@link learnCluster}. */
  clusterId = '';

  async learnCluster(podUid: string): Promise<void> {
    const [info] = (await this.containers(podUid)).values();
    this.clusterId = info?.Labels['podledger.dev/cluster'] ?? '';
    if (!this.clusterId) throw new Error('the container names no cluster');
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
    }[];
  };
}
export interface KubeList {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly KubeObject[];
}
