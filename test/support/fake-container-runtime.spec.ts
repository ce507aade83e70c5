import {
  containerSpec,
  describeContainerRuntime,
  faultOf,
  sandboxSpec,
  startedSandbox,
  type Program,
  type RuntimeBench,
} from '../contract/container-runtime.contract.js';
import { FakeContainerRuntime } from './fake-container-runtime.js';
import { FakeEngine, type Schedule } from './fake-engine.js';
import type { FakeExec, FakeProgram } from './fake-images.js';
import { ManualClock } from './manual-clock.js';

const STEP_MS = 10;
/** Longer than any deadline of the runtime: what has not happened by then does not happen. */
const PATIENCE_MS = 1_200_000;

function fakeProgram(program: Program): FakeProgram {
  switch (program.does) {
    case 'run':
      return {};
    case 'exit':
      return { exitsAfterMs: program.afterMs, exitCode: program.code };
    case 'ignore the stop signal':
      return { ignoresStop: true };
    case 'print':
      return { prints: program.lines, ...(program.then === 'exit' && { exitsAfterMs: 0 }) };
    case 'fail to start':
      return { startFails: { exitCode: program.code, message: 'no such file or directory' } };
    case 'run out of memory':
      return { exitsAfterMs: 5, oomKilled: true };
  }
}

/** What {@link fakeBench} has commands do. */
function fakeExec([does, how = '{}']: readonly string[]): FakeExec {
  const { text, code, bytes } = JSON.parse(how) as {
    readonly text: string;
    readonly code: number;
    readonly bytes: number;
  };
  if (does === 'hang') return { takesMs: Infinity };
  return does === 'say' ? { output: `${text}\n`, exitCode: code } : { output: 'x'.repeat(bytes) };
}

function fakeBench(): RuntimeBench {
  const clock = new ManualClock();
  const engine = new FakeEngine({ clock });
  let references = 0;
  const reference = (): string => `made/image-${(references += 1)}:1`;
  const passing = async <T>(work: Promise<T>): Promise<T> => {
    let settled = false;
    const settle = (): void => void (settled = true);
    work.then(settle, settle);
    for (let passed = 0; !settled && passed < PATIENCE_MS; passed += STEP_MS) await clock.advance(STEP_MS);
    if (!settled) throw new Error('it does not come to an end');
    return work;
  };
  return {
    runtime: (cluster = 'cluster', node = 'node') => new FakeContainerRuntime(engine, { cluster, node }),
    program: (program) => {
      const image = reference();
      engine.addImage(image, { program: { ...fakeProgram(program), exec: fakeExec } });
      return { image };
    },
    command: ({ does, ...how }) => [does, JSON.stringify(how)],
    pullable: async () => {
      const image = reference();
      engine.addImage(image, { present: false, pull: { takesMs: 2_000, bytes: 4_096 } });
      return image;
    },
    unpullable: async () => reference(),
    freeHostPort: async () => 20_000 + (references += 1),
    passing,
    eventually: async (what, holds) => {
      for (let passed = 0; passed < PATIENCE_MS; passed += STEP_MS) {
        await clock.advance(STEP_MS);
        if (await holds()) return;
      }
      throw new Error(`never: ${what}`);
    },
    cutOff: async () => engine.goDown(),
    reconnect: async () => engine.comeUp('kept'),
    dispose: async () => undefined,
  };
}

describeContainerRuntime('in memory', async () => fakeBench());

describe('the engine in memory', () => {
  const scope = { cluster: 'cluster', node: 'node' };
  const pod = { uid: 'uid-1', namespace: 'shop', name: 'web' };
  const setUp = (schedule?: Schedule) => {
    const clock = new ManualClock();
    const engine = new FakeEngine({ clock, ...(schedule && { schedule }) });
    return { clock, engine, runtime: new FakeContainerRuntime(engine, scope) };
  };
  const run = async (runtime: FakeContainerRuntime, image: string) => {
    const sandbox = await startedSandbox(runtime, pod);
    const { id } = await runtime.createContainer(containerSpec(sandbox, { image }));
    await runtime.startContainer(id);
    return id;
  };
  const states = async (runtime: FakeContainerRuntime) =>
    (await runtime.list()).map(({ name, state, exitCode, infrastructureExit }) => ({
      ...{ name, state, exitCode, infrastructureExit },
    }));

  it('keeps what executors made when they crash, and gives a crashed one no answer', async () => {
    const { engine, clock, runtime } = setUp();
    engine.addImage('app:1');
    await run(runtime, 'app:1');
    const wakes: unknown[] = [];
    runtime.onChange((uid) => wakes.push(uid));
    await clock.advance(1);
    wakes.length = 0;
    let answered = false;
    const late = runtime.list().then(() => (answered = true));
    runtime.crash();
    const restarted = new FakeContainerRuntime(engine, scope);
    const [, app] = await restarted.list();
    await restarted.stop(app?.id ?? '', 0);
    await Promise.race([late, clock.advance(1_000)]);
    expect(answered).toBe(false);
    expect(wakes).toEqual([]);
    expect((await states(restarted)).map(({ state }) => state)).toEqual(['running', 'exited']);
  });

  it('marks what an engine without live-restore ends when it comes up', async () => {
    const { engine, runtime } = setUp();
    engine.addImage('app:1', { program: { stopExitCode: 0 } });
    await run(runtime, 'app:1');
    engine.goDown();
    expect(await faultOf(runtime.list())).toMatchObject({ fault: 'Unavailable' });
    engine.comeUp('killed');
    expect(await states(runtime)).toEqual([
      { name: '', state: 'exited', exitCode: 0, infrastructureExit: true },
      { name: 'app', state: 'exited', exitCode: 0, infrastructureExit: true },
    ]);
  });

  it('finds everything dead after a power cut, its volumes and records kept', async () => {
    const { engine, runtime } = setUp();
    engine.addImage('app:1');
    await run(runtime, 'app:1');
    engine.powerOff();
    engine.comeUp('kept');
    expect((await states(runtime)).map(({ exitCode, infrastructureExit }) => [exitCode, infrastructureExit])).toEqual([
      [255, true],
      [255, true],
    ]);
  });

  it('fails as often as it was told to, and then works', async () => {
    const { engine, clock, runtime } = setUp();
    engine.addImage('app:1', {
      present: false,
      pull: { failures: 1, takesMs: 100 },
      program: {
        createFails: { message: 'bad mount', times: 1 },
        startFails: { exitCode: 127, message: 'no such file', times: 1 },
      },
    });
    const pull = async () => {
      const pulling = runtime.pull('app:1', () => undefined);
      const [result] = await Promise.allSettled([pulling, clock.advance(200)]);
      return result.status;
    };
    expect([await pull(), await pull()]).toEqual(['rejected', 'fulfilled']);
    const sandbox = await startedSandbox(runtime, pod);
    const create = () => runtime.createContainer(containerSpec(sandbox, { image: 'app:1' }));
    expect(await faultOf(create())).toMatchObject({ fault: 'CreateFailed' });
    const { id } = await create();
    expect(await faultOf(runtime.startContainer(id))).toMatchObject({ fault: 'StartFailed', exitCode: 127 });
    await runtime.startContainer(id);
    expect((await states(runtime)).at(-1)).toMatchObject({ name: 'app', state: 'running' });
  });

  it('takes effect when the schedule says so, and loses the answers that it loses', async () => {
    const labels: string[] = [];
    let loseAnswer = true;
    const { runtime } = setUp(async (label, work) => {
      labels.push(label);
      const result = work();
      if (loseAnswer) throw new Error(`lost: ${label}`);
      return result;
    });
    await expect(runtime.createSandbox(sandboxSpec(pod))).rejects.toThrow('lost: createSandbox web');
    loseAnswer = false;
    expect((await states(runtime)).map(({ state }) => state)).toEqual(['created']);
    expect(labels).toEqual(['createSandbox web', 'list ']);
  });
});
