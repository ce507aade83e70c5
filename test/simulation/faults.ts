import type { Weather } from './link.js';
import { CALM } from './link.js';
import type { Random } from './random.js';
import type { Replica } from './replica.js';
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
type Episode = keyof typeof EPISODES;

/**
 * What goes wrong, drawn from the seed: the weather that every call and message travels through, and episodes, each with a
 * victim, a beginning and an end.
 */
export class Faults {
  constructor(
    private readonly world: World,
    private readonly random: Random,
  ) {}

  /** Plans faults for that long, in milliseconds. Some worlds have none: they show what holds without an excuse. */
  plan(spanMs: number): void {
    const { random, world } = this;
    const kind = random.weighted({ none: 1, weather: 1, episodes: 3, both: 4 });
    if (kind === 'weather' || kind === 'both') {
      world.network.weather = this.weather(0.05);
      for (const replica of world.replicas) {
        replica.logLink.weather = this.weather(0.03);
        replica.feedLink.weather = this.weather(0.03);
      }
      for (const node of world.executors) node.engineLink.weather = this.weather(0.03);
    }
    if (kind === 'weather' || kind === 'none') return;
    // A slow database makes decisions overlap that otherwise follow one another.
    const slowness = random.pick([1, 1, 1, 20]);
    for (const { logLink } of world.replicas) logLink.slowness = slowness;
    const count = random.integer(1, 12);
    for (let index = 0; index < count; index += 1) {
      const at = random.next() * spanMs;
      const episode = random.weighted<Episode>(EPISODES);
      const lengthMs = Math.min(random.spread(500, 100_000), spanMs - at);
      world.loop.schedule(at, `fault ${episode} for ${Math.round(lengthMs)} ms`, () => this.begin(episode, lengthMs));
    }
  }

  private weather(worst: number): Weather {
    const { random } = this;
    if (random.chance(0.3)) return CALM;
    const rate = (): number => (random.chance(0.5) ? random.next() * worst : 0);
    return { lost: rate(), unanswered: rate(), repeated: rate(), slow: rate() };
  }

  private begin(episode: Episode, lengthMs: number): void {
    const { world, random } = this;
    const victim = random.pick(world.replicas);
    const controlPlane = random.pick(world.replicas.filter(({ name }) => !name.startsWith('executor')));
    const node = random.pick(world.executors);
    switch (episode) {
      case 'crash':
        return this.during(
          lengthMs,
          victim,
          () => victim.kill(),
          () => victim.start(),
        );
      case 'stop':
        return this.during(
          lengthMs,
          victim,
          () => victim.stop(),
          () => victim.start(),
        );
      case 'pause':
        return this.during(
          lengthMs,
          victim,
          () => victim.process?.pause(),
          () => victim.process?.resume(),
        );
      case 'busCut':
        return this.during(
          lengthMs,
          victim,
          () => victim.reachBus(false),
          () => victim.reachBus(true),
        );
      case 'nodeAway':
        // Long enough to be given up, and back before all is over.
        return this.during(
          random.integer(48_000, 80_000),
          node,
          () => node.reachBus(false),
          () => node.reachBus(true),
        );
      case 'muted':
        return this.during(
          lengthMs,
          victim,
          () => world.network.muted.add(victim.name),
          () => world.network.muted.delete(victim.name),
        );
      case 'logCut':
        return this.during(
          lengthMs,
          controlPlane,
          () => (controlPlane.logLink.down = true),
          () => (controlPlane.logLink.down = false),
        );
      case 'logHeld': {
        const until = world.loop.now + Math.min(lengthMs, 12_000);
        controlPlane.logLink.heldMs = () => Math.max(0, until - world.loop.now);
        return world.loop.note(`what ${controlPlane.name} sends to the log is held up`);
      }
      case 'logOutage': {
        const all = (down: boolean) => () => world.replicas.forEach(({ logLink }) => (logLink.down = down));
        return this.during(Math.min(lengthMs, 20_000), undefined, all(true), all(false));
      }
      case 'natsOutage':
        return this.natsOutage(lengthMs);
      case 'natsWipe':
        this.natsOutage(Math.min(lengthMs, 5_000));
        return world.stream.wipe();
      case 'engineRestart': {
        const containers = random.pick(['kept', 'killed'] as const);
        return this.during(
          lengthMs,
          node,
          () => node.engine.goDown(),
          () => node.engine.comeUp(containers),
        );
      }
      case 'powerCut':
        return this.during(
          lengthMs,
          node,
          () => {
            node.kill();
            node.engine.powerOff();
          },
          () => {
            node.engine.comeUp('kept');
            node.start();
          },
        );
      case 'slowEngine':
        return this.during(
          lengthMs,
          node,
          () => (node.engineLink.slowness = 40),
          () => (node.engineLink.slowness = 1),
        );
      case 'failingEngine': {
        const before = node.engineLink.weather;
        const bad = { lost: 0.3, unanswered: 0.2, repeated: 0, slow: 0.05 };
        return this.during(
          lengthMs,
          node,
          () => (node.engineLink.weather = bad),
          () => (node.engineLink.weather = before),
        );
      }
      case 'containerRemoved': {
        const { containers } = node.engine.all();
        if (containers.length === 0) return;
        const container = random.pick(containers);
        world.loop.note(
          `somebody removes ${container.seen.pod.name}/${container.seen.name || 'sandbox'} on ${node.node}`,
        );
        return node.engine.remove(container);
      }
      case 'diskWiped': {
        node.wipeDisk();
        return this.during(
          lengthMs,
          node,
          () => node.kill(),
          () => node.start(),
        );
      }
      case 'containerKilled': {
        const running = node.engine.all().containers.filter(({ seen }) => seen.state === 'running');
        if (running.length === 0) return;
        const { seen } = random.pick(running);
        world.loop.note(`somebody kills ${seen.pod.name}/${seen.name || 'sandbox'} on ${node.node}`);
        return node.engine.kill(seen.id);
      }
    }
  }

  private natsOutage(lengthMs: number): void {
    const { world } = this;
    const all = (down: boolean) => () => {
      world.broker.outage(down);
      for (const replica of world.replicas) replica.feedLink.down = down;
    };
    this.during(lengthMs, undefined, all(true), all(false));
  }

  private during(lengthMs: number, victim: Replica | undefined, begin: () => unknown, end: () => unknown): void {
    const { loop } = this.world;
    loop.note(`a fault begins${victim ? ` for ${victim.name}` : ''}`);
    begin();
    loop.schedule(lengthMs, `a fault ends${victim ? ` for ${victim.name}` : ''}`, () => void end());
  }
}
