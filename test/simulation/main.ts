import { openSync, writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runSeed, type Outcome } from './run.js';
import { explain, summaryOf } from './seeds.js';

/*
 * npm run simulate -- --seeds 1000            so many seeds, from 1
 * npm run simulate -- --from 500 --seeds 100  from there
 * npm run simulate -- --seed 1234             one seed, with its newest trace lines
 * npm run simulate -- --seed 1234 --log FILE  and its whole trace in a file
 * npm run simulate -- --seeds 20 --twice      each seed twice: it must give the same trace
 */
const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '200' },
    from: { type: 'string', default: '1' },
    lines: { type: 'string', default: '60' },
    log: { type: 'string' },
    twice: { type: 'boolean', default: false },
  },
});

const lines = Number(values.lines);
const log = values.log === undefined ? undefined : openSync(values.log, 'w');
const onLine = log === undefined ? {} : { onLine: (line: string) => void writeSync(log, `${line}\n`) };
const seeds =
  values.seed === undefined
    ? Array.from({ length: Number(values.seeds) }, (_, index) => Number(values.from) + index)
    : [Number(values.seed)];
const began = performance.now();
const failed: Outcome[] = [];
let steps = 0;
for (const seed of seeds) {
  const outcome = await runSeed(seed, { lines, ...onLine });
  steps += outcome.steps;
  if (outcome.violation) {
    failed.push(outcome);
    process.stdout.write(`${explain(outcome)}\n`);
  } else if (seeds.length === 1) process.stdout.write(`${outcome.trace.join('\n')}\n${summaryOf(outcome)}\n`);
  if (values.twice) {
    const again = await runSeed(seed, { lines });
    if (again.hash !== outcome.hash) {
      process.stdout.write(`seed ${seed} gave trace ${outcome.hash}, then ${again.hash}\n`);
      failed.push(again);
    }
  }
}
const seconds = (performance.now() - began) / 1000;
process.stdout.write(
  `${seeds.length} seeds, ${failed.length} failed${failed.length > 0 ? ` (${failed.map(({ seed }) => seed).join(', ')})` : ''}; ` +
    `${steps} steps in ${seconds.toFixed(1)} s, ${(seeds.length / seconds).toFixed(1)} seeds/s\n`,
);
process.exitCode = failed.length > 0 ? 1 : 0;
