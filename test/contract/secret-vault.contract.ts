import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { SecretVault } from '#domain';

/** One vault, and as many processes on it as asked for. */
export interface VaultUnderTest {
  connect(): Promise<SecretVault>;
  /** Lets time pass on the vault's clock. */
  elapse(ms: number): Promise<void>;
  close(): Promise<void>;
}

const hex = (key: Uint8Array | undefined): string | undefined => key && Buffer.from(key).toString('hex');

/** What every vault of keys does. */
export function describeSecretVault(name: string, open: () => Promise<VaultUnderTest>): void {
  describe(name, () => {
    let under: VaultUnderTest;
    let vault: SecretVault;
    beforeEach(async () => {
      under = await open();
      vault = await under.connect();
    });
    afterEach(() => under.close());

    it('makes a key of 32 bytes for a uid, and gives the same again, to every process', async () => {
      const uid = randomUUID();
      const key = await vault.obtain(uid);
      expect(key).toHaveLength(32);
      const other = await under.connect();
      expect(hex(await other.obtain(uid))).toBe(hex(key));
      expect(hex((await other.keysOf([uid])).get(uid))).toBe(hex(key));
    });

    it('gives processes that ask at once one key', async () => {
      const uid = randomUUID();
      const vaults = await Promise.all([under.connect(), under.connect(), under.connect()]);
      const keys = await Promise.all(vaults.map((each) => each.obtain(uid)));
      expect(new Set(keys.map(hex)).size).toBe(1);
    });

    it('makes another key for another uid', async () => {
      const [one, other] = [await vault.obtain(randomUUID()), await vault.obtain(randomUUID())];
      expect(hex(one)).not.toBe(hex(other));
    });

    it('tells which of many have a key', async () => {
      const [kept, gone, never] = [randomUUID(), randomUUID(), randomUUID()];
      await vault.obtain(kept);
      await vault.obtain(gone);
      await vault.destroy([gone, never]);
      expect([...(await vault.keysOf([kept, gone, never])).keys()]).toEqual([kept]);
      expect((await vault.keysOf([])).size).toBe(0);
    });

    it('never gives a destroyed key again: what comes under its uid is another', async () => {
      const uid = randomUUID();
      const key = hex(await vault.obtain(uid));
      await vault.destroy([uid]);
      expect((await (await under.connect()).keysOf([uid])).size).toBe(0);
      expect(hex(await vault.obtain(uid))).not.toBe(key);
    });

    it('lists keys by their age', async () => {
      const [old, young] = [randomUUID(), randomUUID()];
      await vault.obtain(old);
      await under.elapse(400);
      await vault.obtain(young);
      expect(await vault.olderThan(300)).toEqual([old]);
      expect([...(await vault.olderThan(0))].sort()).toEqual([old, young].sort());
    });
  });
}
