import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type CronSchedule, dueBy, type Millis } from '#domain';

/** A schedule that comes at these times only. */
const at = (times: readonly Millis[]): CronSchedule => ({ next: (after) => times.find((time) => time > after) });
const every = (distance: Millis, first = 0): CronSchedule => ({
  next: (after) => first + (Math.floor((after - first) / distance) + 1) * distance,
});

describe('what a schedule has come to', () => {
  it('is nothing yet before its first time', () => {
    expect(dueBy(every(60_000), 0, 59_999)).toEqual({ missed: 0, tooMany: false, next: 60_000 });
  });

  it('is its first time while no second has passed', () => {
    expect(dueBy(every(60_000), 0, 60_000)).toEqual({ at: 60_000, missed: 1, tooMany: false, next: 120_000 });
  });

  it('is nothing at all when it never comes', () => expect(dueBy(at([]), 0, 1)).toBeUndefined());

  it('is found at once after years, and told to be too much', () => {
    let asked = 0;
    const counted: CronSchedule = { next: (after) => ((asked += 1), every(60_000).next(after)) };
    const years = 10 * 365 * 86_400_000;
    expect(dueBy(counted, 0, years)).toMatchObject({ at: years, tooMany: true });
    expect(asked).toBeLessThan(20);
  });

  it('keeps in step with the first time when each time follows from the one before', () => {
    const follow: CronSchedule = { next: (after) => after + 7_000 };
    expect(dueBy(follow, 0, 100_000)).toMatchObject({ at: 98_000, next: 105_000 });
  });

  it('is the newest time that has passed, whatever the distances', () => {
    const gaps = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(gaps, fc.nat(4_200), fc.nat(4_200), (distances, since, later) => {
        let time = 0;
        const times = distances.map((distance) => (time += distance * 1_000));
        const now = (since + later) * 1_000;
        const passed = times.filter((one) => one > since * 1_000 && one <= now);
        const due = dueBy(at(times), since * 1_000, now);
        expect(due?.at).toBe(passed.at(-1));
        expect(due?.next).toBe(times.find((one) => one > Math.max(now, since * 1_000)));
      }),
    );
  });
});
