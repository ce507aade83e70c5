import type { Millis } from '#domain';
import type { Deliver } from '#bus';
import type { EventLoop, Owner } from './event-loop.js';
import { CALM, type Weather } from './link.js';
import type { Random } from './random.js';
import type { Tally } from './tally.js';

/** What happens to messages: kinds of faults. */
export const MESSAGE_FAULTS = ['message lost', 'message repeated', 'message slow', 'message overtaken'] as const;

/** How messages travel between connections to the broker: later, never, twice, or past one another. */
export class Network {
  weather: Weather = CALM;
  /** Half-open connections: they look alive at both ends, and nothing comes through. By the name of the process. */
  readonly muted = new Set<string>();
  private readonly ends = new Map<string, Owner>();
  /** When the last message from one end to another arrives. */
  private readonly arrivals = new Map<string, Millis>();

  constructor(
    private readonly loop: EventLoop,
    private readonly random: Random,
    private readonly faults: Tally,
  ) {}

  get isCalm(): boolean {
    return this.weather === CALM && this.muted.size === 0;
  }

  calm(): void {
    this.weather = CALM;
    this.muted.clear();
  }

  /** Messages to this connection are tasks of this process. */
  attach(connection: string, owner: Owner): void {
    this.ends.set(connection, owner);
  }

  detach(connection: string): void {
    this.ends.delete(connection);
  }

  readonly deliver: Deliver = (from, to, subject, message, run) => {
    const owner = this.ends.get(to);
    const label = `${subject} from ${from} ${JSON.stringify(message)}`;
    const { random, weather } = this;
    const chance = random.next();
    const lost = this.isMuted(from) || this.isMuted(to) || chance < weather.lost;
    if (lost) {
      this.faults.count('message lost');
      return this.loop.note(`lost: ${label} to ${to}`);
    }
    const times = chance < weather.lost + weather.repeated ? 2 : 1;
    if (times > 1) this.faults.count('message repeated');
    for (let time = 0; time < times; time += 1) {
      const usual = random.spread(0.1, 5);
      const isSlow = random.chance(weather.slow);
      if (isSlow) this.faults.count('message slow');
      const delayMs = isSlow ? usual * 200 : usual;
      this.noteArrival(`${from} ${to}`, this.loop.now + delayMs);
      this.loop.schedule(delayMs, label, run, owner);
    }
  };

  private noteArrival(way: string, at: Millis): void {
    const latest = this.arrivals.get(way) ?? at;
    if (at < latest) this.faults.count('message overtaken');
    this.arrivals.set(way, Math.max(at, latest));
  }

  private isMuted(connection: string): boolean {
    return this.muted.has(processOf(connection));
  }
}

/** Runs of one process are told apart by a number behind its name: `api-1#3`. */
export const processOf = (run: string): string => run.replace(/#.*$/, '');
