import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ClusterProjection, InMemoryEventLog } from '#eventlog';
import { ManualClock } from '../../../test/support/manual-clock.js';
import { SeededIds } from '../../../test/support/seeded-ids.js';
import { type Controller, ReconcileLoop } from './reconcile-loop.js';

/** Notes what is reconciled when; each pass lasts until the test ends it, or not at all. */
class Recorder implements Controller {
  readonly name = 'recorder';
  readonly seen: string[] = [];
  act: (key: string, pass: number) => Promise<number | undefined> = async () => undefined;
  readonly #passes = new Map<string, number>();

  all(): string[] {
    return [];
  }
  concerned(): string[] {
    return [];
  }
  reconcile(key: string): Promise<number | undefined> {
    const pass = (this.#passes.get(key) ?? 0) + 1;
    this.#passes.set(key, pass);
    this.seen.push(key);
    return this.act(key, pass);
  }
}

describe('the reconcile loop', () => {
  let clock: ManualClock;
  let recorder: Recorder;
  let loop: ReconcileLoop;
  let problems: string[];
  let failures: unknown[];
  const start = (concurrency?: number) => {
    const log = new InMemoryEventLog({ clock, ids: new SeededIds() });
    loop = new ReconcileLoop(recorder, {
      clock,
      projection: new ClusterProjection({ log, clock }),
      report: (problem) => problems.push(problem),
      fail: (error) => failures.push(error),
      ...(concurrency !== undefined && { concurrency }),
    });
    loop.start();
  };
  beforeEach(() => {
    clock = new ManualClock();
    recorder = new Recorder();
    problems = [];
    failures = [];
    start();
  });
  afterEach(() => loop.stop());

  it('looks once at a key that was woken many times', async () => {
    for (let times = 0; times < 5; times += 1) loop.wake('a');
    await clock.advance(0);
    expect(recorder.seen).toEqual(['a']);
  });

  it('runs one pass per key at a time, and another when the key was woken meanwhile', async () => {
    const ends: (() => void)[] = [];
    recorder.act = () => new Promise((resolve) => ends.push(() => resolve(undefined)));
    loop.wake('a');
    await clock.advance(0);
    loop.wake('a');
    loop.wake('b');
    await clock.advance(0);
    expect(recorder.seen).toEqual(['a', 'b']);
    ends[0]?.();
    await clock.advance(0);
    expect(recorder.seen).toEqual(['a', 'b', 'a']);
    ends.forEach((end) => end());
  });

  it('keeps within its concurrency', async () => {
    await loop.stop();
    start(2);
    const ends: (() => void)[] = [];
    recorder.act = () => new Promise((resolve) => ends.push(() => resolve(undefined)));
    for (const key of ['a', 'b', 'c', 'd']) loop.wake(key);
    await clock.advance(0);
    expect(recorder.seen).toEqual(['a', 'b']);
    ends.shift()?.();
    await clock.advance(0);
    expect(recorder.seen).toEqual(['a', 'b', 'c']);
    recorder.act = async () => undefined;
    ends.forEach((end) => end());
    await clock.advance(0);
    expect(recorder.seen).toEqual(['a', 'b', 'c', 'd']);
  });

  it('looks again when a pass asks for it', async () => {
    const begun = clock.now();
    recorder.act = async (_key, pass) => (pass === 1 ? begun + 1_000 : undefined);
    loop.wake('a');
    await clock.advance(999);
    expect(recorder.seen).toEqual(['a']);
    await clock.advance(1);
    expect(recorder.seen).toEqual(['a', 'a']);
    await clock.advance(10_000);
    expect(recorder.seen).toEqual(['a', 'a']);
  });

  it('tries a failed key again, later each time, and does not hurry for a change', async () => {
    recorder.act = async (_key, pass) => {
      if (pass <= 3) throw new Error('not yet');
      return undefined;
    };
    const at: number[] = [];
    const begun = clock.now();
    loop.wake('a');
    for (let steps = 0; steps < 20; steps += 1) {
      const before = recorder.seen.length;
      await clock.advance(50);
      if (recorder.seen.length > before) at.push(clock.now() - begun);
      loop.wake('a');
      if (recorder.seen.length === 4) break;
    }
    expect(at).toEqual([50, 100, 300, 700]);
    expect(problems).toHaveLength(3);
    loop.wake('b');
    await clock.advance(0);
    expect(recorder.seen.at(-1)).toBe('b');
  });

  it('starts nothing after it was stopped, and waits for what is under way', async () => {
    let end: () => void = () => undefined;
    recorder.act = () => new Promise((resolve) => (end = () => resolve(undefined)));
    loop.wake('a');
    await clock.advance(0);
    let stopped = false;
    const stopping = loop.stop().then(() => (stopped = true));
    loop.wake('b');
    await clock.advance(60_000);
    expect({ seen: recorder.seen, stopped }).toEqual({ seen: ['a'], stopped: false });
    end();
    await stopping;
  });
});
