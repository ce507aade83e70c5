import type { Millis } from '#domain';
import type { FakeContainer } from '../support/fake-engine.js';
import { CALL_FAULTS, CALM, type Link, type Weather } from './link.js';
import { MESSAGE_FAULTS } from './network.js';
import type { Random } from './random.js';
import type { Replica } from './replica.js';
import type { ExecutorReplica } from './replicas.js';
import type { World } from './world.js';

const EPISODES = {
  crash: 5,
  stop: 2,
  pause: 4,
  busCut: 4,
  nodeAway: 2.5,
  muted: 2,
  logCut: 3,
  logHeld: 3,
  logOutage: 1,
  natsOutage: 1.5,
  natsWipe: 1.5,
  engineRestart: 2,
  powerCut: 1,
  slowEngine: 1.5,
  failingEngine: 1.5,
  containerKilled: 4,
  containerRemoved: 1,
  diskWiped: 0.5,
} as const;
/** A node that is silent for so long, in milliseconds, is given up, if nothing else excuses it. */
const LOSS_MS = 80_000;
type Episode = keyof typeof EPISODES;

/** Everything that can go wrong, by the names under which it is counted. */
export const FAULT_KINDS: readonly string[] = [
  ...Object.keys(EPISODES),
  ...['log', 'feed', 'engine'].flatMap((to) => CALL_FAULTS.map((fault) => `${to} ${fault}`)),
  ...MESSAGE_FAULTS,
];

/**
 * What goes wrong, drawn from the seed: the weather that every call and message travels through, and episodes, each with a
 * victim, a beginning and an end.
 */
export class Faults {
  constructor(
    private readonly world: World,
    private readonly random: Random,
  ) {}

  /**
   * Plans faults for that long, in milliseconds. Some worlds have none: they show what holds without an excuse. In others a
   * node goes away for long and nothing else is wrong that its silence could be blamed on.
   */
  plan(spanMs: number): void {
    const { random, world } = this;
    const kind = random.weighted({ none: 1, weather: 1, episodes: 3, both: 4, loss: spanMs >= LOSS_MS ? 18 : 0 });
    if (kind === 'weather' || kind === 'both') {
      world.network.weather = this.weather(0.05);
      for (const replica of world.replicas) {
        replica.logLink.weather = this.weather(0.03);
        replica.feedLink.weather = this.weather(0.03);
      }
      for (const node of world.executors) node.engineLink.weather = this.weather(0.03);
    }
    if (kind === 'weather' || kind === 'none') return;
    if (kind === 'loss') return this.planEpisode('nodeAway', random.next() * (spanMs - LOSS_MS), LOSS_MS);
    // A slow database makes decisions overlap that otherwise follow one another.
    const slowness = random.pick([1, 1, 1, 20]);
    for (const { logLink } of world.replicas) logLink.slowness = slowness;
    const count = random.integer(1, 12);
    for (let index = 0; index < count; index += 1) {
      const at = random.next() * spanMs;
      this.planEpisode(random.weighted<Episode>(EPISODES), at, Math.min(random.spread(500, 100_000), spanMs - at));
    }
  }

  private planEpisode(episode: Episode, at: Millis, lengthMs: number): void {
    const label = `fault ${episode} for ${Math.round(lengthMs)} ms`;
    this.world.loop.schedule(at, label, () => this.begin(episode, lengthMs));
  }

  private weather(worst: number): Weather {
    const { random } = this;
    if (random.chance(0.3)) return CALM;
    const rate = (): number => (random.chance(0.5) ? random.next() * worst : 0);
    return { lost: rate(), unanswered: rate(), repeated: rate(), slow: rate() };
  }

  private begin(episode: Episode, lengthMs: number): void {
    const { loop, faults } = this.world;
    const blow = this.blow(episode, lengthMs);
    if (!blow) return loop.note('there is nothing to hit');
    const { victim, begin, end, lastsMs = lengthMs } = blow;
    const of = victim ? ` for ${victim.name}` : '';
    faults.count(episode);
    loop.note(`a fault begins${of}`);
    begin();
    if (end) loop.schedule(lastsMs, `a fault ends${of}`, () => void end());
  }

  /** What an episode does, and to whom; `undefined` when there is nothing that it could hit. */
  private blow(episode: Episode, lengthMs: number): Blow | undefined {
    const { world, random } = this;
    const victim = random.pick(world.replicas);
    const controlPlane = random.pick(world.replicas.filter(({ name }) => !name.startsWith('executor')));
    const node = random.pick(world.executors);
    switch (episode) {
      case 'crash':
        return { victim, begin: () => victim.kill(), end: () => victim.start() };
      case 'stop':
        return { victim, begin: () => victim.stop(), end: () => victim.start() };
      case 'pause':
        return { victim, begin: () => victim.process?.pause(), end: () => victim.process?.resume() };
      case 'busCut':
        return { victim, begin: () => victim.reachBus(false), end: () => victim.reachBus(true) };
      case 'nodeAway': {
        // Long enough to be given up, and back before all is over.
        const lastsMs = random.integer(48_000, 80_000);
        return { victim: node, lastsMs, begin: () => node.reachBus(false), end: () => node.reachBus(true) };
      }
      case 'muted': {
        const { muted } = world.network;
        return { victim, begin: () => muted.add(victim.name), end: () => muted.delete(victim.name) };
      }
      case 'logCut':
        return { victim: controlPlane, ...this.cut([controlPlane.logLink]) };
      case 'logHeld': {
        // Longer than a lease: what the active scheduler sent arrives when another has taken over.
        const until = world.loop.now + random.integer(5_000, 12_000);
        const leader = world.schedulers.find(({ epoch }) => epoch !== undefined);
        const held = (random.chance(0.7) ? leader : undefined) ?? controlPlane;
        // Connections of a pool get stuck one by one: what is written may be held up while reading goes on.
        const what = random.pick([/^/, /^log\.(append|acquireLease)/]);
        const begin = (): void => {
          held.logLink.heldMs = (call) => (what.test(call) ? Math.max(0, until - world.loop.now) : 0);
        };
        return { victim: held, begin };
      }
      case 'logOutage':
        return { lastsMs: Math.min(lengthMs, 20_000), ...this.cut(world.replicas.map(({ logLink }) => logLink)) };
      case 'natsOutage':
        return this.natsOutage();
      case 'natsWipe': {
        const outage = this.natsOutage();
        const begin = (): void => {
          outage.begin();
          world.stream.wipe();
        };
        return { ...outage, lastsMs: Math.min(lengthMs, 5_000), begin };
      }
      case 'engineRestart': {
        const containers = random.pick(['kept', 'killed'] as const);
        return { victim: node, begin: () => node.engine.goDown(), end: () => node.engine.comeUp(containers) };
      }
      case 'powerCut':
        return { victim: node, begin: () => node.losePower(), end: () => node.regainPower() };
      case 'slowEngine': {
        const { engineLink } = node;
        return { victim: node, begin: () => (engineLink.slowness = 40), end: () => (engineLink.slowness = 1) };
      }
      case 'failingEngine': {
        const { engineLink } = node;
        const before = engineLink.weather;
        const bad = { lost: 0.3, unanswered: 0.2, repeated: 0, slow: 0.05 };
        return { victim: node, begin: () => (engineLink.weather = bad), end: () => (engineLink.weather = before) };
      }
      case 'containerRemoved':
        return this.hit(node, node.engine.all().containers, (container) => node.engine.remove(container));
      case 'containerKilled': {
        const running = node.engine.all().containers.filter(({ seen }) => seen.state === 'running');
        return this.hit(node, running, ({ seen }) => node.engine.kill(seen.id));
      }
      case 'diskWiped': {
        const begin = (): void => {
          node.wipeDisk();
          node.kill();
        };
        return { victim: node, begin, end: () => node.start() };
      }
    }
  }

  private natsOutage(): Blow {
    const { world } = this;
    const feeds = this.cut(world.replicas.map(({ feedLink }) => feedLink));
    const turn = (down: boolean, more: () => unknown) => (): void => {
      world.broker.outage(down);
      more();
    };
    return { begin: turn(true, feeds.begin), end: turn(false, feeds.end) };
  }

  private cut(links: readonly Link[]): { readonly begin: () => void; readonly end: () => void } {
    const turn = (down: boolean) => (): void => links.forEach((link) => (link.down = down));
    return { begin: turn(true), end: turn(false) };
  }

  /** Somebody does something to a container behind its executor's back. */
  private hit(
    victim: ExecutorReplica,
    containers: readonly FakeContainer[],
    doTo: (container: FakeContainer) => void,
  ): Blow | undefined {
    if (containers.length === 0) return undefined;
    const container = this.random.pick(containers);
    const { pod, name } = container.seen;
    const begin = (): void => {
      this.world.loop.note(`somebody hits ${pod.name}/${name || 'sandbox'}`);
      doTo(container);
    };
    return { victim, begin };
  }
}

interface Blow {
  /** None: everybody. */
  readonly victim?: Replica;
  readonly begin: () => unknown;
  /** Absent: it ends by itself. */
  readonly end?: () => unknown;
  /** In milliseconds; default: as long as the episode. */
  readonly lastsMs?: number;
}
