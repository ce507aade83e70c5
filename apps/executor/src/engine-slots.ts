/** Gives a slot back. */
export type Release = () => void;

/**
 * Bounds the pods whose containers are being made or removed at one time. An engine spends processor time on each; past a
 * few per two cores all of them get slower (docker-runtime.md 12). First come, first served.
 */
export class EngineSlots {
  private free: number;
  private readonly queue: (() => void)[] = [];

  constructor(slots: number) {
    this.free = slots;
  }

  /** A slot, if one is free. */
  tryAcquire(): Release | undefined {
    if (this.free === 0) return undefined;
    this.free -= 1;
    return this.releaseOnce();
  }

  /** A slot, when one is free. */
  async acquire(): Promise<Release> {
    const now = this.tryAcquire();
    if (now) return now;
    await new Promise<void>((resolve) => this.queue.push(resolve));
    return this.releaseOnce();
  }

  private releaseOnce(): Release {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const next = this.queue.shift();
      if (next) next();
      else this.free += 1;
    };
  }
}
