import { ClusterState, type Clock, type Recorded } from '#domain';
import { InMemoryBroker, InMemoryEventStream } from '#bus';
import { LogState, VaultState } from '#eventlog';
import { Client } from './client.js';
import { CommitInvariants, watchLeases } from './commit-invariants.js';
import { ControllerInvariants } from './controller-invariants.js';
import { EventLoop } from './event-loop.js';
import { Invariants } from './invariants.js';
import { Network } from './network.js';
import { hashOf, Oracle } from './oracle.js';
import type { Random } from './random.js';
import type { Replica, Stage } from './replica.js';
import { ApiReplica, ExecutorReplica, SchedulerReplica } from './replicas.js';
import type { Sabotage } from './sabotage.js';
import { SharedFate } from './shared-fate.js';
import { Tally } from './tally.js';
import { Verdicts } from './verdicts.js';
import { Chronicle, Watcher } from './watcher.js';

const API_REPLICAS = 2;
const SCHEDULERS = 2;
/** Worlds take about 10,000 steps, few take 50,000. */
const MOST_STEPS = 100_000;
const NODES = ['n1', 'n2', 'n3'];

/** A whole cluster in one thread: real programs on a simulated log, bus and engines, all of it a function of one seed. */
export class World {
  readonly loop: EventLoop;
  readonly verdicts = new Verdicts();
  /** How often each kind of fault struck. */
  readonly faults = new Tally();
  /** Events in the log, by type. */
  readonly eventTypes = new Tally();
  readonly network: Network;
  readonly broker: InMemoryBroker;
  readonly stream = new InMemoryEventStream();
  readonly logState: LogState;
  readonly oracle: Oracle;
  readonly apis: readonly ApiReplica[];
  readonly schedulers: readonly SchedulerReplica[];
  readonly executors: readonly ExecutorReplica[];
  readonly watchers: Watcher[] = [];
  readonly client: Client;
  readonly nodes = NODES;
  private readonly invariants: Invariants;
  private readonly sharedFate: SharedFate;
  private readonly chronicle = new Chronicle();

  constructor(
    readonly random: Random,
    sabotage: Sabotage,
    onLine?: (line: string) => void,
  ) {
    this.loop = new EventLoop(random.fork('order'), onLine);
    const { loop, verdicts } = this;
    const clock: Clock = {
      now: () => Math.floor(loop.now),
      after: (ms, run) => loop.schedule(ms, 'timer', run),
      sleep: (ms) => new Promise((resolve) => loop.schedule(ms, 'timer', resolve)),
    };
    this.network = new Network(loop, random.fork('network'), this.faults);
    this.broker = new InMemoryBroker({
      clock,
      ids: random.fork('broker').ids(),
      deliver: this.network.deliver,
      report: (problem, cause) => this.onBusProblem(problem, cause),
    });
    const logIds = random.fork('log').ids();
    this.logState = watchLeases(sabotage.logState?.(clock, logIds) ?? new LogState(clock, logIds), verdicts);
    const commits = [new CommitInvariants(verdicts), new ControllerInvariants(verdicts)];
    this.invariants = new Invariants(verdicts);
    this.oracle = new Oracle(this.logState, (command) => {
      for (const { type } of command.events) this.eventTypes.count(type);
      this.chronicle.record(command);
      this.invariants.onCommand(this.oracle, command);
      for (const invariants of commits) invariants.onCommand(this.oracle, command);
    });
    const { broker, network, stream, logState, oracle } = this;
    const stage: Stage = {
      ...{ loop, random, logState, broker, network, stream, verdicts, sabotage },
      vaultState: new VaultState(),
      faults: this.faults,
    };
    const onProjection: ConstructorParameters<typeof ApiReplica>[2] = (process, projection) =>
      this.invariants.onProjection(oracle, process, projection);
    const numbered = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
    this.apis = numbered(API_REPLICAS).map((number) => new ApiReplica(stage, `api-${number}`, onProjection));
    this.schedulers = numbered(SCHEDULERS).map(
      (number) => new SchedulerReplica(stage, `scheduler-${number}`, onProjection),
    );
    this.executors = NODES.map((node) => {
      const executor = new ExecutorReplica(stage, node, random.fork(node), logState.clusterId);
      executor.engine.watch(
        (container) => container && this.invariants.onContainer(oracle, node, executor.engine, container),
      );
      return executor;
    });
    this.sharedFate = new SharedFate({ loop, network, oracle, verdicts, apis: this.apis, executors: this.executors });
    this.client = new Client({
      loop,
      random: random.fork('client'),
      replicas: this.apis,
      verdicts,
      onAcknowledged: (write, changed) => this.invariants.onAcknowledged(oracle, write, changed),
      isGone: (uid) => oracle.state.objectByUid(uid) === undefined,
      knownList: () => (oracle.knownLists.length > 0 ? random.pick(oracle.knownLists) : undefined),
    });
  }

  get replicas(): readonly Replica[] {
    return [...this.apis, ...this.schedulers, ...this.executors];
  }

  start(): void {
    for (const replica of this.replicas) replica.start();
    this.sharedFate.start();
  }

  /** A watch from some revision that the log has had by now. */
  watch(number: number): void {
    const { loop, random, apis: replicas, chronicle, verdicts, oracle } = this;
    const own = random.fork(`watcher ${number}`);
    const watcher = new Watcher({
      ...{ loop, random: own, replicas, chronicle, verdicts, name: `watcher-${number}` },
      kind: own.weighted({ Pod: 4, ReplicaSet: 1, Deployment: 1, Job: 1, Node: 1, Namespace: 1 }),
      ...(own.chance(0.4) && { tier: 'a' }),
      after: own.integer(1, Math.max(1, oracle.state.revision)),
    });
    this.watchers.push(watcher);
    watcher.open();
  }

  /** The log read again from its beginning, as text, gives the same state. */
  replay(): void {
    const state = ClusterState.empty();
    for (const event of this.logState.readAfter(0, Number.MAX_SAFE_INTEGER)) {
      const copy: Recorded = JSON.parse(JSON.stringify(event));
      state.apply(copy);
    }
    this.verdicts.check(
      hashOf(state) === hashOf(this.oracle.state),
      'the same log gives the same state',
      () => 'replay',
    );
  }

  /** All faults end: what is broken is repaired, what does not run is started. */
  heal(): void {
    this.loop.note('all faults end');
    this.broker.outage(false);
    this.network.calm();
    for (const replica of this.replicas) {
      replica.heal();
      replica.start();
    }
  }

  /** Operators start executors anew on nodes that somebody deleted. */
  rejoinNodes(): void {
    for (const executor of this.executors) {
      if (this.oracle.state.node(executor.node)) continue;
      executor.kill();
      executor.start();
    }
  }

  /** Runs until a time, or until something is wrong. */
  async run(untilMs: number): Promise<void> {
    const until = this.loop.now + untilMs;
    while (this.verdicts.violation === undefined && (await this.loop.step(until))) {
      this.invariants.onStream(this.oracle, this.stream);
      if (this.loop.steps > MOST_STEPS) this.verdicts.fail('nothing spins', `${MOST_STEPS} steps`);
    }
  }

  /** A fault on the bus is a handler that threw what is no refusal: a lost log is one, a broken rule is not. */
  private onBusProblem(problem: string, cause: unknown): void {
    this.loop.note(`bus: ${problem}: ${cause instanceof Error ? cause.message : ''}`);
    const isExpected = cause instanceof Error && (cause.name === 'LogUnavailable' || cause.name === 'VersionConflict');
    if (!isExpected) {
      const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
      this.verdicts.fail('handlers of messages do not throw', `${problem}: ${text}`);
    }
  }
}
