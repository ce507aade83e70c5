import { availableParallelism } from 'node:os';
import type { Bench } from './bench.js';
import { interleave, judged, shown, spreadOf } from './measure.js';
import type { RawPods } from './raw-pods.js';
import { sideBySide } from './side-by-side.js';

const PODS = 30;
const ROUNDS = 3;
/** Pods that the executor makes at one time: two per core. More make all of them slower, raw or not. */
const AT_ONCE = Math.max(2, 2 * availableParallelism());

/** Many pods asked for at the same moment. */
export const burst: Bench = {
  name: 'burst',
  about: `pods/s when many are asked for at once, until the last container is started / raw dockerode, ${AT_ONCE} pods at a time`,
  run: (print, count = PODS) =>
    sideBySide(async ({ pods, raw }) => {
      const { ours, limit, ratios } = await interleave(
        ROUNDS,
        async (round) => {
          const names = Array.from({ length: count }, (_, index) => `burst-${round}-${index}`);
          const begun = Date.now();
          const started = await Promise.all(
            names.map(async (name) => {
              const asked = Date.now();
              return asked + (await pods.run(name)).started;
            }),
          );
          const rate = count / ((Math.max(...started) - begun) / 1000);
          await Promise.all(names.map((name) => pods.end(name)));
          return rate;
        },
        () => rawBurst(raw, count),
      );
      print(
        `${count} pods: ${shown(ours, 1)} pods/s; raw ${shown(limit, 1)} pods/s; ` +
          `ratio ${shown(ratios, 2)}, ${judged(spreadOf(ratios).median, { atLeast: 0.9 })}`,
      );
    }),
};

async function rawBurst(raw: RawPods, count: number): Promise<number> {
  const begun = Date.now();
  let begunPods = 0;
  let last = begun;
  const lane = async (): Promise<void> => {
    while (begunPods < count) {
      begunPods += 1;
      const asked = Date.now();
      last = Math.max(last, asked + (await raw.run()));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  await raw.removeAll();
  return count / ((last - begun) / 1000);
}
