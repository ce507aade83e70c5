import { runSeed } from './run.js';
import { explain, seedsOf } from './seeds.js';

/** Seeds in `npm test`; `SEEDS=5000` runs more, `FROM=1000` others. */
const { from, count } = seedsOf(process.env, { from: 1, count: 20 });
const PER_TEST = 20;

describe('a cluster under faults', () => {
  const groups = Array.from({ length: Math.ceil(count / PER_TEST) }, (_, index) => {
    const first = from + index * PER_TEST;
    return { first, last: Math.min(first + PER_TEST, from + count) - 1 };
  });

  it.each(groups)(
    'keeps every invariant, and settles, with seeds $first to $last',
    async ({ first, last }) => {
      const problems: string[] = [];
      for (let seed = first; seed <= last; seed += 1) {
        const outcome = await runSeed(seed);
        if (outcome.violation) problems.push(explain(outcome));
      }
      expect(problems).toEqual([]);
    },
    120_000,
  );
});
