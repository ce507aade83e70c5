import { ageOf, humanDuration } from './age.js';

const s = 1_000;
const m = 60 * s;
const h = 60 * m;
const d = 24 * h;

describe('the age of things, as kubectl’s users know it', () => {
  it.each([
    [-5 * s, '<invalid>'],
    [-1 * s, '0s'],
    [0, '0s'],
    [119 * s, '119s'],
    [2 * m, '2m'],
    [3 * m + 10 * s, '3m10s'],
    [10 * m + 30 * s, '10m'],
    [179 * m, '179m'],
    [3 * h, '3h'],
    [7 * h + 59 * m, '7h59m'],
    [47 * h, '47h'],
    [2 * d, '2d'],
    [7 * d + 23 * h, '7d23h'],
    [9 * d + 5 * h, '9d'],
    [729 * d, '729d'],
    [730 * d, '2y'],
    [3 * 365 * d + 4 * d, '3y4d'],
    [9 * 365 * d, '9y'],
  ])('%i ms is %s', (ms, text) => expect(humanDuration(ms)).toBe(text));

  it('is unknown of what is no time', () => {
    expect(ageOf(undefined, 0)).toBe('<unknown>');
    expect(ageOf('yesterday', 0)).toBe('<unknown>');
    expect(ageOf('1970-01-01T00:00:00Z', 5 * s)).toBe('5s');
  });
});
