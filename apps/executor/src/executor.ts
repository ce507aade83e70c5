import {
  DomainError,
  NoAnswer,
  type AssignedPod,
  type ConfigContents,
  type Clock,
  type IdSource,
  type MessageBus,
  type NodeCapacity,
} from '#domain';
import {
  askConfig,
  configChangedSubject,
  parseConfigChanged,
  type Assignment,
  type Register,
  type SealKeys,
} from '#bus';
import { EngineSlots } from './engine-slots.js';
import { EngineWatch } from './engine-watch.js';
import { FactReporter } from './fact-reporter.js';
import { ImagePuller } from './image-puller.js';
import { LogStreamer } from './log-streamer.js';
import { NodeAgent } from './node-agent.js';
import type { NodeStateStore } from './node-state-store.js';
import { Orphans } from './orphans.js';
import { PodsOnNode } from './pods-on-node.js';
import type { Prober } from './probes/prober.js';
import { readAssignedPod } from './read-assigned-pod.js';
import type { Report } from './report.js';
import { RuntimeError, type ContainerRuntime, type RuntimeInfo } from './runtime/container-runtime.js';

/** Kubernetes' own default. */
const MAX_PODS = 110;
/** What `kubectl get nodes` shows as the node's version: this program's, for there is no kubelet. */
const EXECUTOR_VERSION = 'v0.1.0+podledger';
const HEARTBEAT_MS = 5_000;
const ENGINE_RETRY_MS = 1_000;
/** One page of a pod's configuration takes this long at most. */
const CONFIG_ANSWER_MS = 5_000;
/** A stop waits this long for the log to have what was seen; the rest is told after the next start. */
const LAST_WORDS_MS = 2_000;
/** Pods under way at the engine at one time, per core (docker-runtime.md 12). */
const SLOTS_PER_CORE = 2;

export interface ExecutorOptions {
  readonly bus: MessageBus;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly node: string;
  /** Address of this host, as pods and people see it. */
  readonly hostIP: string;
  /** This node's part of the engine's capacity, in (0, 1]. */
  readonly capacityShare: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly store: NodeStateStore;
  /** The engine as it is, before it is known for which cluster. */
  readonly describeEngine: () => Promise<RuntimeInfo>;
  /** The engine as seen by one cluster on this node. */
  readonly openRuntime: (cluster: string) => ContainerRuntime;
  /** Asks the servers in this node's pods. */
  readonly prober: Prober;
  /** Made anew at each start: what was sealed to an earlier one is not read. */
  readonly sealKeys: SealKeys;
  readonly report: Report;
  readonly heartbeatMs?: number;
  /** Pods made or removed at one time; by default two per core of this node's share. */
  readonly slots?: number;
}

/** What exists once the cluster is known. */
interface Session {
  readonly cluster: string;
  readonly runtime: ContainerRuntime;
  readonly pods: PodsOnNode;
  readonly orphans: Orphans;
  readonly logs: LogStreamer;
  readonly engine: EngineWatch;
  readonly unwatch: () => void;
}

/**
 * A node: keeps the pods assigned to it as they should be, and tells what happened to them. It holds no database key and
 * keeps next to nothing on disk; a new one on the same engine takes up where this one left off. Stopping it stops no pod.
 */
export class Executor {
  private readonly reporter: FactReporter;
  private readonly agent: NodeAgent;
  private session: Session | undefined;
  private description: Omit<Register, 'node' | 'cluster'> | undefined;
  private capacity: NodeCapacity = { cpuMillis: 0, memoryBytes: 0, pods: MAX_PODS };
  /** Carried out one after the other, in the order of their arrival. */
  private assignments: Promise<void> = Promise.resolve();
  private stopped = false;
  private readonly unsubscribes: (() => void)[] = [];
  private readonly firstSession: Promise<void>;
  private tellFirstSession: () => void = () => undefined;

  constructor(private readonly options: ExecutorOptions) {
    this.firstSession = new Promise((resolve) => (this.tellFirstSession = resolve));
    const { bus, clock, ids, node, store, report, heartbeatMs } = options;
    this.reporter = new FactReporter({
      ...{ bus, clock, ids, node, report },
      epoch: () => this.agent.nodeEpoch,
      onStale: (epoch) => this.agent.epochIsOver(epoch),
      onUnknownPod: () => this.agent.syncSoon(),
      onAcknowledged: (uid) => this.session?.pods.wake(uid),
    });
    this.agent = new NodeAgent({
      ...{ bus, clock, ids, node, store, report, heartbeatMs: heartbeatMs ?? HEARTBEAT_MS },
      describe: () => this.describe(),
      runtime: () => this.session?.engine.condition ?? { ready: true, message: '' },
      onSession: (cluster) => this.open(cluster),
      onAssignment: (assignment) => {
        this.assignments = this.assignments.then(() => this.assign(assignment));
      },
    });
  }

  /** Resolves when the control plane has taken the node on; it may be waited for long. */
  get registered(): Promise<void> {
    return this.firstSession;
  }

  /** Resolves when the conversation with the control plane has begun; it goes on by itself. */
  async start(): Promise<void> {
    const { bus, node } = this.options;
    this.unsubscribes.push(
      bus.onConnection((connected) => {
        if (!connected) return;
        this.reporter.retryNow();
        // Whatever was published meanwhile is lost.
        this.session?.pods.refreshConfig();
      }),
      bus.subscribe(configChangedSubject(node), (message) =>
        this.session?.pods.refreshConfig(parseConfigChanged(message, 'hint').uids),
      ),
    );
    await this.agent.start();
  }

  /** Pods go on running. Resolves when nothing is asked of the engine any more, or after a few seconds. */
  async stop(): Promise<void> {
    if (this.stopped) return;
    this.stopped = true;
    const { clock } = this.options;
    this.session?.unwatch();
    this.session?.logs.stop();
    this.session?.engine.stop();
    this.session?.orphans.stop();
    const patience = new AbortController();
    await Promise.race([this.session?.pods.stop(), clock.sleep(LAST_WORDS_MS, patience.signal)]);
    patience.abort();
    for (let waited = 0; waited < LAST_WORDS_MS && !this.reporter.isIdle; waited += 50) await clock.sleep(50);
    for (const unsubscribe of this.unsubscribes) unsubscribe();
    this.reporter.stop();
    await this.agent.stop();
  }

  private async describe(): Promise<Omit<Register, 'node' | 'cluster'>> {
    const { node, hostIP, capacityShare, labels, sealKeys, report } = this.options;
    let info: RuntimeInfo | undefined;
    let told = false;
    while (!info) {
      try {
        info = await this.options.describeEngine();
      } catch (cause) {
        if (!(cause instanceof RuntimeError) || this.stopped) throw cause;
        // A node that is known registers all the same: its heartbeats say that the engine is away.
        if (this.description) return this.description;
        if (!told) report('the container engine does not answer; waiting for it', cause);
        told = true;
        await this.options.clock.sleep(ENGINE_RETRY_MS);
      }
    }
    this.capacity = {
      cpuMillis: Math.floor(info.cpuMillis * capacityShare),
      memoryBytes: Math.floor(info.memoryBytes * capacityShare),
      pods: MAX_PODS,
    };
    this.description = {
      labels: {
        'kubernetes.io/hostname': node,
        'kubernetes.io/os': info.operatingSystem,
        'kubernetes.io/arch': info.architecture,
        ...labels,
      },
      capacity: { ...this.capacity },
      allocatable: { ...this.capacity },
      info: {
        machineID: info.engineId,
        systemUUID: '',
        bootID: '',
        kernelVersion: info.kernelVersion,
        osImage: info.osImage,
        containerRuntimeVersion: info.runtimeVersion,
        kubeletVersion: EXECUTOR_VERSION,
        kubeProxyVersion: '',
        operatingSystem: info.operatingSystem,
        architecture: info.architecture,
      },
      addresses: [
        { type: 'InternalIP', address: hostIP },
        { type: 'Hostname', address: node },
      ],
      sealKey: sealKeys.publicKey,
    };
    return this.description;
  }

  /** The first registration says for which cluster the engine is looked at. */
  private open(cluster: string): void {
    this.reporter.retryNow();
    this.tellFirstSession();
    if (this.session || this.stopped) return;
    const { clock, bus, node, hostIP, report, openRuntime, prober } = this.options;
    const runtime = openRuntime(cluster);
    const slots = this.options.slots ?? Math.max(2, Math.round((this.capacity.cpuMillis / 1000) * SLOTS_PER_CORE));
    const pods = new PodsOnNode({
      ...{ runtime, prober, clock, report },
      reporter: this.reporter,
      askConfig: (uid) => this.askConfig(uid),
      puller: new ImagePuller(runtime, clock),
      slots: new EngineSlots(slots),
      node: { name: node, hostIP, allocatable: this.capacity },
    });
    const logs = new LogStreamer({ bus, runtime, clock, node, report });
    logs.start();
    const orphans = new Orphans(runtime, pods, clock, report);
    const unwatch = runtime.onChange((uid) => pods.wake(uid));
    const engine = new EngineWatch({ runtime, clock, onTurn: () => this.agent.speakNow() });
    engine.start();
    this.session = { cluster, runtime, pods, orphans, logs, engine, unwatch };
  }

  private async askConfig(uid: string): Promise<ConfigContents> {
    const { bus, node, sealKeys } = this.options;
    const { nodeEpoch } = this.agent;
    if (nodeEpoch === undefined || !bus.connected) throw new NoAnswer('there is nobody to ask');
    return askConfig(bus, { node, nodeEpoch, uid }, sealKeys, CONFIG_ANSWER_MS);
  }

  private async assign(assignment: Assignment): Promise<void> {
    const { session } = this;
    const wanted = this.read(assignment);
    if (!session || this.stopped || !wanted) return;
    const { pods, orphans } = session;
    if (assignment.kind === 'delta') return pods.change(wanted, assignment.removed);
    // Before the first assignment the engine must be seen, for what runs already is not asked whether it fits.
    const found = pods.assignedUids === undefined ? await this.look(session.runtime) : [];
    if (this.stopped) return;
    pods.assign(wanted, found);
    void orphans.sweep();
  }

  /** All or nothing: a pod that cannot be read must not look like one that is to end. */
  private read(assignment: Assignment): AssignedPod[] | undefined {
    try {
      return (assignment.kind === 'delta' ? assignment.upserts : assignment.pods).map(readAssignedPod);
    } catch (cause) {
      if (!(cause instanceof DomainError)) throw cause;
      this.options.report(
        `an assignment at revision ${assignment.revision} cannot be read; nothing of it is done`,
        cause,
      );
      return undefined;
    }
  }

  private async look(runtime: ContainerRuntime): ReturnType<ContainerRuntime['list']> {
    for (;;) {
      try {
        return await runtime.list();
      } catch (cause) {
        if (!(cause instanceof RuntimeError)) throw cause;
        if (this.stopped) return [];
        await this.options.clock.sleep(ENGINE_RETRY_MS);
      }
    }
  }
}
