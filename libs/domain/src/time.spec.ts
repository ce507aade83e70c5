import fc from 'fast-check';
import { parseRfc3339, rfc3339, rfc3339Micro } from '#domain';

describe('times', () => {
  it('are written as JavaScript writes them, to the second', () => {
    const upTo = Date.UTC(2400, 0, 1);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: upTo }), (at) => {
        expect(rfc3339(at)).toBe(`${new Date(at).toISOString().slice(0, 19)}Z`);
        expect(rfc3339Micro(at)).toBe(new Date(at).toISOString().replace('Z', '000Z'));
        expect(parseRfc3339(new Date(at).toISOString())).toBe(at);
      }),
    );
  });

  it.each([
    ['2026-11-22T10:00:00Z', Date.UTC(2026, 10, 22, 10)],
    ['2026-11-22T11:30:00+01:30', Date.UTC(2026, 10, 22, 10)],
    ['2026-11-22T10:00:00.123456789Z', Date.UTC(2026, 10, 22, 10, 0, 0, 123)],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
  ])('%s is read', (text, at) => expect(parseRfc3339(text)).toBe(at));

  it.each(['', 'yesterday', '2026-02-30T00:00:00Z', '2026-13-01T00:00:00Z', '2026-01-01', '2026-01-01T24:00:00Z'])(
    '%j is none',
    (text) => expect(parseRfc3339(text)).toBeUndefined(),
  );
});
