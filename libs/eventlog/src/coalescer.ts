import { invariant } from '#domain';

/** What became of one item of a batch. */
export type Outcome<Result> = { readonly value: Result } | { readonly error: Error };

export interface CoalescerLimits {
  /** Batches under way at once. */
  readonly lanes: number;
  /** A batch starts beside others only with this many items; absent: 1. */
  readonly minBeside?: number;
  /** Items in a batch, at most. */
  readonly maxItems: number;
  /** Bytes in a batch, at most; a larger item travels alone. */
  readonly maxBytes: number;
  /** Items that may wait; beyond it {@link Coalescer.submit} rejects with what `overloaded` makes. */
  readonly maxWaiting: number;
  readonly overloaded: () => Error;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly bytes: number;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Gathers what concurrent callers ask for into batches: while one is under way the next fills up, first come, first served.
 * A lone caller never waits for company. What would fill several lanes is shared out among them: when all callers are in one
 * batch, the destination has nothing to do while they go on, and they have nothing to do while it works. `run` answers with
 * one outcome per item; when it rejects, so does every item.
 */
export class Coalescer<Item, Result> {
  readonly #waiting: Waiting<Item, Result>[] = [];
  #running = 0;
  #closed: Error | undefined;
  #drained: (() => void) | undefined;

  constructor(
    private readonly run: (batch: readonly Item[]) => Promise<readonly Outcome<Result>[]>,
    private readonly limits: CoalescerLimits,
  ) {}

  /** `bytes` counts towards the bound of a batch. */
  submit(item: Item, bytes: number): Promise<Result> {
    if (this.#closed) return Promise.reject(this.#closed);
    if (this.#waiting.length >= this.limits.maxWaiting) return Promise.reject(this.limits.overloaded());
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, bytes, resolve, reject });
      // On the next microtask, so that callers of the same turn share the first batch too.
      queueMicrotask(() => this.#fillLanes());
    });
  }

  /** Rejects what waits with `reason`, and resolves when the batches under way have ended. */
  async close(reason: Error): Promise<void> {
    this.#closed = reason;
    for (const { reject } of this.#waiting.splice(0)) reject(reason);
    if (this.#running === 0) return;
    await new Promise<void>((resolve) => (this.#drained = resolve));
  }

  #fillLanes(): void {
    while (this.#mayStart()) {
      const batch = this.#waiting.splice(0, this.#nextBatchSize());
      this.#running += 1;
      this.run(batch.map(({ item }) => item))
        .then((outcomes) => settle(batch, outcomes))
        .catch((error: unknown) => batch.forEach(({ reject }) => reject(error)))
        .finally(() => {
          this.#running -= 1;
          this.#fillLanes();
          if (this.#running === 0) this.#drained?.();
        });
    }
  }

  #mayStart(): boolean {
    const { lanes, minBeside = 1 } = this.limits;
    if (this.#running === 0) return this.#waiting.length > 0;
    return this.#running < lanes && this.#waiting.length >= minBeside;
  }

  #nextBatchSize(): number {
    const { lanes, minBeside = 1, maxItems, maxBytes } = this.limits;
    const waiting = this.#waiting.length;
    const free = Math.min(lanes - this.#running, Math.floor(waiting / minBeside));
    const most = Math.min(Math.ceil(waiting / Math.max(1, free)), maxItems);
    let bytes = 0;
    let size = 0;
    for (const item of this.#waiting) {
      bytes += item.bytes;
      if (size > 0 && (size >= most || bytes > maxBytes)) break;
      size += 1;
    }
    return size;
  }
}

function settle<Item, Result>(batch: readonly Waiting<Item, Result>[], outcomes: readonly Outcome<Result>[]): void {
  invariant(outcomes.length === batch.length, `${batch.length} items, ${outcomes.length} outcomes`);
  batch.forEach(({ resolve, reject }, index) => {
    const outcome = outcomes[index];
    if (outcome === undefined) return;
    if ('error' in outcome) reject(outcome.error);
    else resolve(outcome.value);
  });
}
