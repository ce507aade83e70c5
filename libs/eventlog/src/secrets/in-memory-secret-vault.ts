import { randomBytes } from 'node:crypto';
import type { Clock, Millis, SecretVault } from '#domain';
import type { Schedule } from '../in-memory-event-log.js';

const KEY_BYTES = 32;

/** The keys that several handles share, as processes share a database. */
export class VaultState {
  readonly keys = new Map<string, { readonly key: Uint8Array; readonly madeAt: Millis }>();
}

export interface InMemorySecretVaultOptions {
  readonly clock: Clock;
  readonly state?: VaultState;
  readonly schedule?: Schedule;
  /** Gives the bytes of new keys; a simulation replaces it, so that one seed gives one trace. */
  readonly random?: (size: number) => Uint8Array;
}

// Async, so that what `work` throws becomes a rejection.
const onMicrotasks: Schedule = async (_label, work) => work();

/** The vault of the simulation and of unit tests: the same contract as the one in Postgres, and nothing outlives it. */
export class InMemorySecretVault implements SecretVault {
  readonly #clock: Clock;
  readonly #state: VaultState;
  readonly #schedule: Schedule;
  readonly #random: (size: number) => Uint8Array;

  constructor({ clock, state, schedule = onMicrotasks, random = randomBytes }: InMemorySecretVaultOptions) {
    this.#clock = clock;
    this.#state = state ?? new VaultState();
    this.#schedule = schedule;
    this.#random = random;
  }

  obtain(uid: string): Promise<Uint8Array> {
    return this.#schedule(`vault.obtain ${uid}`, () => {
      const known = this.#state.keys.get(uid);
      if (known) return known.key;
      const key = this.#random(KEY_BYTES);
      this.#state.keys.set(uid, { key, madeAt: this.#clock.now() });
      return key;
    });
  }

  keysOf(uids: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>> {
    return this.#schedule(`vault.keysOf ${uids.length}`, () => {
      const found = uids.flatMap((uid): [string, Uint8Array][] => {
        const known = this.#state.keys.get(uid);
        return known ? [[uid, known.key]] : [];
      });
      return new Map(found);
    });
  }

  destroy(uids: readonly string[]): Promise<void> {
    return this.#schedule(`vault.destroy ${uids.join(' ')}`, () => {
      for (const uid of uids) this.#state.keys.delete(uid);
    });
  }

  olderThan(ageMs: number): Promise<string[]> {
    return this.#schedule(`vault.olderThan ${ageMs}`, () => {
      const until = this.#clock.now() - ageMs;
      return [...this.#state.keys].filter(([, { madeAt }]) => madeAt <= until).map(([uid]) => uid);
    });
  }
}
