import type { Bench } from './bench.js';
import type { PodTimes } from './bench-pods.js';
import { interleave, judged, percentile, shown, spreadOf } from './measure.js';
import { sideBySide } from './side-by-side.js';

const PODS = 40;

/** One pod at a time on an idle cluster, from the POST to the start of its last container. */
export const requestToRunning: Bench = {
  name: 'request-to-running',
  about: 'ms from POST until both containers of a pod are started, image present / raw dockerode, calls overlapped',
  run: (print, count = PODS) =>
    sideBySide(async ({ pods, raw }) => {
      const times: PodTimes[] = [];
      const { ours, limit, ratios } = await interleave(
        count,
        async (round) => {
          const name = `one-${round}`;
          const time = await pods.run(name);
          await pods.end(name);
          if (round > 0) times.push(time);
          return time.started;
        },
        async () => {
          const started = await raw.run();
          await raw.removeAll();
          return started;
        },
      );
      const p99 = percentile(ours, 99);
      print(
        `${count} pods: ${shown(ours)} ms, p99 ${Math.round(p99)}; raw ${shown(limit)} ms, p99 ${Math.round(percentile(limit, 99))}; ` +
          `ratio ${shown(ratios, 2)}, ${judged(spreadOf(ratios).median, { atMost: 1.1 })}; p99 ${judged(p99, { atMost: 1_000 }, ' ms')}`,
      );
      print(
        `of these: 201 after ${shown(times.map(({ accepted }) => accepted))} ms; ` +
          `seen Running by a watcher after ${shown(times.map(({ seen }) => seen))} ms`,
      );
    }),
};
