import type { FakeEngine } from '../support/fake-engine.js';
import type { FakeImage, FakeProgram } from '../support/fake-images.js';

/** What probes and hooks meet in a program that is well at some times of its run. */
function wellIf(isWell: (upMs: number) => boolean): Pick<FakeProgram, 'exec' | 'answers'> {
  return {
    exec: (_command, upMs) => ({ exitCode: isWell(upMs) ? 0 : 1, takesMs: 50 }),
    answers: (_check, upMs) => (isWell(upMs) ? undefined : 'nothing'),
  };
}

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
  latecomer: { program: { stopTakesMs: 200, ...wellIf((upMs) => upMs > 4_000) } },
  sickly: { program: { stopTakesMs: 200, stopExitCode: 0, ...wellIf((upMs) => upMs < 20_000) } },
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
  latecomer: 2,
  sickly: 1,
  missing: 1,
};

/** The same for the main containers of jobs: most end. */
export const JOB_IMAGE_WEIGHTS = {
  job: 8,
  failing: 2,
  dying: 1,
  hungry: 1,
  startslater: 1,
  uncreatable: 1,
  server: 1,
} as const satisfies Readonly<Partial<Record<ImageName, number>>>;

/** Images whose containers run at once and go on when nobody disturbs them. */
export const STEADY_IMAGES: ReadonlySet<string> = new Set(['server', 'slowstop', 'stubborn']);

export function loadImages(engine: FakeEngine): void {
  for (const [name, image] of Object.entries(IMAGES)) engine.addImage(name, image);
}
