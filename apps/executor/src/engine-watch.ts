import type { Clock, Millis } from '#domain';
import type { RuntimeCondition } from '#bus';
import { RuntimeError, type ContainerRuntime } from './runtime/container-runtime.js';

/** An engine that was not heard for this long is down; a node that is not heard has as long (DESIGN section 3). */
const SILENCE_MS = 15_000;
/** How often the engine is asked, in milliseconds: while it answers, and while it is down, when pods wait for it. */
const ASK_MS = { up: 3_000, down: 1_000 };
/** A look that comes this much late means that this process stood still: the engine could not be heard meanwhile. */
const STOOD_STILL_MS = 3_000;
/** Characters that the protocol allows. */
const LONGEST_MESSAGE = 1_024;

export interface EngineWatchOptions {
  readonly runtime: Pick<ContainerRuntime, 'info'>;
  readonly clock: Clock;
  /** The engine went away, or came back. */
  readonly onTurn: () => void;
}

/** Whether the node's engine answers: what the node says of itself with every heartbeat. */
export class EngineWatch {
  private answeredAt: Millis;
  private lookedAt: Millis;
  private isAsking = false;
  private isDown = false;
  private trouble = '';
  private stopped = false;
  private cancelLook: () => void = () => undefined;

  constructor(private readonly options: EngineWatchOptions) {
    this.answeredAt = this.lookedAt = options.clock.now();
  }

  /** In kubelet's words. */
  get condition(): RuntimeCondition {
    if (!this.isDown) return { ready: true, message: '' };
    const why = this.trouble === '' ? '' : `: ${this.trouble}`;
    return { ready: false, message: `container runtime is down${why}`.slice(0, LONGEST_MESSAGE) };
  }

  start(): void {
    this.lookLater();
  }

  stop(): void {
    this.stopped = true;
    this.cancelLook();
  }

  private lookLater(): void {
    const waitMs = this.isDown ? ASK_MS.down : ASK_MS.up;
    this.cancelLook = this.options.clock.after(waitMs, () => this.look(waitMs));
  }

  private look(waitedMs: number): void {
    const now = this.options.clock.now();
    const lateMs = now - this.lookedAt - waitedMs;
    if (lateMs > STOOD_STILL_MS) this.answeredAt += lateMs;
    this.lookedAt = now;
    if (this.isAsking) this.judge();
    else void this.ask();
    this.lookLater();
  }

  /** One question at a time: an engine that hangs is not asked more and more. A late answer counts as well. */
  private async ask(): Promise<void> {
    this.isAsking = true;
    try {
      await this.options.runtime.info();
      this.answeredAt = this.options.clock.now();
      this.trouble = '';
      if (this.isDown) this.turn(false);
    } catch (cause) {
      if (!(cause instanceof RuntimeError)) throw cause;
      this.trouble = cause.message;
      this.judge();
    } finally {
      this.isAsking = false;
    }
  }

  /** Only when a question was not answered: what was not asked says nothing. */
  private judge(): void {
    if (!this.isDown && this.options.clock.now() - this.answeredAt >= SILENCE_MS) this.turn(true);
  }

  private turn(isDown: boolean): void {
    if (this.stopped) return;
    this.isDown = isDown;
    this.options.onTurn();
  }
}
