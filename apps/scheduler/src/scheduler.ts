import { type Clock, type EventLog, type IdSource, type MessageBus, workloadRules } from '#domain';
import type { ClusterProjection, CommandBus } from '#eventlog';
import { readSchedule } from '#system';
import { EventExpiry } from './event-expiry.js';
import { EvictionLoop } from './eviction-loop.js';
import { GarbageLoop } from './garbage-loop.js';
import { heartbeatsOn, type HeartbeatSource } from './heartbeats.js';
import { Leadership, type Tenure } from './leadership.js';
import { NamespaceLoop } from './namespace-loop.js';
import { NodeMonitor } from './node-monitor.js';
import { ReconcileLoop, type Report } from './reconcile-loop.js';
import { SchedulingLoop } from './scheduling-loop.js';
import { ServiceAccountLoop } from './service-account-loop.js';
import { Term } from './term.js';
import { WorkloadLoop } from './workload-loop.js';
import { untilAvailable } from './until-available.js';

export interface SchedulerOptions {
  readonly log: EventLog;
  /** Not started yet: the scheduler starts it, and keeps it warm while it stands by. */
  readonly projection: ClusterProjection;
  readonly commands: CommandBus;
  readonly bus: MessageBus;
  readonly clock: Clock;
  readonly ids: IdSource;
  /** Unique among the schedulers of the cluster. */
  readonly identity: string;
  readonly report: Report;
  /** From the bus when absent. */
  readonly heartbeats?: HeartbeatSource;
}

/**
 * Decides how many, where and until when: one of several is active at a time, the others stand by. Everything it does is a
 * reconcile over the projected state, and everything it knows beyond that is rebuilt when its term begins.
 */
export class Scheduler {
  readonly #stop = new AbortController();
  #ended: Promise<void> = Promise.resolve();
  #term: Term | undefined;

  constructor(private readonly options: SchedulerOptions) {}

  /** The epoch of its term while it is the active one. */
  get epoch(): number | undefined {
    return this.#term?.epoch;
  }

  /** Settles when the scheduler has ended: rejects when it cannot go on, and then the process should stop. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** Resolves once the projection is warm and the scheduler stands by, or leads. Throws `LogUnavailable`. */
  async start(): Promise<void> {
    const { log, clock, identity, ids, projection } = this.options;
    const { signal } = this.#stop;
    const following = await projection.start(signal);
    // Of a process that died and came back at once, the lease must not look as if it were still held.
    const holder = `${identity}/${ids.uuid()}`;
    const leadership = new Leadership({ log, clock, holder, lead: (tenure) => this.#lead(tenure) });
    const end = (): void => this.#stop.abort();
    this.#ended = Promise.allSettled([following.ended.finally(end), leadership.run(signal).finally(end)]).then(
      (results) => {
        for (const result of results) if (result.status === 'rejected') throw result.reason;
      },
    );
    this.#ended.catch(() => undefined); // Whoever asks for `ended` is told.
  }

  /** Stands down, gives the lease back and resolves when nothing is under way. Throws what ended it, if anything did. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  async #lead({ epoch, signal, depose }: Tenure): Promise<void> {
    const { log, projection, commands, bus, clock, ids, report, heartbeats = heartbeatsOn(bus) } = this.options;
    const deposed = (current: number): void => {
      report(`epoch ${epoch} is over: ${current} has begun`);
      depose();
    };
    const term = new Term({ epoch, commands, clock, ids, deposed, signal });
    const workplace = { projection, term, clock, ids };
    let failure: { readonly error: unknown } | undefined;
    const fail = (error: unknown): void => {
      failure ??= { error };
      depose();
    };
    // All that earlier terms recorded is in the log by now, for their epoch is over.
    await untilAvailable(clock, signal, () => projection.catchUp());
    const monitor = await untilAvailable(clock, signal, () =>
      NodeMonitor.create({ ...workplace, log, bus, heartbeats }),
    );
    if (!monitor || signal.aborted) return;
    this.#term = term;
    const loops = [
      monitor,
      new SchedulingLoop(workplace),
      ...workloadRules(readSchedule).map((rules) => new WorkloadLoop(workplace, rules, log)),
      new EvictionLoop(workplace),
      new GarbageLoop(workplace),
      new NamespaceLoop(workplace),
      new ServiceAccountLoop(workplace),
      new EventExpiry(workplace),
    ].map((controller) => new ReconcileLoop(controller, { clock, projection, report, fail }));
    for (const loop of loops) loop.start();
    await new Promise<void>((resolve) => {
      if (signal.aborted) return resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    this.#term = undefined;
    await Promise.all(loops.map((loop) => loop.stop()));
    if (failure) throw failure.error;
  }
}
