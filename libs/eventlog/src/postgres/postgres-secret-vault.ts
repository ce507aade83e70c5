import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { invariant, type SecretVault } from '#domain';
import type { MasterKey } from '../secrets/master-key.js';
import { reachingTheLog } from './postgres-errors.js';
import { DEFAULT_SCHEMA, plainName } from './schema.js';

export interface PostgresSecretVaultOptions {
  /** Connects as the apps' role, see `migrate`. */
  readonly url: string;
  readonly masterKey: MasterKey;
  readonly schema?: string;
}

/** Another master key than the one that this database's keys are wrapped with: nothing could be read, and nothing may be written. */
export class WrongMasterKey extends Error {
  constructor(given: string, expected: string) {
    super(`the keys of secrets in this database are wrapped with master key ${expected}, not with ${given}`);
    this.name = 'WrongMasterKey';
  }
}

const KEY_BYTES = 32;
const QUERY_TIMEOUT_MS = 10_000;

interface KeyRow {
  readonly uid: string;
  readonly wrapped: Buffer;
}

/**
 * Keys of secrets, beside the log and not in it: wrapped with the master key, in a table of which rows can go. An
 * acknowledged key is on disk.
 */
export class PostgresSecretVault implements SecretVault {
  readonly #pool: pg.Pool;
  readonly #schema: string;
  readonly #masterKey: MasterKey;

  private constructor({ url, masterKey, schema = DEFAULT_SCHEMA }: PostgresSecretVaultOptions) {
    this.#masterKey = masterKey;
    this.#schema = plainName(schema);
    this.#pool = new pg.Pool({
      connectionString: url,
      application_name: 'podledger-vault',
      connectionTimeoutMillis: QUERY_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS,
      max: 2,
      // Whatever the server's defaults: a key must not be lost when what is encrypted with it is not.
      options: '-c synchronous_commit=on',
    });
    // An idle connection that ends is no event: the next query makes another.
    this.#pool.on('error', () => undefined);
  }

  /** The first master key that opens a database's vault is that database's. Throws {@link WrongMasterKey}, `LogUnavailable`. */
  static async open(options: PostgresSecretVaultOptions): Promise<PostgresSecretVault> {
    const vault = new PostgresSecretVault(options);
    try {
      await vault.#claim();
      return vault;
    } catch (error) {
      await vault.close();
      throw error;
    }
  }

  async obtain(uid: string): Promise<Uint8Array> {
    const fresh = this.#masterKey.wrap(uid, randomBytes(KEY_BYTES));
    const rows = await this.#query<KeyRow>('select $1 as uid, obtain_secret_key($1, $2, $3) as wrapped', [
      uid,
      fresh,
      this.#masterKey.id,
    ]);
    invariant(rows[0], 'a key that was obtained is there');
    return this.#masterKey.unwrap(uid, rows[0].wrapped);
  }

  async keysOf(uids: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>> {
    if (uids.length === 0) return new Map();
    const rows = await this.#query<KeyRow>('select uid, wrapped from secret_keys where uid = any ($1)', [uids]);
    return new Map(rows.map(({ uid, wrapped }) => [uid, this.#masterKey.unwrap(uid, wrapped)]));
  }

  async destroy(uids: readonly string[]): Promise<void> {
    if (uids.length > 0) await this.#query('select destroy_secret_keys($1)', [uids]);
  }

  async olderThan(ageMs: number): Promise<string[]> {
    const rows = await this.#query<{ uid: string }>(
      `select uid from secret_keys where made_at <= clock_timestamp() - $1 * interval '1 millisecond' order by made_at`,
      [ageMs],
    );
    return rows.map(({ uid }) => uid);
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #claim(): Promise<void> {
    const { id } = this.#masterKey;
    const rows = await this.#query<{ claimed: string }>('select claim_master_key($1) as claimed', [id]);
    const claimed = rows[0]?.claimed;
    invariant(claimed !== undefined, 'a master key has been claimed');
    if (claimed !== id) throw new WrongMasterKey(id, claimed);
  }

  /** Names of functions and tables in the text are those of the vault's schema. */
  async #query<Row extends pg.QueryResultRow>(text: string, values: unknown[]): Promise<Row[]> {
    const qualified = text.replace(
      /\b(obtain_secret_key|destroy_secret_keys|claim_master_key|secret_keys)\b/g,
      (name) => `${this.#schema}.${name}`,
    );
    const { rows } = await reachingTheLog(() => this.#pool.query<Row>(qualified, values));
    return rows;
  }
}
