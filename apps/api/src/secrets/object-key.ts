import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { JsonObject } from '#domain';

const CIPHER = 'aes-256-gcm';
/** Written before the nonce, so that another cipher can be told from this one. */
const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Gives bytes nobody can guess; only a simulation replaces it by bytes that are the same in every run. */
export type RandomBytes = (size: number) => Uint8Array;

/** The key of one object, and what can be done with it: the log gets what it seals, and nothing else of the object's text. */
export class ObjectKey {
  constructor(
    private readonly uid: string,
    private readonly key: Uint8Array,
    private readonly random: RandomBytes,
  ) {}

  /** Base64 of version, nonce, tag and ciphertext; bound to the object's uid, and different each time. */
  seal(text: JsonObject): string {
    const nonce = this.random(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.key, nonce).setAAD(Buffer.from(this.uid));
    const sealed = Buffer.concat([cipher.update(JSON.stringify(text), 'utf8'), cipher.final()]);
    return Buffer.concat([Buffer.of(VERSION), nonce, cipher.getAuthTag(), sealed]).toString('base64');
  }

  /** The inverse of {@link seal}. Throws an `Error` on what another key sealed, or what was touched; it holds nothing of the text. */
  open(sealed: string): unknown {
    const bytes = Buffer.from(sealed, 'base64');
    const tagAt = 1 + NONCE_BYTES;
    if (bytes[0] !== VERSION) throw new Error(`the text of ${this.uid} is sealed in a way that is not known here`);
    const cipher = createDecipheriv(CIPHER, this.key, bytes.subarray(1, tagAt), { authTagLength: TAG_BYTES })
      .setAAD(Buffer.from(this.uid))
      .setAuthTag(bytes.subarray(tagAt, tagAt + TAG_BYTES));
    const text = Buffer.concat([cipher.update(bytes.subarray(tagAt + TAG_BYTES)), cipher.final()]);
    return JSON.parse(text.toString('utf8'));
  }
}
