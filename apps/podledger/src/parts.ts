import type { Running } from './assembly.js';

interface Part {
  readonly name: string;
  readonly stopRank: number;
  readonly running: Promise<Running>;
}

/** How long one part may take to stop, in ms, before the next is stopped regardless: longer than any of them needs. */
const stopWithinMs = 40_000;

/**
 * What runs, and in which order it stops: parts of one rank together, lower ranks first. A part that is still starting when
 * the stop comes is stopped as soon as it has started.
 */
export class Parts {
  private readonly parts: Part[] = [];
  private stopped: Promise<void> | undefined;

  constructor(
    private readonly report: (text: string) => void,
    private readonly onEnded: (error: PartEnded) => void = throwUncaught,
  ) {}

  /** Starts a part. Throws what its start throws, and an error when the stop has come already. */
  async start<T extends Running>(name: string, stopRank: number, start: () => Promise<T>): Promise<T> {
    if (this.stopped) throw new Stopping();
    const running = start();
    this.parts.push({ name, stopRank, running });
    const part = await running;
    part.ended?.then(
      () => this.broke(new PartEnded(`the ${name} has ended by itself`)),
      (cause: unknown) => this.broke(new PartEnded(`the ${name} cannot go on: ${wordsOf(cause)}`, { cause })),
    );
    if (this.stopped) throw new Stopping();
    return part;
  }

  /** Stops everything; resolves when nothing runs any more. What fails to stop is told, and does not keep the rest. */
  stop(): Promise<void> {
    this.stopped ??= this.stopAll();
    return this.stopped;
  }

  /** What is left cannot do without it. */
  private broke(error: PartEnded): void {
    if (!this.stopped) this.onEnded(error);
  }

  private async stopAll(): Promise<void> {
    const ranks = [...new Set(this.parts.map(({ stopRank }) => stopRank))].sort((a, b) => a - b);
    for (const rank of ranks) {
      await Promise.all(this.parts.filter(({ stopRank }) => stopRank === rank).map((part) => this.stopOne(part)));
    }
  }

  private async stopOne({ name, running }: Part): Promise<void> {
    const part = await running.catch(() => undefined); // One that did not start has said so already.
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not within ${stopWithinMs / 1000} s`)), stopWithinMs);
    });
    try {
      await Promise.race([part?.stop(), late]);
    } catch (error) {
      this.report(`${name} did not stop cleanly: ${wordsOf(error)}`);
    } finally {
      clearTimeout(timer);
    }
  }
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A part is over though nobody stopped it. */
export class PartEnded extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PartEnded';
  }
}

/** Ends the service, as any error that nobody caught does. */
function throwUncaught(error: Error): void {
  queueMicrotask(() => {
    throw error;
  });
}

/** A start was overtaken by the stop. */
export class Stopping extends Error {
  constructor() {
    super('stopping');
    this.name = 'Stopping';
  }
}
