import { DomainError } from '#domain';
import { createSealKeys, isSealKey, openSecret, sealKeysOf, sealSecret } from './sealed-box.js';

const content = { type: 'Opaque', data: { password: Buffer.from('correct horse').toString('base64') } };
const label = { node: 'n1', uid: 'u1', name: 'db' };

describe('a sealed box', () => {
  it('opens with the key it was made for, and shows nothing of what is in it', () => {
    const keys = createSealKeys();
    const box = sealSecret(content, keys.publicKey, label);
    expect(openSecret(box, keys, label)).toStrictEqual(content);
    expect(Buffer.from(box, 'base64').toString('latin1')).not.toContain(content.data.password);
  });

  it('differs each time', () => {
    const { publicKey } = createSealKeys();
    expect(sealSecret(content, publicKey, label)).not.toBe(sealSecret(content, publicKey, label));
  });

  it('opens with no other key, for no other pod, node or name', () => {
    const keys = createSealKeys();
    const box = sealSecret(content, keys.publicKey, label);
    expect(() => openSecret(box, createSealKeys(), label)).toThrow(DomainError);
    for (const other of [{ node: 'n2' }, { uid: 'u2' }, { name: 'other' }])
      expect(() => openSecret(box, keys, { ...label, ...other })).toThrow('does not open');
  });

  it('does not open when a single byte of it was changed', () => {
    const keys = createSealKeys();
    const bytes = Buffer.from(sealSecret(content, keys.publicKey, label), 'base64');
    for (const at of [0, 31, 32, 47, 48, bytes.length - 1]) {
      const touched = Buffer.from(bytes);
      touched[at] = (touched[at] ?? 0) ^ 1;
      expect(() => openSecret(touched.toString('base64'), keys, label)).toThrow('does not open');
    }
  });

  it.each(['', 'AAAA', 'no key', createSealKeys().publicKey.slice(4)])('is not made for %j', (publicKey) => {
    expect(isSealKey(publicKey)).toBe(false);
    expect(() => sealSecret(content, publicKey, label)).toThrow('no key to seal');
  });

  it('can be made again from the same bytes', () => {
    const seed = new Uint8Array(32).fill(7);
    const keys = sealKeysOf(seed);
    const random = (size: number): Uint8Array => new Uint8Array(size).fill(9);
    expect(sealSecret(content, keys.publicKey, label, random)).toBe(sealSecret(content, keys.publicKey, label, random));
    expect(openSecret(sealSecret(content, keys.publicKey, label, random), sealKeysOf(seed), label)).toEqual(content);
  });
});
