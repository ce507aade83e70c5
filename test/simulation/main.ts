import { openSync, writeFileSync, writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runAll, type Job } from './crew.js';
import { Reporter } from './report.js';
import { runSeed } from './run.js';
import { explain, summaryOf } from './seeds.js';

/*
 * npm run simulate -- --seeds 1000            so many seeds, from 1, on all cores
 * npm run simulate -- --from 500 --seeds 100  from there
 * npm run simulate -- --seeds 20 --twice      each seed twice: it must give the same trace
 * npm run simulate -- --report FILE           and what came of it as JSON
 * npm run simulate -- --mutant NAME           with a planted bug (mutants.ts); ends with the first seed that finds it
 * npm run simulate -- --seed 1234             one seed, with its newest trace lines
 * npm run simulate -- --seed 1234 --log FILE  and its whole trace in a file
 */
const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '200' },
    from: { type: 'string', default: '1' },
    lines: { type: 'string', default: '60' },
    log: { type: 'string' },
    report: { type: 'string' },
    mutant: { type: 'string' },
    twice: { type: 'boolean', default: false },
  },
});

/** How often progress is told, in milliseconds. */
const TELL_EVERY_MS = 5_000;
const lines = Number(values.lines);
const say = (text: string): void => void process.stdout.write(`${text}\n`);

process.exitCode = values.seed === undefined ? await runMany() : await runOne(Number(values.seed));

async function runOne(seed: number): Promise<number> {
  const log = values.log === undefined ? undefined : openSync(values.log, 'w');
  const onLine = log === undefined ? {} : { onLine: (line: string) => void writeSync(log, `${line}\n`) };
  const outcome = await runSeed(seed, { lines, ...onLine });
  say(outcome.violation ? explain(outcome) : `${outcome.trace.join('\n')}\n${summaryOf(outcome)}`);
  return outcome.violation ? 1 : 0;
}

async function runMany(): Promise<number> {
  const jobs: Job[] = [];
  for (let index = 0; index < Number(values.seeds); index += 1) {
    const job = { seed: Number(values.from) + index, lines, ...(values.mutant && { mutant: values.mutant }) };
    jobs.push(job, ...(values.twice ? [job] : []));
  }
  const began = performance.now();
  const reporter = new Reporter();
  let toldAt = began;
  await runAll(jobs, (outcome) => {
    reporter.add(outcome);
    if (outcome.violation) say(explain(outcome));
    const { runs, failed } = reporter.report;
    const now = performance.now();
    if (now - toldAt >= TELL_EVERY_MS) {
      toldAt = now;
      say(`${runs} of ${jobs.length} runs, ${failed.length} failed, ${(runs / ((now - began) / 1000)).toFixed(1)}/s`);
    }
    return outcome.violation && values.mutant ? 'enough' : 'on';
  });
  const { report } = reporter;
  const { runs, steps, failed, unsteady, faults } = report;
  for (const seed of unsteady) say(`seed ${seed} gave two traces`);
  const seconds = (performance.now() - began) / 1000;
  const struck = Object.values(faults).reduce((sum, times) => sum + times, 0);
  const names = failed.map(({ seed }) => seed).join(', ');
  say(
    `${runs} runs, ${failed.length} failed${names && ` (${names})`}; ${steps} steps, ${struck} faults ` +
      `in ${seconds.toFixed(1)} s, ${(runs / seconds).toFixed(1)}/s`,
  );
  if (values.report !== undefined) writeFileSync(values.report, JSON.stringify(report));
  return failed.length + unsteady.length > 0 ? 1 : 0;
}
