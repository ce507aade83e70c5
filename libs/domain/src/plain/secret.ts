import type { Json, JsonObject } from '../json.js';
import type { PlainState } from './plain-object.js';

/**
 * A Secret as the log keeps it, for ever: what must be forgettable is ciphertext, under a key that is kept elsewhere and is
 * destroyed with the object. Its annotations are in there too, because kubectl puts a copy of the data into one.
 */
export interface SealedSecret extends JsonObject {
  readonly type: string;
  readonly immutable?: boolean;
  /** Names of the data's keys, sorted. */
  readonly keys: readonly string[];
  /** Base64 of the encrypted {@link SecretText}. */
  readonly sealed: string;
}

/** What of a Secret nobody may read in the log. */
export interface SecretText extends JsonObject {
  readonly annotations: Readonly<Record<string, string>>;
  /** Values in base64. */
  readonly data: Readonly<Record<string, string>>;
}

/** Says of a Secret that its key was destroyed: what it held cannot be read again by anybody. */
export const ERASED_ANNOTATION = 'podledger.dev/erased';

/** The sealed form of a Secret's body. A Secret that was revealed has none. */
export function sealedOf({ body }: PlainState<'Secret'>): SealedSecret | undefined {
  const { type, immutable, keys, sealed } = body;
  if (typeof sealed !== 'string' || typeof type !== 'string' || !Array.isArray(keys)) return undefined;
  const names = keys.filter((key: Json): key is string => typeof key === 'string');
  return { type, ...(typeof immutable === 'boolean' && { immutable }), keys: names, sealed };
}

/**
 * A Secret as clients see it, to be shown and never to be stored. Without its text, because the key is destroyed, the names
 * of the keys are left, and an annotation that says so.
 */
export function revealedSecret(secret: PlainState<'Secret'>, text: SecretText | undefined): PlainState<'Secret'> {
  const sealed = sealedOf(secret);
  if (!sealed) return secret;
  const annotations = text ? text.annotations : { [ERASED_ANNOTATION]: 'true' };
  return {
    ...secret,
    meta: { ...secret.meta, annotations },
    body: bodyOf(sealed, text?.data ?? withoutValues(sealed)),
  };
}

/** The body of a Secret that has not been revealed: the names of its keys, without values. */
export function secretBody(secret: PlainState<'Secret'>): JsonObject {
  const sealed = sealedOf(secret);
  return sealed ? bodyOf(sealed, withoutValues(sealed)) : secret.body;
}

function bodyOf({ type, immutable }: SealedSecret, data: Readonly<Record<string, string>>): JsonObject {
  return {
    ...(Object.keys(data).length > 0 && { data }),
    ...(immutable !== undefined && { immutable }),
    type,
  };
}

const withoutValues = ({ keys }: SealedSecret): Readonly<Record<string, string>> =>
  Object.fromEntries(keys.map((key) => [key, '']));
