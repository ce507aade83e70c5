import fc from 'fast-check';
import { parseJson } from './parse-json.js';

describe('parseJson', () => {
  it('reads what JSON.parse reads, to the same value', () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: 'binary' }), (text) => {
        expect(parseJson(text)).toEqual({ value: JSON.parse(text), duplicateFields: [] });
      }),
    );
  });

  it('refuses what JSON.parse refuses, and the reverse', () => {
    const text = fc.string({ unit: fc.constantFrom(...'{}[]",:\\u0a13.eE+-/ \n\t', 'true', 'null', '"k":') });
    fc.assert(
      fc.property(text, (candidate) => {
        expect(fails(() => parseJson(candidate))).toBe(fails(() => JSON.parse(candidate)));
      }),
      { numRuns: 2000 },
    );
  });

  it('names each repeated key once, where it is', () => {
    expect(parseJson('{"a":1,"a":2,"a":3,"b":[{"c":1},{"c":1,"c":2}]}')).toEqual({
      value: { a: 3, b: [{ c: 1 }, { c: 2 }] },
      duplicateFields: ['a', 'b[1].c'],
    });
  });
});

function fails(run: () => unknown): boolean {
  try {
    run();
  } catch {
    return true;
  }
  return false;
}
