import fc from 'fast-check';
import { applyChanges, diffJson, type Json, sameJson } from '#domain';

const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>;

describe('changes', () => {
  it('lead from any value to any other', () => {
    fc.assert(
      fc.property(json, json, (before, after) => {
        expect(sameJson(applyChanges(before, diffJson(before, after)), after)).toBe(true);
      }),
    );
  });

  it('are none between equal values, and some between others', () => {
    fc.assert(
      fc.property(json, json, (before, after) => {
        expect(diffJson(before, before)).toEqual([]);
        expect(diffJson(before, after).length === 0).toBe(sameJson(before, after));
      }),
    );
  });

  it('name the smallest path that differs', () => {
    const before = { spec: { containers: [{ name: 'a', image: 'x:1' }], paused: true } };
    const after = { spec: { containers: [{ name: 'a', image: 'x:2' }] } };
    expect(diffJson(before, after)).toEqual([
      { path: ['spec', 'containers', '0', 'image'], to: 'x:2' },
      { path: ['spec', 'paused'] },
    ]);
  });
});
