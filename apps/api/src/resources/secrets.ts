import {
  decidePlain,
  invariant,
  revealedSecret,
  sameJson,
  sealedOf,
  DomainError,
  qualified,
  type JsonObject,
  type SealedSecret,
  type SecretText,
} from '#domain';
import { ageColumn, column, nameColumn } from './columns.js';
import { ofKind } from './editing.js';
import { plainChange, plainResource } from './plain.js';
import type { ResourceDefinition } from './resource.js';
import { isObject, objectAt, selectableField, textAt, textsAt, valueAt } from './wire-values.js';

/** The part of a Secret that the log keeps encrypted. */
const textOf = (secret: JsonObject): SecretText => ({
  annotations: textsAt(secret, 'metadata', 'annotations'),
  data: textsAt(secret, 'data'),
});

/** What is kept of a Secret in place of its data. */
function sealedBody(secret: JsonObject, sealed: string): SealedSecret {
  const immutable = valueAt(secret, 'immutable');
  return {
    type: textAt(secret, 'type') ?? 'Opaque',
    ...(typeof immutable === 'boolean' && { immutable }),
    keys: Object.keys(objectAt(secret, 'data')).sort(),
    sealed,
  };
}

const withoutAnnotations = (secret: JsonObject): JsonObject => {
  const { annotations: _, ...metadata } = objectAt(secret, 'metadata');
  return { ...secret, metadata };
};

function readText(value: unknown): SecretText {
  const text = value as JsonObject;
  invariant(isObject(text), 'what a secret sealed is an object');
  return { annotations: textsAt(text, 'annotations'), data: textsAt(text, 'data') };
}

const plain = plainResource({
  kind: 'Secret',
  version: 'v1',
  singular: 'secret',
  fields: { type: selectableField('type') },
  columns: [
    nameColumn,
    column('Type', 'What kind of secret it is.', (secret) => textAt(secret, 'type') ?? ''),
    column('Data', 'How many keys it has.', (secret) => String(Object.keys(objectAt(secret, 'data')).length)),
    ageColumn,
  ],
});

/**
 * core/v1 Secret. Commands see it clear; what they decide, and so the log, every projection and everything made of them, has
 * ciphertext in the place of data and annotations.
 */
export const secrets: ResourceDefinition = {
  ...plain,
  reveal: (object, key) => {
    const secret = ofKind('Secret', object);
    const sealed = sealedOf(secret);
    return revealedSecret(secret, sealed && key && readText(key.open(sealed.sealed)));
  },
  create: ({ namespace, name, meta, object, key }, state) => {
    invariant(key, 'a new secret has a key');
    const existing = state.get(plain.streamOf(namespace, name));
    return decidePlain(
      {
        type: 'RequestPlainObject',
        kind: 'Secret',
        name,
        meta: { ...meta, annotations: {} },
        body: sealedBody(object, key.seal(textOf(object))),
      },
      existing && ofKind('Secret', existing),
    );
  },
  change: (request, current) => {
    const secret = ofKind('Secret', current);
    const { before, after, key } = request;
    const known = sealedOf(secret);
    invariant(known, 'what is stored of a secret is sealed');
    if (!key)
      throw new DomainError(
        'Conflict',
        `Operation cannot be fulfilled on ${qualified('Secret', secret.meta.name)}: its key is destroyed, so nobody can read what it holds; delete it and create it anew`,
      );
    // Sealing one text twice gives two ciphertexts: an edit of the labels must not look like one of the data.
    const sealed = sameJson(textOf(before), textOf(after)) ? known.sealed : key.seal(textOf(after));
    const edit = plainChange(
      { ...request, before: withoutAnnotations(before), after: withoutAnnotations(after) },
      secret,
    );
    const desired = { ...edit.desired, annotations: {}, spec: sealedBody(after, sealed) };
    return decidePlain({ type: 'ChangePlainObject', kind: 'Secret', ...edit, desired }, secret);
  },
};
