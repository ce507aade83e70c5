import { LogUnavailable, type Clock, type ObjectChange } from '#domain';
import type { ClusterProjection } from '#eventlog';
import { untilLatest } from '../read/revisions.js';
import type { SecretKeys } from './secret-keys.js';

/** Keys that no object has are looked for this often, in milliseconds. */
const SWEEP_EVERY_MS = 10 * 60_000;
/**
 * A key as old as this and without an object will never have one: it is made just before its object is recorded, and no
 * request takes nearly as long. Milliseconds.
 */
const FORSAKEN_AFTER_MS = 10 * 60_000;
const RETRY_MS = 1_000;

export interface KeyShredderOptions {
  readonly projection: ClusterProjection;
  readonly keys: Pick<SecretKeys, 'destroy'>;
  readonly olderThan: (ageMs: number) => Promise<readonly string[]>;
  readonly clock: Clock;
  /** Told of what a person should look at. */
  readonly report: (problem: string, cause?: unknown) => void;
}

/**
 * Destroys the key of every secret that goes, whoever deleted it, as soon as a replica hears of it; and now and then those
 * that a crash has left. Every replica does, for destroying twice does no harm.
 */
export class KeyShredder {
  private readonly due = new Set<string>();
  private readonly ending = new AbortController();
  private wake: () => void = () => undefined;

  constructor(private readonly options: KeyShredderOptions) {}

  /** Works until the returned function is called; that resolves when nothing is under way. */
  start(): () => Promise<void> {
    const unsubscribe = this.options.projection.onChanges((changes) => this.hear(changes));
    const ended = this.run();
    return async () => {
      unsubscribe();
      this.ending.abort();
      this.wake();
      await ended;
    };
  }

  private hear(changes: readonly ObjectChange[]): void {
    for (const { before, after } of changes)
      if (before?.kind === 'Secret' && before.meta.uid !== after?.meta.uid) this.due.add(before.meta.uid);
    if (this.due.size > 0) this.wake();
  }

  private async run(): Promise<void> {
    const { clock } = this.options;
    let sweepAt = clock.now();
    while (!this.ending.signal.aborted) {
      const done = await this.attempt(async () => {
        await this.shred();
        if (clock.now() < sweepAt) return;
        await this.sweep();
        sweepAt = clock.now() + SWEEP_EVERY_MS;
      });
      if (!done) await this.pause(RETRY_MS);
      else if (this.due.size === 0) await this.pause(sweepAt - clock.now());
    }
  }

  private async shred(): Promise<void> {
    const uids = [...this.due];
    if (uids.length === 0) return;
    await this.options.keys.destroy(uids);
    for (const uid of uids) this.due.delete(uid);
  }

  private async sweep(): Promise<void> {
    const { projection, keys, olderThan } = this.options;
    const old = await olderThan(FORSAKEN_AFTER_MS);
    if (old.length === 0) return;
    // What the log had by now is seen: an object made with a key that old is among it.
    await untilLatest(projection);
    const forsaken = old.filter((uid) => projection.state.objectByUid(uid)?.kind !== 'Secret');
    if (forsaken.length > 0) await keys.destroy(forsaken);
  }

  /** False when the database was away; it is tried again. */
  private async attempt(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (!(error instanceof LogUnavailable)) this.options.report('keys of secrets could not be destroyed', error);
      return false;
    }
  }

  private async pause(ms: number): Promise<void> {
    const woken = new AbortController();
    this.wake = () => woken.abort();
    if (this.ending.signal.aborted) return;
    await this.options.clock.sleep(Math.max(0, ms), woken.signal);
  }
}
