import Dockerode from 'dockerode';
import { BenchPods } from './bench-pods.js';
import { Product } from './product.js';
import { RawPods } from './raw-pods.js';

const SOCKET = '/var/run/docker.sock';

/** Podledger and the raw limit, side by side on one engine. */
export interface SideBySide {
  readonly product: Product;
  readonly pods: BenchPods;
  readonly raw: RawPods;
}

/** Brings both up, does the work, and leaves nothing behind. */
export async function sideBySide(work: (both: SideBySide) => Promise<void>): Promise<void> {
  const docker = new Dockerode({ socketPath: SOCKET });
  const product = await Product.create();
  let raw: RawPods | undefined;
  let pods: BenchPods | undefined;
  try {
    await product.start();
    raw = await RawPods.on(docker, SOCKET, product.cluster);
    pods = await BenchPods.of(product, docker);
    await work({ product, pods, raw });
  } finally {
    pods?.stop();
    await raw?.removeAll();
    await product.destroy();
  }
}
