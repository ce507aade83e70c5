import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import type { JsonObject } from '#domain';
import { ObjectKey } from './object-key.js';

const bytes = new Uint8Array(32).fill(5);
const key = new ObjectKey('u1', bytes, randomBytes);

describe('the key of an object', () => {
  it('opens what it sealed, whatever it was', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string()), (text) => {
        expect(key.open(key.seal(text))).toEqual(text);
      }),
    );
  });

  it('seals one text differently each time, and shows nothing of it', () => {
    const text: JsonObject = { data: { password: 'Y29ycmVjdCBob3JzZQ==' } };
    const [one, other] = [key.seal(text), key.seal(text)];
    expect(one).not.toBe(other);
    expect(Buffer.from(one, 'base64').toString('latin1')).not.toContain('Y29ycmVjdCBob3JzZQ==');
  });

  it('opens nothing of another object, of another key, or that was touched', () => {
    const sealed = key.seal({ a: 'b' });
    expect(() => new ObjectKey('u2', bytes, randomBytes).open(sealed)).toThrow();
    expect(() => new ObjectKey('u1', randomBytes(32), randomBytes).open(sealed)).toThrow();
    const touched = Buffer.from(sealed, 'base64');
    for (const at of [0, 1, 13, 29]) {
      const copy = Buffer.from(touched);
      copy[at] = (copy[at] ?? 0) ^ 1;
      expect(() => key.open(copy.toString('base64'))).toThrow();
    }
  });
});
