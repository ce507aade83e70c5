import type { FakeEngine } from '../support/fake-engine.js';
import type { FakeImage } from '../support/fake-images.js';

/** What the images of the workload do when they run, or when somebody tries to run them. */
export const IMAGES = {
  server: { program: { stopTakesMs: 200, stopExitCode: 0 } },
  slowstop: { program: { stopTakesMs: 4_000, stopExitCode: 143 } },
  stubborn: { program: { ignoresStop: true } },
  job: { program: { exitsAfterMs: 6_000, exitCode: 0 } },
  failing: { program: { exitsAfterMs: 3_000, exitCode: 1 } },
  dying: { program: { exitsAfterMs: 25_000, exitCode: 2 } },
  hungry: { program: { exitsAfterMs: 15_000, oomKilled: true } },
  unstartable: { program: { startFails: { exitCode: 127, message: 'no such file' } } },
  startslater: { program: { startFails: { exitCode: 127, message: 'no such file', times: 2 } } },
  uncreatable: { program: { createFails: { message: 'invalid mount', times: 2 } } },
  remote: { present: false, pull: { takesMs: 3_000 } },
  flakyregistry: { present: false, pull: { takesMs: 500, failures: 1 } },
} as const satisfies Readonly<Record<string, FakeImage>>;

export type ImageName = keyof typeof IMAGES | 'missing';

/** How often the workload uses each. `missing` is in no registry. */
export const IMAGE_WEIGHTS: Readonly<Record<ImageName, number>> = {
  server: 12,
  slowstop: 3,
  stubborn: 2,
  job: 4,
  failing: 2,
  dying: 2,
  hungry: 1,
  unstartable: 1,
  startslater: 1,
  uncreatable: 1,
  remote: 3,
  flakyregistry: 1,
  missing: 1,
};

/** Images whose containers run at once and go on when nobody disturbs them. */
export const STEADY_IMAGES: ReadonlySet<string> = new Set(['server', 'slowstop', 'stubborn']);

export function loadImages(engine: FakeEngine): void {
  for (const [name, image] of Object.entries(IMAGES)) engine.addImage(name, image);
}
