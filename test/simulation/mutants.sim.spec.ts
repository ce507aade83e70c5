import { MUTANTS } from './mutants.js';
import { runSeed } from './run.js';
import { simulate } from './simulate.js';

/** A planted bug that is not found within this many seeds would not be found in practice. */
const SEEDS = 40;
/** A hundred times what it takes on an idle machine. */
const PATIENCE_MS = 600_000;

describe('the simulation', () => {
  it.each(Object.keys(MUTANTS))(
    'finds a program that %s',
    async (mutant) => {
      const { failed } = await simulate('--mutant', mutant, '--seeds', String(SEEDS));
      expect(failed).toHaveLength(1);
    },
    PATIENCE_MS,
  );

  it(
    'gives one trace for one seed, and another for another',
    async () => {
      const { runs, unsteady, hashes } = await simulate('--seeds', '20', '--twice');
      expect(runs).toBe(40);
      expect(unsteady).toEqual([]);
      expect(new Set(Object.values(hashes)).size).toBe(20);
    },
    PATIENCE_MS,
  );

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
