import { isDecided } from './controllers-settled.js';
import { Faults } from './faults.js';
import { unsettled } from './liveness.js';
import { FINALIZER } from './pod-wishes.js';
import { STEADY_IMAGES } from './programs.js';
import { Random } from './random.js';
import type { Sabotage } from './sabotage.js';
import type { Counts } from './tally.js';
import type { Violation } from './verdicts.js';
import { Workload } from './workload.js';
import { World } from './world.js';

/** What became of one seed. */
export interface Outcome {
  readonly seed: number;
  readonly violation?: Violation;
  /** Of every task and every note. */
  readonly hash: string;
  readonly steps: number;
  readonly events: number;
  readonly acknowledged: number;
  /** How often each kind of fault struck. */
  readonly faults: Counts;
  /** Events in the log, by type. */
  readonly eventTypes: Counts;
  /** Virtual milliseconds. */
  readonly lastedMs: number;
  /** The newest lines of the trace. */
  readonly trace: readonly string[];
}

export interface RunOptions {
  readonly sabotage?: Sabotage;
  /** How many of the newest trace lines the outcome is to have. */
  readonly lines?: number;
  /** Told of every line of the trace. */
  readonly onLine?: (line: string) => void;
}

/** The first nodes are there, in milliseconds of virtual time. */
const SETTLE_IN_MS = 3_000;
/** Faults and wishes come during this, in seconds: the long ones see nodes lost and their pods replaced. */
const TROUBLE_SECONDS = { short: 20, usual: 45, long: 150 } as const;
/** By then everything must be as it should: back-offs of restarts, of pulls and of deletions fit in. */
const BUDGET_MS = 300_000;
const LOOK_EVERY_MS = 5_000;
/** What has settled stays so for this long. */
const QUIET_MS = 20_000;
/** Leases, polls and heartbeats of all processes: about 60. Whoever spins makes thousands. */
const IDLE_STEPS_PER_SECOND = 120;
const STEPS_PER_EVENT = 40;
/** From the request of a pod to its deletion, apart from its containers. */
const EVENTS_PER_LIFE = 15;
/** A rollout that cannot go on is given up when its deadline is over. */
const EVENTS_PER_ROLLOUT = 2;
/** A job that is over goes when its time to live is over, with its pods. */
const EVENTS_PER_EXPIRY = 20;

/** Lets one seed happen: a cluster comes up, people and faults come, faults go, and everything must settle and stay settled. */
export async function runSeed(seed: number, { sabotage = {}, lines = 60, onLine }: RunOptions = {}): Promise<Outcome> {
  const random = new Random(seed);
  const world = new World(random, sabotage, onLine);
  const { loop, oracle, verdicts } = world;
  const began = loop.now;
  const onRejection = (error: unknown): void =>
    verdicts.fail(
      'no promise is left to fail',
      error instanceof Error ? (error.stack ?? error.message) : String(error),
    );
  process.on('unhandledRejection', onRejection);
  try {
    const workload = await trouble(world, random);
    world.heal();
    await settle(world, workload);
  } finally {
    process.off('unhandledRejection', onRejection);
  }
  const { violation } = verdicts;
  return {
    ...{ seed, hash: loop.trace.hash, steps: loop.steps, events: oracle.state.revision },
    acknowledged: world.client.acknowledged,
    ...{ faults: world.faults.counts, eventTypes: world.eventTypes.counts },
    lastedMs: Math.round(loop.now - began),
    trace: loop.trace.newest(lines),
    ...(violation && { violation }),
  };
}

async function trouble(world: World, random: Random): Promise<Workload> {
  const { loop, client, nodes } = world;
  world.start();
  await world.run(SETTLE_IN_MS);
  const shape = random.fork('shape');
  const troubleMs = TROUBLE_SECONDS[shape.weighted({ short: 4, usual: 3, long: 2 })] * 1000;
  const workload = new Workload({ loop, random: random.fork('workload'), client, nodes });
  workload.plan(shape.integer(10, 60), troubleMs);
  new Faults(world, random.fork('faults')).plan(troubleMs);
  const watchers = shape.integer(1, 3);
  for (let number = 1; number <= watchers; number += 1) {
    loop.schedule(shape.next() * troubleMs, `watcher ${number} begins`, () => world.watch(number));
  }
  await world.run(troubleMs);
  if (shape.chance(0.5)) void workload.openNodes();
  return workload;
}

async function settle(world: World, workload: Workload): Promise<void> {
  const { loop, verdicts } = world;
  const deadline = loop.now + BUDGET_MS;
  tidyUp(world, workload);
  await world.run(LOOK_EVERY_MS);
  let problems = unsettled(world);
  while (problems.length > 0 && loop.now < deadline && !verdicts.violation) {
    tidyUp(world, workload);
    await world.run(LOOK_EVERY_MS);
    problems = unsettled(world);
  }
  if (verdicts.violation) return;
  verdicts.check(problems.length === 0, 'the cluster settles', () => problems.join('; '));
  world.replay();
  const before = world.oracle.state.revision;
  const stepsBefore = loop.steps;
  const allowedBefore = allowance(world);
  await world.run(QUIET_MS);
  if (verdicts.violation) return;
  const grown = world.oracle.state.revision - before;
  // Of pods that were there and went as well as of those that came instead.
  const allowed = Math.max(allowedBefore, allowance(world));
  verdicts.check(grown <= allowed, 'a settled cluster is quiet', () => {
    return `${grown} events in ${QUIET_MS} ms, ${allowed} would do`;
  });
  const steps = loop.steps - stepsBefore;
  const allowedSteps = IDLE_STEPS_PER_SECOND * (QUIET_MS / 1000) + allowed * STEPS_PER_EVENT;
  verdicts.check(steps <= allowedSteps, 'nothing spins', () => {
    return `${steps} steps in ${QUIET_MS} ms, ${allowedSteps} would do`;
  });
}

/** What people and operators do so that all can come to an end. */
function tidyUp(world: World, workload: Workload): void {
  const { state } = world.oracle;
  world.rejoinNodes();
  for (const { meta } of state.pods()) {
    if (meta.deletion && meta.finalizers.includes(FINALIZER)) void workload.letGo(meta.namespace, meta.name);
  }
  for (const { meta, spec } of state.all('CronJob')) {
    if (!spec.suspend) void workload.suspend(meta.namespace, meta.name);
  }
}

/** Pods whose containers end, or cannot run, are tried again, later each time: some events each. */
function allowance({ oracle }: World): number {
  let events = [...oracle.state.all('Deployment')].length * EVENTS_PER_ROLLOUT;
  for (const job of oracle.state.all('Job')) events += isDecided(job) ? EVENTS_PER_EXPIRY : job.spec.parallelism * 60;
  for (const { spec, nodeName } of oracle.state.pods()) {
    const isSteady = nodeName !== undefined && spec.containers.every(({ image }) => STEADY_IMAGES.has(image));
    if (!isSteady) events += spec.containers.length * 60;
    // A pod may be placed where it is tolerated for a while, go when that is over, and have a successor.
    for (const { key, tolerationSeconds } of spec.tolerations ?? []) {
      if (key !== 'upkeep' || tolerationSeconds === undefined) continue;
      events += Math.ceil(QUIET_MS / 1000 / tolerationSeconds) * (EVENTS_PER_LIFE + spec.containers.length * 10);
    }
  }
  return events;
}
