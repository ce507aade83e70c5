import { MUTANTS } from './mutants.js';
import { runSeed, type Outcome } from './run.js';

/** A planted bug that is not found within this many seeds would not be found in practice. */
const SEEDS = 40;

describe('the simulation', () => {
  it.each(Object.entries(MUTANTS))(
    'finds a program that %s',
    async (_name, sabotage) => {
      let found: Outcome | undefined;
      for (let seed = 1; seed <= SEEDS && !found?.violation; seed += 1) found = await runSeed(seed, { sabotage });
      expect(found?.violation).toBeDefined();
    },
    120_000,
  );

  it.each([7, 21, 68])('gives one trace for one seed (%i), and another for another', async (seed) => {
    const [once, again, other] = [await runSeed(seed), await runSeed(seed), await runSeed(seed + 1)];
    expect(again).toEqual(once);
    expect(other.hash).not.toBe(once.hash);
  });

  it('takes neither time nor chance from the machine', async () => {
    const machine = { now: Date.now, random: Math.random, setTimeout: globalThis.setTimeout };
    const asked: string[] = [];
    const note = <T extends unknown[], R>(name: string, real: (...args: T) => R) => {
      return (...args: T): R => {
        asked.push(`${name}: ${new Error().stack ?? ''}`);
        return real(...args);
      };
    };
    Date.now = note('Date.now', machine.now.bind(Date));
    Math.random = note('Math.random', machine.random.bind(Math));
    Object.assign(globalThis, { setTimeout: note('setTimeout', machine.setTimeout) });
    try {
      await runSeed(5);
    } finally {
      Date.now = machine.now;
      Math.random = machine.random;
      Object.assign(globalThis, { setTimeout: machine.setTimeout });
    }
    expect(asked).toEqual([]);
  });
});
