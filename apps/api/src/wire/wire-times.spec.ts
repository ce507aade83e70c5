import fc from 'fast-check';
import { normalMicroTime, normalTime, timeOfParts } from './wire-times.js';

describe('wire times', () => {
  it.each([
    ['2024-01-02T03:04:05Z', '2024-01-02T03:04:05Z', '2024-01-02T03:04:05.000000Z'],
    ['2024-01-02T03:04:05.5+02:00', '2024-01-02T01:04:05Z', '2024-01-02T01:04:05.500000Z'],
    ['2024-02-29T23:59:59.123456789-00:30', '2024-03-01T00:29:59Z', '2024-03-01T00:29:59.123456Z'],
  ])('brings %s to UTC', (sent, time, micro) => {
    expect([normalTime(sent), normalMicroTime(sent)]).toEqual([time, micro]);
  });

  it.each(['', 'now', '2024-13-01T00:00:00Z', '2023-02-29T00:00:00Z', '2024-01-01', '2024-01-01T25:00:00Z'])(
    'refuses %j',
    (text) => {
      expect([normalTime(text), normalMicroTime(text)]).toEqual([undefined, undefined]);
    },
  );

  it('writes seconds and nanoseconds so that they are read back', () => {
    fc.assert(
      fc.property(fc.integer({ min: -62_135_596_800, max: 253_402_300_799 }), fc.nat(999_999_999), (seconds, nanos) => {
        const micro = timeOfParts(seconds, nanos, true);
        expect(normalMicroTime(micro)).toBe(micro);
        expect(normalTime(micro)).toBe(timeOfParts(seconds, nanos, false));
      }),
    );
  });
});
