import {
  type ClusterState,
  decideNamespace,
  decideNode,
  decidePlain,
  decidePod,
  decideWorkload,
  isPlain,
  isWorkload,
  namesOf,
  namespaceStream,
  type NodeCommand,
  type NodeState,
  nodeStream,
  type PlainCommand,
  type PodCommand,
  type PodFact,
  type PodSpec,
  type PodState,
  podStream,
  type Recorded,
  type ReplicaSetState,
  replicaSetStream,
  type RequestedMeta,
  streamOfKind,
  type WorkloadCommand,
  type WorkloadKind,
} from '#domain';
import { InMemoryBroker, type InMemoryBus, nodeRequestSubject } from '#bus';
import { ClusterProjection, CommandBus, InMemoryEventLog, LogState, type Schedule } from '#eventlog';
import { Scheduler } from '../../apps/scheduler/src/scheduler.js';
import { aMeta, aNodeDescription, aPodSpec } from './builders.js';
import { ManualClock } from './manual-clock.js';
import { PausableProcess } from './pausable-process.js';
import { SeededIds } from './seeded-ids.js';

export interface RunningScheduler {
  readonly scheduler: Scheduler;
  readonly process: PausableProcess;
  readonly bus: InMemoryBus;
}

const NAMESPACE = 'shop';
const HEARTBEAT_MS = 5_000;

/** One log, one bus and one virtual time; schedulers on them; and by hand what the API and the executors would do. */
export class SchedulerWorld {
  readonly clock = new ManualClock();
  readonly ids = new SeededIds();
  readonly logState = new LogState(this.clock, this.ids);
  readonly #processes = new Map<string, PausableProcess>();
  readonly broker = new InMemoryBroker({
    clock: this.clock,
    ids: this.ids,
    deliver: (_from, to, _subject, _message, run) =>
      queueMicrotask(() => (this.#processes.get(to) ? this.#processes.get(to)?.run(run) : run())),
  });
  readonly problems: string[] = [];
  readonly #stop = new AbortController();
  readonly #log = new InMemoryEventLog({ clock: this.clock, ids: this.ids, state: this.logState });
  readonly #projection = new ClusterProjection({ log: this.#log, clock: this.clock });
  readonly #commands = new CommandBus({ log: this.#log, projection: this.#projection });
  readonly #schedulers = new Set<Scheduler>();
  readonly #silenced = new Set<string>();
  readonly #out = new Map<string, string>();

  /** A world with an empty namespace `shop`. */
  static async create(): Promise<SchedulerWorld> {
    const world = new SchedulerWorld();
    await world.#projection.start(world.#stop.signal);
    await world.namespace(NAMESPACE);
    return world;
  }

  get state(): ClusterState {
    return this.#projection.state;
  }

  async stop(): Promise<void> {
    for (const process of this.#processes.values()) process.resume();
    const stopping = Promise.all([...this.#schedulers].map((scheduler) => scheduler.stop()));
    await this.clock.advance(0);
    await stopping;
    this.#stop.abort();
  }

  /** A scheduler that has ended by itself needs no stop. */
  forget(scheduler: Scheduler): void {
    this.#schedulers.delete(scheduler);
  }

  /** A scheduler in a process of its own; `schedule` may interfere with its calls to the log. */
  async scheduler(name = 'scheduler', schedule?: Schedule, process = new PausableProcess()): Promise<RunningScheduler> {
    this.#processes.set(name, process);
    const clock = process.clock(this.clock);
    const log = new InMemoryEventLog({
      clock,
      ids: this.ids,
      state: this.logState,
      schedule: schedule ?? process.schedule,
    });
    const projection = new ClusterProjection({ log, clock });
    const commands = new CommandBus({ log, projection });
    const bus = this.broker.connect(name);
    const report = (problem: string, cause?: unknown): number =>
      this.problems.push(cause instanceof Error ? `${problem}: ${cause.message}` : problem);
    const { ids } = this;
    const scheduler = new Scheduler({ log, projection, commands, bus, clock, ids, identity: name, report });
    this.#schedulers.add(scheduler);
    const started = scheduler.start();
    await this.clock.advance(0);
    await started;
    await this.clock.advance(0);
    return { scheduler, process, bus };
  }

  /** Lets things happen for a while, heartbeats included. */
  async pass(seconds: number): Promise<void> {
    await this.clock.advance(seconds * 1_000);
  }

  async namespace(name: string): Promise<void> {
    const stream = namespaceStream(name);
    const meta = aMeta({ uid: this.ids.uuid() });
    await this.#execute(() => [
      {
        stream,
        events: decideNamespace({ type: 'RequestNamespace', name, meta }, this.state.namespace(name)),
      },
    ]);
  }

  async deleteNamespace(name = NAMESPACE): Promise<void> {
    await this.#execute((state) => [
      {
        stream: namespaceStream(name),
        events: decideNamespace({ type: 'DeleteNamespace', preconditions: {} }, state.namespace(name)),
      },
    ]);
  }

  /** An executor registers a node of this many cores and sends heartbeats from then on. */
  async join(name: string, { cores = 4, labels = {} }: { cores?: number; labels?: Record<string, string> } = {}) {
    const capacity = { cpuMillis: cores * 1000, memoryBytes: 8 * 2 ** 30, pods: 110 };
    const description = aNodeDescription({ labels, capacity, allocatable: capacity });
    await this.node(name, (state) => ({
      type: 'RegisterNode',
      name,
      uid: this.ids.uuid(),
      podCIDR: '10.0.0.0/24',
      description,
      streamVersion: state.version(nodeStream(name)),
    }));
    const executor = this.broker.connect(`executor-${name}`);
    const beat = (): void => {
      const nodeEpoch = this.state.node(name)?.nodeEpoch;
      if (nodeEpoch !== undefined && !this.#silenced.has(name)) {
        const problem = this.#out.get(name);
        const runtime = { ready: problem === undefined, message: problem ?? '' };
        const message = { node: name, nodeEpoch, revision: 0, sentAt: this.clock.now(), runtime };
        executor.publish(nodeRequestSubject(name, 'heartbeat'), message);
      }
      this.clock.after(HEARTBEAT_MS, beat);
    };
    beat();
    await this.clock.advance(0);
  }

  /** The executor is not heard any more, though it still runs. */
  silence(...names: string[]): void {
    for (const name of names) this.#silenced.add(name);
  }

  /** It is heard again; after a loss it has to register before that counts. */
  hear(...names: string[]): void {
    for (const name of names) this.#silenced.delete(name);
  }

  /** The executors say that they cannot run pods, or, without a problem, that they can again. */
  cannotRunPods(names: readonly string[], problem?: string): void {
    for (const name of names) {
      if (problem === undefined) this.#out.delete(name);
      else this.#out.set(name, problem);
    }
  }

  async node(name: string, command: (state: ClusterState) => NodeCommand): Promise<void> {
    await this.#execute((state) => [
      { stream: nodeStream(name), events: decideNode(command(state), state.node(name)) },
    ]);
  }

  /** Edits `spec` of a node, as `kubectl cordon` and `kubectl taint` do. */
  async editNode(name: string, spec: Record<string, unknown>): Promise<void> {
    await this.node(name, (state) => {
      const { labels = {}, annotations = {} } = state.node(name)?.meta ?? {};
      return {
        type: 'ChangeNode',
        desired: { labels, annotations, ownerReferences: [], finalizers: [], spec: JSON.parse(JSON.stringify(spec)) },
        preconditions: {},
        fieldManager: 'kubectl',
        operation: 'Update',
        managedFields: [],
      };
    });
  }

  /** A client creates a pod that asks for this much cpu. */
  async pod(
    name: string,
    { cpu, spec = {}, ...meta }: { cpu?: string; spec?: Partial<PodSpec> } & Partial<RequestedMeta> = {},
  ): Promise<void> {
    const [container] = aPodSpec().containers;
    const resources = cpu === undefined ? {} : { resources: { requests: { cpu } } };
    await this.onPod(name, () => ({
      type: 'RequestPod',
      namespace: NAMESPACE,
      name,
      meta: aMeta({ uid: this.ids.uuid(), ...meta }),
      spec: aPodSpec({ ...(container && { containers: [{ ...container, ...resources }] }), ...spec }),
    }));
  }

  async onPod(name: string, command: (pod: PodState | undefined) => PodCommand): Promise<void> {
    const stream = podStream(NAMESPACE, name);
    await this.#execute(() => {
      const pod = this.findPod(name);
      return [{ stream, events: decidePod(command(pod), pod) }];
    });
  }

  /** `kubectl delete pod`. */
  async deletePod(name: string): Promise<void> {
    await this.onPod(name, () => ({
      type: 'TerminatePod',
      preconditions: {},
      propagation: 'Background',
      reason: 'Requested',
      nodeReady: true,
    }));
  }

  /** The executor confirms that nothing is left of a pod that was told to go. */
  async removed(name: string): Promise<void> {
    await this.onPod(name, (pod) => ({
      type: 'ReportFact',
      uid: pod?.meta.uid ?? '',
      node: pod?.nodeName ?? '',
      fact: { id: `${name}/removed`, type: 'PodContainersRemoved', data: { node: pod?.nodeName ?? '' } },
    }));
  }

  /** The executor has started the pod: it is ready. */
  async runs(name: string): Promise<void> {
    const report = (fact: PodFact) =>
      this.onPod(name, (pod) => ({
        type: 'ReportFact',
        uid: pod?.meta.uid ?? '',
        node: pod?.nodeName ?? '',
        fact,
      }));
    const sandbox = { attempt: 0, sandboxId: `s-${name}`, ip: '10.0.0.2', hostIP: '192.0.2.1' };
    await report({ id: `${name}/sandbox`, type: 'PodSandboxStarted', data: sandbox });
    const startedAt = this.clock.now();
    const started = { container: 'app', attempt: 0, containerId: `c-${name}`, imageId: 'i', startedAt };
    await report({ id: `${name}/started`, type: 'ContainerStarted', data: started });
  }

  /** The container ends with this code. */
  async exited(name: string, exitCode: number): Promise<void> {
    await this.onPod(name, (pod) => ({
      type: 'ReportFact',
      uid: pod?.meta.uid ?? '',
      node: pod?.nodeName ?? '',
      fact: {
        id: `${name}/exited`,
        type: 'ContainerExited',
        data: {
          container: 'app',
          attempt: 0,
          containerId: `c-${name}`,
          exitCode,
          reason: exitCode === 0 ? 'Completed' : 'Error',
          finishedAt: this.clock.now(),
        },
      },
    }));
  }

  async replicaSet(name: string, replicas: number, spec: Partial<PodSpec> = {}): Promise<void> {
    const labels = { app: name };
    await this.onReplicaSet(name, {
      type: 'RequestWorkload',
      namespace: NAMESPACE,
      name,
      meta: aMeta({ uid: this.ids.uuid(), labels }),
      spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: aPodSpec(spec) } },
      replicas,
    });
  }

  async onReplicaSet(name: string, command: WorkloadCommand): Promise<void> {
    const stream = replicaSetStream(NAMESPACE, name);
    await this.#execute(() => [{ stream, events: decideWorkload('ReplicaSet', command, this.findReplicaSet(name)) }]);
  }

  /** A wish about a workload of any kind. */
  async onWorkload(kind: WorkloadKind, name: string, command: WorkloadCommand): Promise<void> {
    const stream = streamOfKind(kind, NAMESPACE, name);
    await this.#execute((state) => {
      const workload = state.get(stream);
      return [
        { stream, events: decideWorkload(kind, command, workload && isWorkload(workload) ? workload : undefined) },
      ];
    });
  }

  /** A wish about an object without a life of its own; cluster-scoped ones ignore the namespace. */
  async onPlain(name: string, command: PlainCommand): Promise<void> {
    const { namespaced } = namesOf(command.kind);
    const stream = streamOfKind(command.kind, namespaced ? NAMESPACE : '', name);
    await this.#execute((state) => {
      const object = state.get(stream);
      return [{ stream, events: decidePlain(command, object && isPlain(object) ? object : undefined) }];
    });
  }

  async scale(name: string, replicas: number): Promise<void> {
    await this.onReplicaSet(name, {
      type: 'ScaleWorkload',
      replicas,
      preconditions: {},
      fieldManager: 'kubectl',
    });
  }

  findPod(name: string): PodState | undefined {
    const object = this.state.get(podStream(NAMESPACE, name));
    return object?.kind === 'Pod' ? object : undefined;
  }

  findReplicaSet(name: string): ReplicaSetState | undefined {
    const object = this.state.get(replicaSetStream(NAMESPACE, name));
    return object?.kind === 'ReplicaSet' ? object : undefined;
  }

  findNode(name: string): NodeState | undefined {
    return this.state.node(name);
  }

  /** Where pods are: `{ web: 'n1', db: undefined }`. */
  placements(): Record<string, string | undefined> {
    return Object.fromEntries([...this.state.pods()].map(({ meta, nodeName }) => [meta.name, nodeName]));
  }

  /** Everything in the log, or everything of some types. */
  events(...types: string[]): Recorded[] {
    const all = this.logState.readAfter(0, this.logState.head());
    return types.length === 0 ? all : all.filter(({ type }) => types.includes(type));
  }

  async #execute(decide: Parameters<CommandBus['execute']>[0]['decide']): Promise<void> {
    const requestId = this.ids.uuid();
    const context = { actor: { kind: 'user', name: 'test' }, requestId, correlationId: requestId } as const;
    const done = this.#commands.execute({ commandId: requestId, context, decide });
    await Promise.all([done, this.clock.advance(0)]);
  }
}
