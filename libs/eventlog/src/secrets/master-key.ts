import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** The key that wraps the keys of secrets. It is kept where the log is not: whoever has only one of the two reads nothing. */
export class MasterKey {
  /** Recorded with what it wrapped; tells keys apart and gives nothing of them away. */
  readonly id: string;
  readonly #bytes: Uint8Array;

  private constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.id = createHash('sha256').update('podledger master key id').update(bytes).digest('hex').slice(0, 16);
  }

  static create(): MasterKey {
    return new MasterKey(randomBytes(KEY_BYTES));
  }

  /** Of 32 bytes in base64, as {@link toText} writes them. Throws an `Error` that does not repeat the text. */
  static parse(text: string): MasterKey {
    const bytes = Buffer.from(text.trim(), 'base64');
    if (bytes.length !== KEY_BYTES || bytes.toString('base64') !== text.trim())
      throw new Error(`the master key of secrets must be ${KEY_BYTES} bytes in base64`);
    return new MasterKey(bytes);
  }

  toText(): string {
    return Buffer.from(this.#bytes).toString('base64');
  }

  /** A key under this one, for one uid only. */
  wrap(uid: string, key: Uint8Array): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#bytes, nonce).setAAD(Buffer.from(uid));
    return Buffer.concat([nonce, cipher.update(key), cipher.final(), cipher.getAuthTag()]);
  }

  /** The inverse of {@link wrap}. Throws an `Error` when it was wrapped under another key, for another uid, or was touched. */
  unwrap(uid: string, wrapped: Uint8Array): Uint8Array {
    const end = wrapped.length - TAG_BYTES;
    const cipher = createDecipheriv(CIPHER, this.#bytes, wrapped.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
      .setAAD(Buffer.from(uid))
      .setAuthTag(wrapped.subarray(end));
    return Buffer.concat([cipher.update(wrapped.subarray(NONCE_BYTES, end)), cipher.final()]);
  }
}
