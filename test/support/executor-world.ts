import { createSealKeys, InMemoryBroker, type InMemoryBus } from '#bus';
import type { SeenState } from '../../apps/executor/src/assignment-tracker.js';
import { Executor } from '../../apps/executor/src/executor.js';
import { FakeContainerRuntime } from './fake-container-runtime.js';
import { FakeControlPlane } from './fake-control-plane.js';
import { FakeEngine, type FakeContainer, type Schedule } from './fake-engine.js';
import { FakeProber } from './fake-prober.js';
import { ManualClock } from './manual-clock.js';
import { SeededIds } from './seeded-ids.js';

/** One executor between a fake engine and a fake control plane, on a clock that the test turns. */
export class ExecutorWorld {
  readonly clock = new ManualClock();
  readonly engine: FakeEngine;
  readonly control: FakeControlPlane;
  readonly prober: FakeProber;
  readonly reports: string[] = [];
  /** What the node wrote down; outlives its executors. */
  seen: SeenState | undefined;
  /** Nothing can be written down. */
  diskIsFull = false;
  executor: Executor | undefined;
  bus: InMemoryBus | undefined;
  private runtime: FakeContainerRuntime | undefined;
  private readonly ids = new SeededIds();
  private readonly broker: InMemoryBroker;
  private lives = 0;

  constructor(schedule?: Schedule) {
    this.engine = new FakeEngine({ clock: this.clock, ...(schedule && { schedule }) });
    this.prober = new FakeProber(this.engine);
    this.broker = new InMemoryBroker({
      clock: this.clock,
      ids: this.ids,
      report: (problem) => this.reports.push(problem),
    });
    this.control = new FakeControlPlane(this.broker.connect('api'));
    this.engine.addImage('busybox:1');
  }

  /** A new executor's process. */
  async start(): Promise<void> {
    this.lives += 1;
    const bus = this.broker.connect(`executor-${this.lives}`);
    const runtime = new FakeContainerRuntime(this.engine, { cluster: 'cluster-1', node: 'n1' });
    this.bus = bus;
    this.runtime = runtime;
    this.executor = new Executor({
      ...{ bus, clock: this.clock, ids: this.ids },
      node: 'n1',
      hostIP: '192.0.2.1',
      capacityShare: 1,
      store: { load: async () => this.seen, save: (state) => this.save(state) },
      describeEngine: () => runtime.info(),
      openRuntime: () => runtime,
      prober: this.prober,
      sealKeys: createSealKeys(),
      report: (problem) => this.reports.push(problem),
    });
    await this.executor.start();
  }

  private async save(state: SeenState): Promise<void> {
    if (this.diskIsFull) throw new Error('no space left on device');
    this.seen = state;
  }

  /** The process is killed: nothing it waits for is answered any more, and nothing leaves it. */
  crash(): void {
    this.runtime?.crash();
    this.bus?.sever();
  }

  /** SIGTERM. */
  async stop(): Promise<void> {
    let stopped = false;
    void this.executor?.stop().then(() => (stopped = true));
    while (!stopped) await this.clock.advance(100);
  }

  /** Lets time pass until something holds. Throws after so many milliseconds of the world's time. */
  async until(what: string, holds: () => boolean, withinMs = 60_000): Promise<void> {
    for (let waited = 0; waited <= withinMs; waited += 50) {
      await this.clock.advance(waited === 0 ? 0 : 50);
      if (holds()) return;
    }
    throw new Error(`not within ${withinMs} ms: ${what}`);
  }

  advance(ms: number): Promise<void> {
    return this.clock.advance(ms);
  }

  /** Containers on the engine, newest last; of one name when one is given (`""`: sandboxes). */
  containers(name?: string): FakeContainer[] {
    return this.engine.all().containers.filter(({ seen }) => name === undefined || seen.name === name);
  }

  running(name: string): FakeContainer[] {
    return this.containers(name).filter(({ seen }) => seen.state === 'running');
  }

  get isEmpty(): boolean {
    const { containers, volumes } = this.engine.all();
    return containers.length === 0 && volumes.length === 0;
  }
}
