import type { Clock } from '#domain';
import { EngineSlots } from './engine-slots.js';
import type { ContainerRuntime, PullProgress } from './runtime/container-runtime.js';

/** Pulls at one time; more share the same line and disk. */
const PARALLEL_PULLS = 3;

export interface PulledImage {
  readonly imageId: string;
  readonly durationMs: number;
}

type Listener = (progress: PullProgress) => void;

/** One pull per reference, however many pods wait for it. Fails as the runtime's pull does, for all of them. */
export class ImagePuller {
  private readonly pulls = new Map<
    string,
    { readonly done: Promise<PulledImage>; readonly listeners: Set<Listener> }
  >();
  private readonly slots = new EngineSlots(PARALLEL_PULLS);

  constructor(
    private readonly runtime: ContainerRuntime,
    private readonly clock: Clock,
  ) {}

  pull(reference: string, onProgress: Listener): Promise<PulledImage> {
    const known = this.pulls.get(reference);
    if (known) {
      known.listeners.add(onProgress);
      return known.done;
    }
    const listeners = new Set([onProgress]);
    const done = this.pullOnce(reference, listeners).finally(() => this.pulls.delete(reference));
    this.pulls.set(reference, { done, listeners });
    return done;
  }

  private async pullOnce(reference: string, listeners: ReadonlySet<Listener>): Promise<PulledImage> {
    const release = await this.slots.acquire();
    try {
      const startedAt = this.clock.now();
      const { imageId } = await this.runtime.pull(reference, (progress) => {
        for (const listen of listeners) listen(progress);
      });
      return { imageId, durationMs: this.clock.now() - startedAt };
    } finally {
      release();
    }
  }
}
