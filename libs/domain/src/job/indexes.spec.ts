import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  commonIndexes,
  countIndexes,
  formatIndexes,
  freeIndexes,
  hasIndex,
  indexesBelow,
  indexesOf,
  parseIndexes,
  uniteIndexes,
} from './indexes.js';

const someIndexes = fc.uniqueArray(fc.nat(60), { maxLength: 40 });
const sorted = (numbers: Iterable<number>): number[] => [...numbers].sort((a, b) => a - b);
const numbersIn = (indexes: ReturnType<typeof indexesOf>): number[] =>
  indexes.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, step) => first + step));

describe('completion indexes', () => {
  it.each([
    ['', 0],
    ['0', 1],
    ['0,1', 2],
    ['0-2,5,7,8', 6],
  ])('are written as Kubernetes writes them: %s', (text, count) => {
    const indexes = parseIndexes(text) ?? [];
    expect(formatIndexes(indexes)).toBe(text);
    expect(countIndexes(indexes)).toBe(count);
  });

  it.each(['a', '1,', '3-1', '2,1', '1,1', '1-3,3', '-1', '1 ,2', '1-2-3'])('are not %j', (text) =>
    expect(parseIndexes(text)).toBeUndefined(),
  );

  it('are sets of numbers', () => {
    fc.assert(
      fc.property(someIndexes, someIndexes, fc.nat(70), (a, b, limit) => {
        const [x, y] = [indexesOf(a), indexesOf(b)];
        expect(numbersIn(uniteIndexes(x, y))).toEqual(sorted(new Set([...a, ...b])));
        expect(numbersIn(commonIndexes(x, y))).toEqual(sorted(a.filter((one) => b.includes(one))));
        expect(numbersIn(indexesBelow(x, limit))).toEqual(sorted(a.filter((one) => one < limit)));
        expect(hasIndex(x, limit)).toBe(a.includes(limit));
        expect(parseIndexes(formatIndexes(x))).toEqual(x);
      }),
    );
  });

  it('leave the lowest others free', () => {
    fc.assert(
      fc.property(someIndexes, fc.nat(70), fc.nat(20), (taken, limit, count) => {
        const free = Array.from({ length: limit }, (_, index) => index).filter((index) => !taken.includes(index));
        expect(freeIndexes(indexesOf(taken), limit, count)).toEqual(free.slice(0, count));
      }),
    );
  });
});
