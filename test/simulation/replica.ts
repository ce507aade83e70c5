import { LogUnavailable, type EventLog, type MessageBus, type SecretVault } from '#domain';
import type { InMemoryBroker, InMemoryBus, InMemoryEventStream } from '#bus';
import { InMemorySecretVault, type LogState, type VaultState } from '#eventlog';
import { seededBytes } from '../support/seeded-bytes.js';
import type { EventLoop } from './event-loop.js';
import { feedLink, logLink, type LinkSource } from './link.js';
import type { Network } from './network.js';
import { busOf, logOf } from './ports.js';
import type { Random } from './random.js';
import type { Sabotage } from './sabotage.js';
import type { Tally } from './tally.js';
import { errorText, SimProcess } from './sim-process.js';
import type { Verdicts } from './verdicts.js';

/** What all processes of a world share. */
export interface Stage {
  readonly loop: EventLoop;
  readonly random: Random;
  readonly logState: LogState;
  /** Beside the log, in the same database. */
  readonly vaultState: VaultState;
  readonly broker: InMemoryBroker;
  readonly network: Network;
  readonly stream: InMemoryEventStream;
  readonly verdicts: Verdicts;
  readonly sabotage: Sabotage;
  readonly faults: Tally;
}

/** Somebody starts a process again that ended by itself, after this long, in milliseconds. */
const RESTART_MS = 1_000;
/** A process that was asked to stop is killed after this long, in milliseconds; systemd's patience is longer. */
const STOP_MS = 15_000;

/** A program that is to run all the time: one process after the other. */
export abstract class Replica {
  readonly logLink;
  readonly feedLink;
  private readonly random: Random;
  private readonly skewMs: number;
  private runs = 0;
  private current: SimProcess | undefined;
  private connection: InMemoryBus | undefined;
  private reachable = true;
  private wanted = false;

  constructor(
    protected readonly stage: Stage,
    readonly name: string,
    skewMs?: number,
  ) {
    this.random = stage.random.fork(name);
    this.skewMs = skewMs ?? this.random.integer(-200, 200);
    this.logLink = logLink(this.linkSource('log link'));
    this.feedLink = feedLink(this.linkSource('feed link'));
  }

  /** The process that runs, or is paused. */
  get process(): SimProcess | undefined {
    return this.current?.state === 'dead' ? undefined : this.current;
  }

  /** Whether it can talk to NATS now. */
  get isConnected(): boolean {
    return this.connection?.connected ?? false;
  }

  /** Starts a process unless there is one. */
  start(): void {
    this.wanted = true;
    if (this.process) return;
    this.runs += 1;
    const { loop } = this.stage;
    const name = `${this.name}#${this.runs}`;
    const process = new SimProcess(loop, name, this.random.fork(`run ${this.runs}`), this.skewMs);
    this.current = process;
    process.later(0, 'starts', () => {
      this.boot(process).catch((error: unknown) => this.ended(process, error));
    });
  }

  /** SIGKILL. */
  kill(): void {
    this.wanted = false;
    this.end();
  }

  /** SIGTERM, and SIGKILL when it does not obey in time. */
  stop(): void {
    this.wanted = false;
    const { process } = this;
    if (!process) return;
    this.stage.loop.schedule(STOP_MS, `${process.name} is killed`, () => this.endStopped(process));
    process.later(0, 'SIGTERM', () => {
      this.shutDown(process).then(
        () => process.later(0, 'exits', () => this.endStopped(process)),
        (error: unknown) => this.ended(process, error),
      );
    });
  }

  /** Cuts or restores its way to NATS. */
  reachBus(reachable: boolean): void {
    this.reachable = reachable;
    this.connection?.reach(reachable);
    this.feedLink.down = !reachable;
  }

  /** No fault of its surroundings is left; it may still have to be started. */
  heal(): void {
    this.logLink.calm();
    this.feedLink.calm();
    this.reachBus(true);
    this.process?.resume();
  }

  protected linkSource(name: string): LinkSource {
    const { faults, loop } = this.stage;
    return { random: this.random.fork(name), faults, now: () => loop.now };
  }

  protected abstract boot(process: SimProcess): Promise<void>;
  protected abstract shutDown(process: SimProcess): Promise<void>;

  protected connectBus(process: SimProcess): MessageBus {
    const { broker, network } = this.stage;
    const bus = broker.connect(process.name);
    network.attach(process.name, process);
    this.connection = bus;
    if (!this.reachable) bus.reach(false);
    process.onEnd(() => {
      bus.sever();
      network.detach(process.name);
    });
    return busOf(process, bus);
  }

  protected openLog(process: SimProcess): EventLog {
    const { logState, sabotage } = this.stage;
    const log = logOf(process, this.logLink, logState);
    return sabotage.log?.(log) ?? log;
  }

  protected openVault(process: SimProcess): SecretVault {
    const { clock, ids } = process;
    return new InMemorySecretVault({
      clock,
      state: this.stage.vaultState,
      schedule: (label, work) => process.call(label, this.logLink, work),
      random: seededBytes(ids),
    });
  }

  /** What a program says to people: part of the trace. */
  protected report(process: SimProcess): (problem: string, cause?: unknown) => void {
    return (problem, cause) => {
      const why = cause === undefined ? '' : ` (${errorText(cause)})`;
      this.stage.loop.note(`${process.name} says: ${problem}${why}`);
    };
  }

  /** The process cannot go on. For want of the log that is as it should be, and it is started again; anything else is a mistake. */
  protected ended(process: SimProcess, error: unknown): void {
    if (process.state === 'dead') return;
    this.stage.loop.note(`${process.name} ends: ${errorText(error)}`);
    if (!(error instanceof LogUnavailable)) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.stage.verdicts.fail('processes go on', `${process.name} ended: ${text}`);
    }
    this.end();
    this.stage.loop.schedule(RESTART_MS, `${this.name} is started again`, () => this.wanted && this.start());
  }

  private end(): void {
    this.connection = undefined;
    this.current?.die();
  }

  /** The end of a process that was asked to stop; perhaps another is wanted by now. */
  private endStopped(process: SimProcess): void {
    if (process !== this.process) return;
    this.end();
    if (this.wanted) this.start();
  }
}
