import pg from 'pg';
import { ClusterProjection } from '#eventlog';
import { assertRan, type Bench } from './bench.js';
import { BenchLog, clock, type Following, openLog } from './bench-log.js';
import { interleave, judged, seconds, shown, spreadOf } from './measure.js';
import { livePod } from './pod-life.js';

const PODS = 7_500;
const CALLERS = 200;
const ROUNDS = 5;
/** What raw reading is fastest with. */
const RAW_PAGE = 5_000;

/** What a start without a snapshot does, against reading the same rows and parsing their payload. */
export const replay: Bench = {
  name: 'replay',
  about: 'events/s from the log into a ClusterState / sequential keyset read of the same rows + JSON.parse',
  run: async (print, pods = PODS) => {
    const bench = await BenchLog.open();
    const live = await bench.follow();
    try {
      let next = 0;
      const caller = async (): Promise<void> => {
        while (next < pods) await livePod(live.commands, `pod-${(next += 1)}`);
      };
      await Promise.all(Array.from({ length: CALLERS }, caller));
      live.stop();
      await bench.settle();
      const rows = await bench.rows();
      const { ours, limit, ratios } = await interleave(
        ROUNDS,
        () => intoState(bench, live, rows),
        () => rawRead(bench, rows),
      );
      print(
        `${rows.toLocaleString('en')} events: ${shown(ours)} events/s; raw in pages of ${RAW_PAGE}: ${shown(limit)}; ` +
          `ratio ${shown(ratios, 2)}, ${judged(spreadOf(ratios).median, { atLeast: 0.5 })}`,
      );
    } finally {
      live.stop();
      await bench.close();
    }
  },
};

async function intoState(bench: BenchLog, live: Following, rows: number): Promise<number> {
  const log = openLog(bench.appUrl);
  const projection = new ClusterProjection({ log, clock });
  const stop = new AbortController();
  try {
    await log.head();
    const took = await seconds(async () => {
      await projection.start(stop.signal);
    });
    assertRan(projection.revision === rows, `replayed to ${projection.revision} of ${rows}`);
    const known = JSON.stringify(live.projection.state.toSnapshot());
    assertRan(JSON.stringify(projection.state.toSnapshot()) === known, 'replay does not give the live state');
    return rows / took;
  } finally {
    stop.abort();
    await log.close();
  }
}

const asText: pg.CustomTypesConfig = { getTypeParser: () => (value: string) => value };

async function rawRead(bench: BenchLog, rows: number): Promise<number> {
  const client = new pg.Client({ connectionString: bench.appUrl });
  await client.connect();
  try {
    let after = 0;
    const took = await seconds(async () => {
      for (;;) {
        const page = await client.query<string[]>({
          name: 'raw_read',
          text: 'select * from podledger.events where revision > $1 order by revision limit $2',
          values: [after, RAW_PAGE],
          rowMode: 'array',
          types: asText,
        });
        for (const row of page.rows) {
          JSON.parse(row[14] ?? '');
          after += 1;
        }
        if (page.rows.length < RAW_PAGE) return;
      }
    });
    assertRan(after === rows, `read ${after} of ${rows} rows`);
    return rows / took;
  } finally {
    await client.end();
  }
}
