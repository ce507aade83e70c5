import { sealKeysOf } from '#bus';
import { ClusterProjection, CommandBus } from '#eventlog';
import { createApiCore, type ApiCore } from '../../apps/api/src/api-core.js';
import { Executor } from '../../apps/executor/src/executor.js';
import { NoUsableAnswer } from '../../apps/executor/src/probes/prober.js';
import { Scheduler } from '../../apps/scheduler/src/scheduler.js';
import { FakeContainerRuntime } from '../support/fake-container-runtime.js';
import { FakeEngine } from '../support/fake-engine.js';
import { FakeProber } from '../support/fake-prober.js';
import { seededBytes } from '../support/seeded-bytes.js';
import { engineLink, Link } from './link.js';
import { feedOf, NodeDisk, proberOf, runtimeOf } from './ports.js';
import { loadImages } from './programs.js';
import type { Random } from './random.js';
import { Replica, type Stage } from './replica.js';
import type { SimProcess } from './sim-process.js';

/** Called whenever a process has a projection of its own, before that starts. */
export type ProjectionListener = (process: SimProcess, projection: ClusterProjection) => void;

/** Small, so that restarts begin from snapshots. */
const SNAPSHOT_EVERY = 60;
/** Small, so that a stream that is made anew does not begin with the first event. */
const FEED_WINDOW = 40;

/** An API replica below HTTP. */
export class ApiReplica extends Replica {
  projection: ClusterProjection | undefined;
  private running: { readonly core: ApiCore; readonly life: AbortController; ended: Promise<unknown> } | undefined;

  constructor(
    stage: Stage,
    name: string,
    private readonly onProjection: ProjectionListener,
  ) {
    super(stage, name);
  }

  /** The replica's services, while it answers. */
  get core(): ApiCore | undefined {
    return this.process && this.running?.core;
  }

  protected override async boot(process: SimProcess): Promise<void> {
    this.running = undefined;
    const { clock, ids } = process;
    const life = new AbortController();
    const log = this.openLog(process);
    const bus = this.connectBus(process);
    const feed = feedOf(process, this.feedLink, this.stage.stream);
    const projection = new ClusterProjection({ log, clock, snapshotEvery: SNAPSHOT_EVERY });
    this.projection = projection;
    this.onProjection(process, projection);
    const following = await projection.start(life.signal);
    following.ended.catch((error: unknown) => this.ended(process, error));
    const commands = new CommandBus({ log, projection });
    const core = await createApiCore(
      { log, projection, commands, bus, feed, vault: this.openVault(process), clock, ids },
      {
        identity: process.name,
        feedWindowEvents: FEED_WINDOW,
        report: this.report(process),
        random: seededBytes(ids),
      },
    );
    const { ended } = await core.start(life.signal);
    ended.catch((error: unknown) => this.ended(process, error));
    this.running = { core, life, ended: Promise.allSettled([following.ended, ended]) };
  }

  protected override async shutDown(): Promise<void> {
    this.running?.life.abort();
    await this.running?.ended;
  }
}

/** A scheduler, active or standing by. */
export class SchedulerReplica extends Replica {
  projection: ClusterProjection | undefined;
  private scheduler: Scheduler | undefined;

  constructor(
    stage: Stage,
    name: string,
    private readonly onProjection: ProjectionListener,
  ) {
    super(stage, name);
  }

  /** The epoch it acts under, while it believes that it is the active one. */
  get epoch(): number | undefined {
    return this.process && this.scheduler?.epoch;
  }

  protected override async boot(process: SimProcess): Promise<void> {
    const { clock, ids } = process;
    const log = this.openLog(process);
    const projection = new ClusterProjection({ log, clock });
    this.projection = projection;
    this.onProjection(process, projection);
    const commands = new CommandBus({ log, projection });
    const bus = this.connectBus(process);
    const identity = this.name;
    const report = this.report(process);
    const scheduler = new Scheduler({ log, projection, commands, bus, clock, ids, identity, report });
    this.scheduler = scheduler;
    await scheduler.start();
    scheduler.ended.catch((error: unknown) => this.ended(process, error));
  }

  protected override async shutDown(): Promise<void> {
    await this.scheduler?.stop();
  }
}

/** What a node can hold: little, so that capacity matters. */
export const NODE_CPU_MILLIS = 2_000;
const NODE_MEMORY_BYTES = 2 * 2 ** 30;

/** A node: a container engine that outlives the executors that look at it. */
export class ExecutorReplica extends Replica {
  readonly engine: FakeEngine;
  readonly engineLink: Link;
  private readonly disk = new NodeDisk();
  private readonly diskLink: Link;
  /** To the servers in its pods. */
  private readonly podLink: Link;
  private executor: Executor | undefined;

  constructor(
    stage: Stage,
    readonly node: string,
    random: Random,
    private readonly cluster: string,
  ) {
    const skewMs = random.integer(-200, 200);
    super(stage, `executor-${node}`, skewMs);
    const { loop } = stage;
    const after = (ms: number, run: () => void): (() => void) => loop.schedule(ms, `engine of ${node}`, run);
    this.engine = new FakeEngine({
      cpuMillis: NODE_CPU_MILLIS,
      memoryBytes: NODE_MEMORY_BYTES,
      clock: {
        now: () => Math.floor(loop.now + skewMs),
        after,
        sleep: (ms) => new Promise((resolve) => after(ms, resolve)),
      },
    });
    loadImages(this.engine);
    this.engineLink = engineLink(this.linkSource('engine link'));
    this.diskLink = new Link({
      ...this.linkSource('disk'),
      to: 'disk',
      latencyMs: { low: 0.1, high: 2 },
      patienceMs: { low: 1, high: 2 },
      failure: (what) => new Error(what),
    });
    this.podLink = new Link({
      ...this.linkSource('pods'),
      to: 'pods',
      latencyMs: { low: 0.1, high: 5 },
      patienceMs: { low: 1, high: 1_000 },
      failure: (what) => new NoUsableAnswer(what),
    });
  }

  /** What the executor kept is gone. */
  wipeDisk(): void {
    this.disk.wipe();
  }

  losePower(): void {
    this.kill();
    this.engine.powerOff();
  }

  regainPower(): void {
    this.engine.comeUp('kept');
    this.start();
  }

  override heal(): void {
    super.heal();
    this.engineLink.calm();
    if (!this.engine.up) this.engine.comeUp('kept');
  }

  protected override async boot(process: SimProcess): Promise<void> {
    const { clock, ids } = process;
    const { node, engine, engineLink: link } = this;
    const open = (cluster: string) => {
      const runtime = runtimeOf(process, link, new FakeContainerRuntime(engine, { cluster, node }));
      return this.stage.sabotage.runtime?.(runtime) ?? runtime;
    };
    const executor = new Executor({
      ...{ clock, ids, node },
      bus: this.connectBus(process),
      hostIP: '192.0.2.1',
      capacityShare: 1,
      store: this.disk.storeFor(process, this.diskLink),
      describeEngine: () => open(this.cluster).info(),
      openRuntime: open,
      prober: proberOf(process, this.podLink, new FakeProber(engine)),
      sealKeys: sealKeysOf(seededBytes(ids)(32)),
      report: this.report(process),
    });
    this.executor = executor;
    await executor.start();
  }

  protected override async shutDown(): Promise<void> {
    await this.executor?.stop();
  }
}
