import { runSeed } from './run.js';
import { explain, seedsOf } from './seeds.js';

/** Seeds in `npm test`; `SEEDS=5000` runs more, `FROM=1000` others. */
const USUAL = { from: 1, count: 200 };
const PER_TEST = 10;

/** One part of the seeds: jest runs files side by side, so that each part has a file. */
export function clusterSuite(part: number, parts: number): void {
  const { from, count } = seedsOf(process.env, USUAL);
  const firstOf = (number: number): number => from + Math.floor((count * number) / parts);
  const [begin, end] = [firstOf(part), firstOf(part + 1)];
  const groups = Array.from({ length: Math.ceil((end - begin) / PER_TEST) }, (_, index) => {
    const first = begin + index * PER_TEST;
    return { first, last: Math.min(first + PER_TEST, end) - 1 };
  });

  describe('a cluster under faults', () => {
    it.each(groups)(
      'keeps every invariant and settles, with seeds $first to $last',
      async ({ first, last }) => {
        const problems: string[] = [];
        for (let seed = first; seed <= last; seed += 1) {
          const outcome = await runSeed(seed);
          if (outcome.violation) problems.push(explain(outcome));
        }
        expect(problems).toEqual([]);
      },
      // A hundred times what it takes on an idle machine.
      300_000,
    );
  });
}
