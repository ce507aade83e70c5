import { setTimeout as sleep } from 'node:timers/promises';
import { assertRan, type Bench } from './bench.js';
import { judged } from './measure.js';
import { processTree } from './process-tree.js';
import { Product } from './product.js';

const SETTLE_SECONDS = 60;

/** What an empty cluster costs. */
export const idle: Bench = {
  name: 'idle',
  about: 'MiB (PSS) of the process tree of npm start, dockerd apart, 60 s after Ready',
  run: async (print, settleSeconds = SETTLE_SECONDS) => {
    const product = await Product.create();
    try {
      await product.start('npm');
      await sleep(settleSeconds * 1000);
      await product.call('GET', '/api/v1/nodes');
      const processes = processTree(product.pid);
      const sums = new Map<string, number>();
      for (const { name, pss } of processes) sums.set(name, (sums.get(name) ?? 0) + pss);
      assertRan(sums.has('postgres') && sums.has('nats-server'), 'not the whole tree was found');
      const total = [...sums.values()].reduce((sum, pss) => sum + pss, 0);
      print(`${Math.round(total)} MiB, ${judged(total, { atMost: 300 }, ' MiB')}`);
      print([...sums].map(([name, pss]) => `${name} ${Math.round(pss)}`).join(', '));
    } finally {
      await product.destroy();
    }
  },
};
