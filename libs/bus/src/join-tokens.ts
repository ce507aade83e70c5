import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { DomainError, type Clock, type Millis } from '#domain';

/** What is kept of a join token: enough to recognise it, not enough to use it. */
export interface JoinTokenRecord {
  readonly id: string;
  /** SHA-256 of the secret half, hex. */
  readonly hash: string;
  readonly expiresAt: Millis;
  /** The only node name it is good for, if it was made for one. */
  readonly node?: string;
}

/** Where join tokens are kept; the caller's, so that they share its durability. */
export interface JoinTokenStore {
  save(record: JoinTokenRecord): Promise<void>;
  find(id: string): Promise<JoinTokenRecord | undefined>;
  /** Binds a token to the first who claims it, atomically; answers who that is. */
  claim(id: string, claimant: string): Promise<string>;
}

const tokenPattern = /^pl1\.([0-9a-f]{16})\.([0-9a-f]{64})$/;

/** One-time tokens that let a machine become a node. */
export class JoinTokens {
  constructor(
    private readonly store: JoinTokenStore,
    private readonly clock: Clock,
    /** Unpredictable bytes; Node's own unless a simulation needs to repeat itself. */
    private readonly random: (bytes: number) => Buffer = randomBytes,
  ) {}

  /** A new token. It is shown once and never kept. */
  async issue(ttlMs: number, node?: string): Promise<string> {
    const id = this.random(8).toString('hex');
    const secret = this.random(32).toString('hex');
    await this.store.save({
      id,
      hash: hashOf(secret).toString('hex'),
      expiresAt: this.clock.now() + ttlMs,
      ...(node === undefined ? {} : { node }),
    });
    return `pl1.${id}.${secret}`;
  }

  /**
   * Uses a token for one node and key. The same node and key may use it again until it expires, because their first reply
   * may have been lost; anybody else is refused. Throws `DomainError` (Forbidden), the same for every fault, so that a
   * guesser learns nothing.
   */
  async redeem(token: string, node: string, publicKey: string): Promise<void> {
    const [, id, secret] = tokenPattern.exec(token) ?? [];
    const record = id === undefined ? undefined : await this.store.find(id);
    if (!record || secret === undefined || !isSecretOf(record, secret)) throw refused();
    if (record.expiresAt <= this.clock.now()) throw refused();
    if (record.node !== undefined && record.node !== node) throw refused();
    const claimant = `${node} ${publicKey}`;
    if ((await this.store.claim(record.id, claimant)) !== claimant) throw refused();
  }
}

const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest();

const isSecretOf = (record: JoinTokenRecord, secret: string): boolean => {
  const kept = Buffer.from(record.hash, 'hex');
  const given = hashOf(secret);
  return kept.length === given.length && timingSafeEqual(kept, given);
};

const refused = (): DomainError => new DomainError('Forbidden', 'the join token is unknown, used or expired');
