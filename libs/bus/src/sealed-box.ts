import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto';
import { DomainError } from '#domain';
import { parseSecretContent, type SecretContent } from './protocol.js';

/**
 * Secrets on their way to a node: readable with that node's key only, and for that pod only. NATS, and whoever listens on it,
 * sees boxes. A box is made with a key pair of its own (X25519), so nothing the sender keeps opens it again.
 */

/** A node's key pair, made on the node anew at each start of its executor; only the public half travels. */
export interface SealKeys {
  /** As `Register.sealKey` carries it: base64 of the raw 32 bytes. */
  readonly publicKey: string;
  readonly privateKey: KeyObject;
}

/** Which secret of which pod on which node a box is for; a box does not open under another label. */
export interface SealLabel {
  readonly node: string;
  /** Uid of the pod. */
  readonly uid: string;
  /** Name of the secret. */
  readonly name: string;
}

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const TAG_BYTES = 16;
/** Every box has a key of its own, so its nonce need not differ from another's. */
const NONCE = Buffer.alloc(12);
/** What DER puts before the raw 32 bytes of an X25519 public key (RFC 8410). */
const SPKI_PREFIX = Buffer.from('302a300506032b656e032100', 'hex');

/** A new key pair. The private half is never written down: a restarted executor registers another. */
export function createSealKeys(): SealKeys {
  const { publicKey, privateKey } = generateKeyPairSync('x25519');
  return { publicKey: rawOf(publicKey).toString('base64'), privateKey };
}

/** A key pair made of 32 given bytes, for simulations: equal bytes give equal keys. */
export function sealKeysOf(seed: Uint8Array): SealKeys {
  const der = Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), seed]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return { publicKey: rawOf(createPublicKey(privateKey)).toString('base64'), privateKey };
}

/** Whether a text can be sealed to. */
export const isSealKey = (text: string): boolean => /^[A-Za-z0-9+/]{43}=$/.test(text);

/**
 * Puts a secret into a box for a node's public key. Throws `DomainError` (Invalid) when that is none. `random` gives the bytes
 * of the box's own key; only simulations replace it.
 */
export function sealSecret(
  content: SecretContent,
  publicKey: string,
  label: SealLabel,
  random: (size: number) => Uint8Array = randomBytes,
): string {
  if (!isSealKey(publicKey)) throw new DomainError('Invalid', `node ${label.node} has no key to seal secrets to`);
  const own = sealKeysOf(random(KEY_BYTES));
  const recipient = Buffer.from(publicKey, 'base64');
  const sender = Buffer.from(own.publicKey, 'base64');
  const key = sharedKey(own.privateKey, recipient, sender, recipient);
  const cipher = createCipheriv(CIPHER, key, NONCE).setAAD(labelBytes(label));
  const text = Buffer.concat([cipher.update(JSON.stringify(content), 'utf8'), cipher.final()]);
  return Buffer.concat([sender, cipher.getAuthTag(), text]).toString('base64');
}

/** Opens a box. Throws `DomainError` (BadRequest) when it is another's, for another pod, or was touched. */
export function openSecret(box: string, keys: SealKeys, label: SealLabel): SecretContent {
  return parseSecretContent(JSON.parse(openText(box, keys, label)), `secret ${label.name}`);
}

function openText(box: string, keys: SealKeys, label: SealLabel): string {
  try {
    const bytes = Buffer.from(box, 'base64');
    const sender = bytes.subarray(0, KEY_BYTES);
    const recipient = Buffer.from(keys.publicKey, 'base64');
    const key = sharedKey(keys.privateKey, sender, sender, recipient);
    const cipher = createDecipheriv(CIPHER, key, NONCE, { authTagLength: TAG_BYTES })
      .setAAD(labelBytes(label))
      .setAuthTag(bytes.subarray(KEY_BYTES, KEY_BYTES + TAG_BYTES));
    return Buffer.concat([cipher.update(bytes.subarray(KEY_BYTES + TAG_BYTES)), cipher.final()]).toString('utf8');
  } catch {
    // What the library says of it helps nobody but an attacker.
    throw new DomainError('BadRequest', `the box of secret ${label.name} does not open`);
  }
}

/** Both public keys enter the derivation, as in HPKE (RFC 9180): a box is bound to its two ends. */
function sharedKey(privateKey: KeyObject, other: Uint8Array, sender: Uint8Array, recipient: Uint8Array): Uint8Array {
  const publicKey = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, other]), format: 'der', type: 'spki' });
  const shared = diffieHellman({ privateKey, publicKey });
  const salt = Buffer.concat([sender, recipient]);
  return new Uint8Array(hkdfSync('sha256', shared, salt, 'podledger secret to node', KEY_BYTES));
}

const rawOf = (publicKey: KeyObject): Buffer =>
  publicKey.export({ format: 'der', type: 'spki' }).subarray(SPKI_PREFIX.length);
const labelBytes = ({ node, uid, name }: SealLabel): Buffer => Buffer.from(JSON.stringify([node, uid, name]));
