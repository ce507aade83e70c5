import { randomBytes } from 'node:crypto';
import type { SecretVault, StoredObject } from '#domain';
import type { ResourceDefinition } from '../resources/resource.js';
import { ObjectKey, type RandomBytes } from './object-key.js';

const KEY_BYTES = 32;

/** A command meets an object whose key nobody has fetched yet: fetch it and begin again. */
class KeyNeeded extends Error {
  constructor(readonly uid: string) {
    super(`the key of ${uid} is needed`);
    this.name = 'KeyNeeded';
  }
}

/** The keys of objects that the log keeps encrypted. None is kept in memory beyond a request: what is destroyed is gone. */
export class SecretKeys {
  constructor(
    private readonly vault: SecretVault,
    private readonly random: RandomBytes = randomBytes,
  ) {}

  /** The key for a new object. Throws `LogUnavailable`, as all here do. */
  async obtain(uid: string): Promise<ObjectKey> {
    return new ObjectKey(uid, await this.vault.obtain(uid), this.random);
  }

  /** A key that nobody keeps, for what is not stored either. */
  passing(uid: string): ObjectKey {
    return new ObjectKey(uid, this.random(KEY_BYTES), this.random);
  }

  /** The keys of objects that still have one. */
  async of(uids: readonly string[]): Promise<ReadonlyMap<string, ObjectKey>> {
    const found = await this.vault.keysOf(uids);
    return new Map([...found].map(([uid, key]) => [uid, new ObjectKey(uid, key, this.random)]));
  }

  destroy(uids: readonly string[]): Promise<void> {
    return this.vault.destroy(uids);
  }

  /** Objects as clients see them. Of most kinds that is as they are. */
  async reveal(definition: ResourceDefinition, objects: readonly StoredObject[]): Promise<readonly StoredObject[]> {
    const { reveal } = definition;
    if (!reveal || objects.length === 0) return objects;
    const keys = await this.of(objects.map(({ meta }) => meta.uid));
    return objects.map((object) => reveal(object, keys.get(object.meta.uid)));
  }

  /** The keys that one command needs. */
  ring(): KeyRing {
    return new KeyRing(this);
  }
}

/**
 * The keys for one command. A command is decided synchronously, perhaps several times and on another object of the same name;
 * keys are fetched as it turns out which are needed.
 */
export class KeyRing {
  private readonly known = new Map<string, ObjectKey | undefined>();

  constructor(private readonly keys: SecretKeys) {}

  /** The key of an object, `undefined` when it is destroyed. Only inside {@link supply}. */
  keyOf(uid: string): ObjectKey | undefined {
    if (!this.known.has(uid)) throw new KeyNeeded(uid);
    return this.known.get(uid);
  }

  /** Runs a command, again for every key that it misses. Nothing has been recorded when it missed one. */
  async supply<T>(run: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await run();
      } catch (error) {
        if (!(error instanceof KeyNeeded) || this.known.has(error.uid)) throw error;
        this.known.set(error.uid, (await this.keys.of([error.uid])).get(error.uid));
      }
    }
  }
}
