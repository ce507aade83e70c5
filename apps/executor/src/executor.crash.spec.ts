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
  world.engine.addImage('pulled:1', { present: false, pull: { takesMs: 500 } });
  return { world, calls: () => calls };
}

/** A pod's whole life: made, restarted once, deleted. Answers the calls to the engine it took. */
async function live(at: number, moment: Moment): Promise<number> {
  const { world, calls } = doomedWorld(at, moment);
  const { control } = world;
  await world.start();
  const uid = control.run(
    'web',
    aPodSpec({
      containers: [aContainer('app', { image: 'pulled:1' }), aContainer('helper')],
      volumes: [{ name: 'data', emptyDir: {} }],
    }),
  );
  const bothRun = (attempt: number) => (): boolean =>
    ['app', 'helper'].every((name) => {
      const [only, ...more] = world.running(name);
      return (
        more.length === 0 && only?.seen.attempt === attempt && control.pod(uid).containers[name]?.attempt === attempt
      );
    });
  await world.until('both run', bothRun(0));
  await world.advance(1_000);
  world.engine.kill(world.running('app')[0]?.seen.id ?? '');
  await world.until('both run again', bothRun(1));
  // Nothing was restarted but by that one death, whatever the executor went through.
  await world.advance(60_000);
  expect(bothRun(1)()).toBe(true);
  expect(world.running('')).toHaveLength(1);
  control.delete(uid);
  await world.until('gone', () => !control.has(uid));
  await world.advance(1_000);
  expect(world.isEmpty).toBe(true);
  expect(
    control
      .dataOf(uid, 'ContainerStarted')
      .map(({ container, attempt }) => `${container}#${attempt}`)
      .sort(),
  ).toEqual(['app#0', 'app#1', 'helper#0', 'helper#1']);
  expect(control.dataOf(uid, 'ContainerExited')).toHaveLength(4);
  return calls();
}

describe('an executor that dies at any call to its engine', () => {
  it.each(['before', 'after'] as const)(
    'leaves nothing behind and restarts nothing: %s the call took effect',
    async (moment) => {
      const total = await live(Infinity, moment);
      expect(total).toBeGreaterThan(20);
      const failures: string[] = [];
      for (let at = 1; at <= total; at += 1) {
        await live(at, moment).catch((cause: unknown) => failures.push(`${moment} call ${at}: ${String(cause)}`));
      }
      expect(failures).toEqual([]);
    },
    60_000,
  );
});
