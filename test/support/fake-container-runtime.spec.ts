import { describeContainerRuntime, type Program, type RuntimeBench } from '../contract/container-runtime.contract.js';
import { FakeContainerRuntime } from './fake-container-runtime.js';
import { FakeEngine } from './fake-engine.js';
import type { FakeProgram } from './fake-images.js';
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
      engine.addImage(image, { program: fakeProgram(program) });
      return { image };
    },
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
