import { LogUnavailable, NoAnswer, type Millis } from '#domain';
import { RuntimeError } from '../../apps/executor/src/runtime/container-runtime.js';
import type { Random } from './random.js';
import type { Tally } from './tally.js';

/** What becomes of one call. `lost`: it never arrives; `unanswered`: it is carried out and nobody hears of it. */
export interface Fate {
  readonly requestMs: number;
  readonly answerMs: number;
  readonly fault?: 'lost' | 'unanswered';
}

/** How likely what goes wrong is, for each call or message. */
export interface Weather {
  readonly lost: number;
  readonly unanswered: number;
  /** A message comes twice. */
  readonly repeated: number;
  /** It takes a hundred times as long. */
  readonly slow: number;
}

export const CALM: Weather = { lost: 0, unanswered: 0, repeated: 0, slow: 0 };

/** What weather does to calls; each is a kind of fault for each link, as in `log lost`. */
export const CALL_FAULTS = ['lost', 'unanswered', 'slow'] as const;

/** What all links of one kind of caller have in common. */
export type LinkSource = Pick<LinkOptions, 'random' | 'faults' | 'now'>;

export interface LinkOptions {
  readonly now: () => Millis;
  /** What is at the other end. */
  readonly to: string;
  /** Where faults are counted. */
  readonly faults: Tally;
  readonly random: Random;
  /** Usual time of one way, in milliseconds. */
  readonly latencyMs: { readonly low: number; readonly high: number };
  /** What a caller waits before it is told that nothing came, in milliseconds. No way takes longer than it waits at most. */
  readonly patienceMs: { readonly low: number; readonly high: number };
  readonly failure: (what: string) => Error;
}

/** The way between a process and something it calls. */
export class Link {
  /** Nothing comes through, in either direction. */
  down = false;
  /** What is sent now arrives that much later, in milliseconds: it waits in a buffer on the way. */
  heldMs: (what: string) => number = () => 0;
  /** Everything takes this many times as long. */
  slowness = 1;
  weather: Weather = CALM;
  /** When the last call that began in bad weather has ended. */
  private calmAt: Millis = 0;

  constructor(private readonly options: LinkOptions) {}

  failure(what: string): Error {
    return this.options.failure(what);
  }

  fate(what: string): Fate {
    const { random, latencyMs, patienceMs, faults, to } = this.options;
    const { lost, unanswered, slow } = this.weather;
    const isClear = this.isClear;
    const chance = this.down ? 0 : random.next();
    const delay = (): number => {
      const usual = random.spread(latencyMs.low, latencyMs.high) * this.slowness;
      if (!random.chance(slow)) return usual;
      faults.count(`${to} slow`);
      return Math.min(usual * 100, patienceMs.high);
    };
    const requestMs = delay() + this.heldMs(what);
    if (!this.down && chance >= lost + unanswered) return this.noted(isClear, { requestMs, answerMs: delay() });
    const answerMs = random.spread(patienceMs.low, patienceMs.high);
    const fault = this.down || chance < lost ? 'lost' : 'unanswered';
    if (!this.down) faults.count(`${to} ${fault}`);
    return this.noted(isClear, { requestMs, answerMs, fault });
  }

  /** Nothing is wrong, and no call that began when something was is still under way. */
  get isCalm(): boolean {
    return this.isClear && this.options.now() >= this.calmAt;
  }

  private get isClear(): boolean {
    return !this.down && this.slowness === 1 && this.weather === CALM;
  }

  private noted(isClear: boolean, fate: Fate): Fate {
    if (!isClear) this.calmAt = Math.max(this.calmAt, this.options.now() + fate.requestMs + fate.answerMs);
    return fate;
  }

  calm(): void {
    this.down = false;
    this.slowness = 1;
    this.heldMs = () => 0;
    this.weather = CALM;
  }
}

/** To the database: `LogUnavailable` when no answer comes. */
export const logLink = (from: LinkSource): Link =>
  new Link({
    ...from,
    to: 'log',
    latencyMs: { low: 0.2, high: 3 },
    patienceMs: { low: 1, high: 3_000 },
    failure: (what) => new LogUnavailable(`${what}: connection terminated`),
  });

/** To JetStream: `NoAnswer`. */
export const feedLink = (from: LinkSource): Link =>
  new Link({
    ...from,
    to: 'feed',
    latencyMs: { low: 0.2, high: 3 },
    patienceMs: { low: 1, high: 5_000 },
    failure: (what) => new NoAnswer(`${what}: no answer`),
  });

/** To a container engine: `Unavailable` at once or a deadline that ran out. */
export const engineLink = (from: LinkSource): Link =>
  new Link({
    ...from,
    to: 'engine',
    latencyMs: { low: 0.5, high: 60 },
    patienceMs: { low: 1, high: 20_000 },
    failure: (what) =>
      new RuntimeError(
        from.random.pick(['Unavailable', 'Unavailable', 'DeadlineExceeded', 'Failed']),
        `${what}: no answer`,
      ),
  });
