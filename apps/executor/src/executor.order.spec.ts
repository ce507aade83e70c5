import { DEPENDS_ON_ANNOTATION } from '#domain';
import { aContainer, aPodSpec } from '../../../test/support/builders.js';
import { ExecutorWorld } from '../../../test/support/executor-world.js';

type Moment = 'before' | 'after';

/** A world whose executor dies at its n-th call to the engine, before or after it took effect, and is started anew at once. */
function doomedWorld(at: number, moment: Moment): { world: ExecutorWorld; calls: () => number } {
  let calls = 0;
  const world: ExecutorWorld = new ExecutorWorld(async (label, work) => {
    if (label.startsWith('wake')) return work();
    calls += 1;
    if (calls !== at) return work();
    if (moment === 'after') work();
    world.crash();
    queueMicrotask(() => void world.start());
    return new Promise<never>(() => undefined);
  });
  world.engine.addImage('init:1', { program: { exitsAfterMs: 1_000 } });
  world.engine.addImage('slow:1', { program: { stopTakesMs: 2_000, stopExitCode: 0 } });
  return { world, calls: () => calls };
}

const spec = aPodSpec({
  initContainers: [
    aContainer('one', { image: 'init:1' }),
    aContainer('side', { image: 'slow:1', restartPolicy: 'Always' }),
    aContainer('two', { image: 'init:1' }),
  ],
  containers: [aContainer('app', { image: 'slow:1' }), aContainer('db', { image: 'slow:1' })],
});
const annotations = { [DEPENDS_ON_ANNOTATION]: '{"app": {"db": "Started"}}' };

/** A pod's whole life: initialized, run for a while, deleted. Answers the calls to the engine it took. */
async function live(at: number, moment: Moment): Promise<number> {
  const { world, calls } = doomedWorld(at, moment);
  const { control } = world;
  await world.start();
  const uid = control.run('web', spec, annotations);
  const allRun = (): boolean =>
    ['side', 'app', 'db'].every(
      (name) => world.running(name).length === 1 && control.pod(uid).containers[name]?.running,
    );
  await world.until('all run', allRun);
  await world.advance(5_000);
  expect(allRun()).toBe(true);
  // The fake log's time stands nearly still: its grace period began long ago.
  control.delete(uid, 600);
  await world.until('gone', () => !control.has(uid));
  await world.advance(1_000);
  expect(world.isEmpty).toBe(true);
  const runs = new Map<string, { startedAt: number; finishedAt: number }>();
  for (const { container, attempt, startedAt } of control.dataOf(uid, 'ContainerStarted')) {
    expect(`${container}#${attempt}`).toBe(`${container}#0`);
    runs.set(container, { startedAt, finishedAt: Infinity });
  }
  for (const { container, finishedAt } of control.dataOf(uid, 'ContainerExited')) {
    const run = runs.get(container);
    if (run) run.finishedAt = finishedAt;
  }
  const [one, side, two, app, db] = ['one', 'side', 'two', 'app', 'db'].map((name) => {
    const run = runs.get(name);
    if (!run) throw new Error(`${name} never ran`);
    return run;
  });
  const started = [one, side, two, db, app].map((run) => run?.startedAt ?? NaN);
  expect(started).toEqual([...started].sort((a, b) => a - b));
  expect(side?.startedAt).toBeGreaterThanOrEqual(one?.finishedAt ?? NaN);
  expect(db?.startedAt).toBeGreaterThanOrEqual(two?.finishedAt ?? NaN);
  expect(db?.finishedAt).toBeGreaterThan(app?.finishedAt ?? NaN);
  expect(side?.finishedAt).toBeGreaterThan(db?.finishedAt ?? NaN);
  return calls();
}

describe('an executor that dies at any call to its engine', () => {
  it('runs init containers once, and starts and stops in order', async () => {
    const total = await live(Infinity, 'before');
    expect(total).toBeGreaterThan(20);
    const failures: string[] = [];
    for (let at = 1; at <= total; at += 1) {
      // By turns, for time's sake: `executor.crash.spec.ts` does both.
      const moment = at % 2 === 0 ? 'before' : 'after';
      await live(at, moment).catch((cause: unknown) => failures.push(`${moment} call ${at}: ${String(cause)}`));
    }
    expect(failures).toEqual([]);
  }, 60_000);
});
