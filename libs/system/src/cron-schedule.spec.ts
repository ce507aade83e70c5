import { describe, expect, it } from '@jest/globals';
import { readSchedule } from './cron-schedule.js';

const next = (text: string, after: string, timeZone?: string): string | undefined => {
  const read = readSchedule(text, timeZone);
  if ('problem' in read) throw new Error(read.problem);
  const at = read.schedule.next(Date.parse(after));
  return at === undefined ? undefined : new Date(at).toISOString();
};

describe('a schedule', () => {
  it.each([
    ['* * * * *', '2026-01-01T00:00:00Z', '2026-01-01T00:01:00.000Z'],
    ['* * * * *', '2026-01-01T00:00:59.999Z', '2026-01-01T00:01:00.000Z'],
    ['*/20 * * * *', '2026-01-01T00:20:00Z', '2026-01-01T00:40:00.000Z'],
    ['5/20 * * * *', '2026-01-01T00:00:00Z', '2026-01-01T00:05:00.000Z'],
    ['10-20/5,50 * * * *', '2026-01-01T00:20:00Z', '2026-01-01T00:50:00.000Z'],
    ['30 6-16/4 * * mon-fri', '2026-01-02T14:30:00Z', '2026-01-05T06:30:00.000Z'],
    ['0 0 1 JAN ?', '2026-01-01T00:00:00Z', '2027-01-01T00:00:00.000Z'],
    ['0 0 13 * 5', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00.000Z'],
    ['0 0 29 2 *', '2026-01-01T00:00:00Z', '2028-02-29T00:00:00.000Z'],
    ['@hourly', '2026-01-01T00:00:00Z', '2026-01-01T01:00:00.000Z'],
    ['@weekly', '2026-01-01T00:00:00Z', '2026-01-04T00:00:00.000Z'],
    ['@every 1h30m', '2026-01-01T00:00:00.500Z', '2026-01-01T01:30:00.000Z'],
    ['@every 1ms', '2026-01-01T00:00:00Z', '2026-01-01T00:00:01.000Z'],
  ])('%s comes after %s at %s', (text, after, at) => expect(next(text, after)).toBe(at));

  it('knows time zones and their summer', () => {
    expect(next('0 9 * * *', '2026-01-01T00:00:00Z', 'Europe/Berlin')).toBe('2026-01-01T08:00:00.000Z');
    expect(next('0 9 * * *', '2026-07-01T00:00:00Z', 'Europe/Berlin')).toBe('2026-07-01T07:00:00.000Z');
  });

  it('brings a fixed time right after a gap of the clock, and once where an hour comes twice', () => {
    expect(next('30 2 * * *', '2026-03-29T00:00:00Z', 'Europe/Berlin')).toBe('2026-03-29T01:00:00.000Z');
    const first = next('30 2 * * *', '2026-10-24T23:00:00Z', 'Europe/Berlin');
    expect(first).toBe('2026-10-25T00:30:00.000Z');
    expect(next('30 2 * * *', '2026-10-25T00:30:00Z', 'Europe/Berlin')).toBe('2026-10-26T01:30:00.000Z');
  });

  it('may never come', () => expect(next('0 0 31 2 *', '2026-01-01T00:00:00Z')).toBeUndefined());

  it.each([
    ['', 'expected exactly 5 fields, found 0: []'],
    ['* * * *', 'expected exactly 5 fields, found 4: [* * * *]'],
    ['0 * * * * *', 'expected exactly 5 fields, found 6: [0 * * * * *]'],
    ['60 * * * *', 'end of range (60) above maximum (59): 60'],
    ['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
    ['* * * * 7', 'end of range (7) above maximum (6): 7'],
    ['20-10 * * * *', 'beginning of range (20) beyond end of range (10): 20-10'],
    ['*/0 * * * *', 'step of range should be a positive number: */0'],
    ['1-2-3 * * * *', 'too many hyphens: 1-2-3'],
    ['1/2/3 * * * *', 'too many slashes: 1/2/3'],
    ['L * * * *', 'failed to parse int from L'],
    ['0 0 * * 5#2', 'failed to parse int from 5#2'],
    ['@sometimes', 'unrecognized descriptor: @sometimes'],
    ['@every day', 'failed to parse duration @every day'],
  ])('is not %j: %s', (text, problem) => expect(readSchedule(text)).toEqual({ problem, of: 'schedule' }));

  it('needs a time zone that there is', () =>
    expect(readSchedule('@daily', 'Europe/Atlantis')).toEqual({
      problem: 'unknown time zone Europe/Atlantis',
      of: 'timeZone',
    }));
});
