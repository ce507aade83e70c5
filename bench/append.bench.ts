import { assertRan, type Bench, type Print } from './bench.js';
import { BenchLog, type Following } from './bench-log.js';
import { interleave, judged, seconds, shown, spreadOf } from './measure.js';
import { livePod } from './pod-life.js';
import { RawEvents } from './raw-events.js';

const CALLERS = [64, 200];
const PODS = 1_000;
const ROUNDS = 5;

/** Decide, append, commit, read back and show, against the insert of the same rows. */
export const append: Bench = {
  name: 'append',
  about:
    'events/s through the decider path (CommandBus.execute, pods living their lives) / raw batched insert of the same rows',
  run: async (print, pods = PODS) => {
    for (const callers of CALLERS) await measure(print, callers, pods);
  },
};

async function measure(print: Print, callers: number, pods: number): Promise<void> {
  const bench = await BenchLog.open();
  const raw = await RawEvents.create(bench.ownerUrl);
  const following = await bench.follow();
  try {
    const { ours, limit, ratios } = await interleave(
      ROUNDS,
      (round) => throughDeciders(bench, following, callers, pods, `r${round}`),
      () => rawInsert(bench, raw, callers, pods),
    );
    print(
      `${callers} callers: ${shown(ours)} events/s; raw in batches of ${callers}: ${shown(limit)}; ` +
        `ratio ${shown(ratios, 2)}, ${judged(spreadOf(ratios).median, { atLeast: 0.5 })}`,
    );
  } finally {
    following.stop();
    await raw.close();
    await bench.close();
  }
}

async function throughDeciders(
  bench: BenchLog,
  { commands, projection }: Following,
  callers: number,
  pods: number,
  prefix: string,
): Promise<number> {
  const before = await bench.rows();
  let next = 0;
  const caller = async (): Promise<void> => {
    while (next < pods) {
      next += 1;
      await livePod(commands, `${prefix}-${next}`);
    }
  };
  const took = await seconds(async () => {
    await Promise.all(Array.from({ length: callers }, caller));
  });
  const written = (await bench.rows()) - before;
  const deleted = await bench.rows('PodDeleted');
  assertRan(deleted % pods === 0 && deleted > 0, `${deleted} pods were deleted in all, not a multiple of ${pods}`);
  assertRan(written >= 12 * pods, `${written} rows for ${pods} pods`);
  assertRan(projection.revision === before + written, `the projection is at ${projection.revision}`);
  return written / took;
}

/** The first lives of the log, over again. */
async function rawInsert(bench: BenchLog, raw: RawEvents, batchSize: number, pods: number): Promise<number> {
  const events = await bench.log.readAfter(1, 14 * pods);
  assertRan(events.length > 0, 'the log is empty');
  const before = await raw.rows();
  const took = await seconds(() => raw.insert(events, batchSize));
  const written = (await raw.rows()) - before;
  assertRan(written === events.length, `${written} of ${events.length} rows are in the table`);
  return written / took;
}
