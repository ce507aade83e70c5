import { append } from './append.bench.js';
import type { Bench } from './bench.js';
import { burst } from './burst.bench.js';
import { idle } from './idle.bench.js';
import { describeMachine } from './machine.js';
import { place } from './place.bench.js';
import { planning } from './plan.bench.js';
import { replay } from './replay.bench.js';
import { requestToRunning } from './request-to-running.bench.js';
import { start } from './start.bench.js';

const benches: readonly Bench[] = [append, replay, planning, place, requestToRunning, burst, idle, start];

const usage = [
  'usage: npm run bench -- [name[=number] ...]     (all, when none is named)',
  ...benches.map(({ name, about }) => `  ${name.padEnd(20)} ${about}`),
].join('\n');

function chosen(words: readonly string[]): { bench: Bench; argument: number | undefined }[] {
  if (words.length === 0) return benches.map((bench) => ({ bench, argument: undefined }));
  return words.map((word) => {
    const [name, number] = word.split('=');
    const bench = benches.find((each) => each.name === name);
    const argument = number === undefined ? undefined : Number(number);
    if (!bench || (argument !== undefined && !(Number.isSafeInteger(argument) && argument > 0))) throw new Error(usage);
    return { bench, argument };
  });
}

async function main(): Promise<void> {
  const work = chosen(process.argv.slice(2));
  for (const line of describeMachine()) console.log(line);
  for (const { bench, argument } of work) {
    console.log(`\n${bench.name}: ${bench.about}`);
    await bench.run((line) => console.log(`  ${line}`), argument);
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
