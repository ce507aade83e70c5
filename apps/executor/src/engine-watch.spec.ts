import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '../../../test/support/manual-clock.js';
import { EngineWatch } from './engine-watch.js';
import { RuntimeError, type RuntimeInfo } from './runtime/container-runtime.js';

const info: RuntimeInfo = {
  engineId: 'engine',
  cpuMillis: 1,
  memoryBytes: 1,
  runtimeVersion: 'fake://1',
  operatingSystem: 'linux',
  osImage: '',
  kernelVersion: '',
  architecture: 'amd64',
};

type Engine = 'answers' | 'refuses' | 'hangs';

function watching() {
  const clock = new ManualClock();
  let stoodStillMs = 0;
  let engine: Engine = 'answers';
  let asked = 0;
  const turns: string[] = [];
  const watch = new EngineWatch({
    clock: {
      now: () => clock.now() + stoodStillMs,
      after: (ms, run) => clock.after(ms, run),
      sleep: (ms, signal) => clock.sleep(ms, signal),
    },
    runtime: {
      info: async () => {
        asked += 1;
        if (engine === 'refuses') throw new RuntimeError('Unavailable', 'connect ENOENT /docker.sock');
        if (engine === 'hangs') {
          await clock.sleep(10_000);
          throw new RuntimeError('DeadlineExceeded', 'not done within 10 s');
        }
        return info;
      },
    },
    onTurn: () => turns.push(watch.condition.message || 'back'),
  });
  watch.start();
  return {
    ...{ clock, watch, turns },
    asked: () => asked,
    become: (now: Engine) => void (engine = now),
    standStill: (ms: number) => void (stoodStillMs += ms),
  };
}

describe('the watch over the engine', () => {
  it('says nothing of an engine that is away for less than 15 seconds', async () => {
    const { clock, watch, turns, become } = watching();
    await clock.advance(60_000);
    become('refuses');
    await clock.advance(14_000);
    become('answers');
    await clock.advance(60_000);
    expect(watch.condition).toEqual({ ready: true, message: '' });
    expect(turns).toEqual([]);
  });

  it.each<[Engine, RegExp]>([
    ['refuses', /^container runtime is down: connect ENOENT/],
    ['hangs', /^container runtime is down: not done within/],
  ])('says once that an engine that %s is down, and within seconds that it is back', async (fault, words) => {
    const { clock, watch, turns, become } = watching();
    await clock.advance(60_000);
    become(fault);
    await clock.advance(19_000);
    expect(watch.condition).toMatchObject({ ready: false, message: expect.stringMatching(words) });
    await clock.advance(60_000);
    expect(turns).toHaveLength(1);
    become('answers');
    await clock.advance(11_000);
    expect(turns).toEqual([expect.stringMatching(words), 'back']);
  });

  it('asks an engine that hangs one thing at a time', async () => {
    const { clock, asked, become } = watching();
    become('hangs');
    await clock.advance(100_000);
    expect(asked()).toBeLessThanOrEqual(10);
  });

  it('does not blame the engine for the time in which the process stood still', async () => {
    const { clock, turns, standStill } = watching();
    await clock.advance(10_000);
    standStill(300_000);
    await clock.advance(10_000);
    expect(turns).toEqual([]);
  });
});
