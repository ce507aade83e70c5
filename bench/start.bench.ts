import type { Bench } from './bench.js';
import { judged, shown, spreadOf } from './measure.js';
import { Product } from './product.js';

const ROUNDS = 3;

/** From the command to Ready. */
export const start: Bench = {
  name: 'start',
  about: 's from npm start to Ready: in a new home, and in one that has been used',
  run: async (print, rounds = ROUNDS) => {
    const first: number[] = [];
    const second: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const product = await Product.create();
      try {
        first.push(await product.start('npm'));
        await product.stop();
        second.push(await product.start('npm'));
      } finally {
        await product.destroy();
      }
    }
    print(`first start ${shown(first, 1)} s, ${judged(spreadOf(first).median, { atMost: 15 }, ' s')}`);
    print(`second start ${shown(second, 1)} s, ${judged(spreadOf(second).median, { atMost: 5 }, ' s')}`);
  },
};
