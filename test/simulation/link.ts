import { LogUnavailable, NoAnswer } from '#domain';
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

export interface LinkOptions {
  /** What is at the other end. */
  readonly to: string;
  /** Where faults are counted. */
  readonly faults: Tally;
  readonly random: Random;
  /** Usual time of one way, in milliseconds. */
  readonly latencyMs: { readonly low: number; readonly high: number };
  /** What a caller waits before it is told that nothing came, in milliseconds. */
  readonly patienceMs: { readonly low: number; readonly high: number };
  readonly failure: (what: string) => Error;
}

/** The way between a process and something it calls. */
export class Link {
  /** Nothing comes through, in either direction. */
  down = false;
  /** What is sent now arrives that much later, in milliseconds: it waits in a buffer on the way. */
  heldMs: () => number = () => 0;
  /** Everything takes this many times as long. */
  slowness = 1;
  weather: Weather = CALM;

  constructor(private readonly options: LinkOptions) {}

  failure(what: string): Error {
    return this.options.failure(what);
  }

  fate(): Fate {
    const { random, latencyMs, patienceMs, faults, to } = this.options;
    const { lost, unanswered, slow } = this.weather;
    const chance = this.down ? 0 : random.next();
    const delay = (): number => {
      const usual = random.spread(latencyMs.low, latencyMs.high) * this.slowness;
      if (!random.chance(slow)) return usual;
      faults.count(`${to} slow`);
      return usual * 100;
    };
    const requestMs = delay() + this.heldMs();
    if (!this.down && chance >= lost + unanswered) return { requestMs, answerMs: delay() };
    const answerMs = random.spread(patienceMs.low, patienceMs.high);
    const fault = this.down || chance < lost ? 'lost' : 'unanswered';
    if (!this.down) faults.count(`${to} ${fault}`);
    return { requestMs, answerMs, fault };
  }

  get isCalm(): boolean {
    return !this.down && this.slowness === 1 && this.weather === CALM;
  }

  calm(): void {
    this.down = false;
    this.slowness = 1;
    this.heldMs = () => 0;
    this.weather = CALM;
  }
}

/** To the database: `LogUnavailable` when no answer comes. */
export const logLink = (random: Random, faults: Tally): Link =>
  new Link({
    ...{ random, faults, to: 'log' },
    latencyMs: { low: 0.2, high: 3 },
    patienceMs: { low: 1, high: 3_000 },
    failure: (what) => new LogUnavailable(`${what}: connection terminated`),
  });

/** To JetStream: `NoAnswer`. */
export const feedLink = (random: Random, faults: Tally): Link =>
  new Link({
    ...{ random, faults, to: 'feed' },
    latencyMs: { low: 0.2, high: 3 },
    patienceMs: { low: 1, high: 5_000 },
    failure: (what) => new NoAnswer(`${what}: no answer`),
  });

/** To a container engine: `Unavailable` at once or a deadline that ran out. */
export const engineLink = (random: Random, faults: Tally): Link =>
  new Link({
    ...{ random, faults, to: 'engine' },
    latencyMs: { low: 0.5, high: 60 },
    patienceMs: { low: 1, high: 20_000 },
    failure: (what) =>
      new RuntimeError(random.pick(['Unavailable', 'Unavailable', 'DeadlineExceeded', 'Failed']), `${what}: no answer`),
  });
