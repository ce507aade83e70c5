import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BrokenInvariant, type EventLog, LogUnavailable, type Recorded, type Revision } from '#domain';
import { ManualClock } from '../../../test/support/manual-clock.js';
import { InMemoryEventLog } from './in-memory-event-log.js';
import { LogFollower, type LogFollowerOptions } from './log-follower.js';

describe('following the log', () => {
  let clock: ManualClock;
  let log: EventLog;
  let failing: Error | undefined;
  let hintsAreLost: boolean;
  let beforeAnswer: (() => Promise<void>) | undefined;
  let reads: number;
  /** Resolves when hints may arrive. */
  let late: Promise<void> | undefined;
  let stop: AbortController;
  let batches: Revision[][];
  let version: number;

  beforeEach(() => {
    clock = new ManualClock();
    failing = undefined;
    hintsAreLost = false;
    beforeAnswer = undefined;
    reads = 0;
    late = undefined;
    stop = new AbortController();
    batches = [];
    version = 0;
    let count = 0;
    log = new InMemoryEventLog({
      clock,
      ids: { uuid: () => `id-${(count += 1)}`, random: () => 0.5 },
      schedule: async (label, work) => {
        if (label.startsWith('log.readAfter')) {
          reads += 1;
          if (failing) throw failing;
        }
        if (label === 'log.grown' && hintsAreLost) throw new LogUnavailable('lost');
        if (label === 'log.grown') await late;
        const answer = work();
        const interlude = label.startsWith('log.readAfter') ? beforeAnswer : undefined;
        if (interlude) {
          beforeAnswer = undefined;
          await interlude();
        }
        return answer;
      },
    });
  });
  afterEach(() => stop.abort());

  const append = async (count = 1): Promise<void> => {
    const events = Array.from({ length: count }, () => ({ type: 'Noted', data: {} }));
    const context = { actor: { kind: 'user' as const, name: 'ann' }, requestId: 'r', correlationId: 'r' };
    await log.append({
      commandId: `c${version}`,
      context,
      writes: [{ stream: 's', expectedVersion: version, events }],
    });
    version += count;
  };

  const follow = (more: Partial<LogFollowerOptions> = {}): { follower: LogFollower; ended: Promise<void> } => {
    const take = async (batch: readonly Recorded[]): Promise<void> => {
      batches.push(batch.map(({ revision }) => revision));
    };
    const follower = new LogFollower(log, clock, { from: 0, onEvents: take, ...more });
    return { follower, ended: follower.start(stop.signal) };
  };

  it('delivers what is there, then what comes, without waiting for the poll', async () => {
    await append(2);
    const { follower } = follow();
    await clock.advance(0);
    expect(batches).toEqual([[1, 2]]);
    await append(1);
    await clock.advance(0);
    expect(batches).toEqual([[1, 2], [3]]);
    expect(follower.position).toBe(3);
  });

  it('starts after the revision it is told', async () => {
    await append(1);
    await append(2);
    follow({ from: 1 });
    await clock.advance(0);
    expect(batches).toEqual([[2, 3]]);
  });

  it('finds by polling what no hint told of', async () => {
    follow({ pollMs: 1_000 });
    await clock.advance(0);
    hintsAreLost = true;
    await append();
    await clock.advance(999);
    expect(batches).toEqual([]);
    await clock.advance(2);
    expect(batches).toEqual([[1]]);
  });

  it('reads no more often than it polls while nothing happens', async () => {
    follow({ pollMs: 1_000 });
    await clock.advance(10_000);
    expect(reads).toBeLessThanOrEqual(11);
  });

  it('keeps a command together, however small its pages', async () => {
    await append(3);
    await append(1);
    await append(5);
    await append(2);
    follow({ pageSize: 4 });
    await clock.advance(0);
    expect(batches).toEqual([
      [1, 2, 3, 4],
      [5, 6, 7, 8, 9],
      [10, 11],
    ]);
  });

  it('hands over one batch at a time, and reads one page ahead but no further', async () => {
    await append(1);
    await append(1);
    await append(1);
    let taken = (): void => undefined;
    const { follower } = follow({
      pageSize: 1,
      onEvents: (batch) => {
        batches.push(batch.map(({ revision }) => revision));
        return new Promise((resolve) => (taken = resolve));
      },
    });
    await clock.advance(5_000);
    expect([batches, follower.position, reads]).toEqual([[[1]], 0, 2]);
    taken();
    await clock.advance(0);
    expect([batches, follower.position]).toEqual([[[1], [2]], 1]);
  });

  it('misses nothing that is appended after the log was read and before the answer came', async () => {
    beforeAnswer = () => append();
    follow({ pollMs: 60_000 });
    await clock.advance(0);
    expect(batches).toEqual([[1]]);
  });

  it('outlives an unreachable log, asking less and less often', async () => {
    failing = new LogUnavailable('gone');
    follow();
    await clock.advance(60_000);
    expect(reads).toBeGreaterThan(10);
    expect(reads).toBeLessThan(20);
    await append();
    failing = undefined;
    await clock.advance(5_000);
    expect(batches).toEqual([[1]]);
  });

  it('ends with what its taker threw, and with any fault that does not pass', async () => {
    await append();
    const broken = new Error('cannot apply');
    await expect(
      follow({
        onEvents: async () => {
          throw broken;
        },
      }).ended,
    ).rejects.toBe(broken);
    failing = new TypeError('a mistake');
    await expect(follow().ended).rejects.toBe(failing);
  });

  it('stops rather than go on over a gap', async () => {
    await append(3);
    const whole = log;
    log = Object.create(whole, {
      readAfter: {
        value: async (revision: Revision, limit: number) =>
          (await whole.readAfter(revision, limit)).filter((event) => event.revision !== 2),
      },
    });
    await expect(follow().ended).rejects.toBeInstanceOf(BrokenInvariant);
  });

  it('ends quietly when told to stop, in the middle of a wait', async () => {
    const { ended } = follow();
    await clock.advance(100);
    stop.abort();
    await ended;
    await append();
    await clock.advance(10_000);
    expect(batches).toEqual([]);
  });

  describe('what comes with the news', () => {
    it('is taken without being read, when nothing is missing before it', async () => {
      const { follower } = follow();
      await clock.advance(0);
      const before = reads;
      await append(2);
      await append(1);
      await clock.advance(0);
      expect([batches, follower.position, reads]).toEqual([[[1, 2], [3]], 3, before]);
    });

    it('is read after all when something before it was not told of', async () => {
      follow({ pollMs: 60_000 });
      await clock.advance(0);
      hintsAreLost = true;
      await append(2);
      hintsAreLost = false;
      await append(1);
      await clock.advance(0);
      expect(batches).toEqual([[1, 2, 3]]);
    });

    it('is not taken twice when it comes late', async () => {
      let arrive = (): void => undefined;
      late = new Promise((resolve) => (arrive = resolve));
      follow({ pollMs: 1_000 });
      await clock.advance(0);
      await append(2);
      await clock.advance(1_000);
      expect(batches).toEqual([[1, 2]]);
      const before = reads;
      arrive();
      await clock.advance(0);
      expect([batches, reads]).toEqual([[[1, 2]], before]);
    });

    it('waits its turn while something else is being taken', async () => {
      let taken = (): void => undefined;
      const taking: Promise<void>[] = [];
      follow({
        onEvents: (batch) => {
          batches.push(batch.map(({ revision }) => revision));
          const done = new Promise<void>((resolve) => (taken = resolve));
          taking.push(done);
          return done;
        },
      });
      await clock.advance(0);
      await append(1);
      await append(1);
      await append(1);
      await clock.advance(0);
      expect(batches).toEqual([[1]]);
      taken();
      await clock.advance(0);
      expect(batches).toEqual([[1], [2, 3]]);
    });

    it('ends the follower when it cannot be taken', async () => {
      const broken = new Error('cannot apply');
      const { ended } = follow({
        onEvents: async () => {
          throw broken;
        },
      });
      await clock.advance(0);
      await append();
      await expect(ended).rejects.toBe(broken);
      await append();
      expect(batches).toEqual([]);
    });
  });

  describe('waiting for a revision', () => {
    it('answers at once when it is reached already', async () => {
      await append();
      const { follower } = follow();
      await clock.advance(0);
      expect(await follower.waitFor(1, 0)).toBe(true);
    });

    it('answers when the revision has been taken, and makes the follower look', async () => {
      const { follower } = follow({ pollMs: 60_000 });
      await clock.advance(0);
      hintsAreLost = true;
      await append(2);
      expect(await follower.waitFor(2, 3_000)).toBe(true);
      expect(follower.position).toBe(2);
    });

    it('says no when the time is over', async () => {
      const { follower } = follow();
      let answer: boolean | undefined;
      void follower.waitFor(1, 3_000).then((reached) => (answer = reached));
      await clock.advance(2_999);
      expect(answer).toBeUndefined();
      await clock.advance(1);
      expect(answer).toBe(false);
    });
  });
});
