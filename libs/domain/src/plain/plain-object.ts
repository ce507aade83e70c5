import type { NewEvent } from '../event.js';
import type { JsonObject } from '../json.js';
import type {
  ChangeRequest,
  ChangedData,
  ObjectMeta,
  Preconditions,
  Propagation,
  RequestedMeta,
} from '../meta/object-meta.js';

/**
 * Kinds without a life of their own: nothing ever happens to such an object but that it is written. Each has one event,
 * `<Kind>Changed`, and all share one decider.
 */
export const PLAIN_KINDS = ['ConfigMap', 'ControllerRevision', 'PriorityClass', 'Secret', 'ServiceAccount'] as const;
export type PlainKind = (typeof PLAIN_KINDS)[number];

/** Data of every `<Kind>Changed` of a plain kind: what was done to the object. */
export type PlainChange =
  | ({
      readonly change: 'Created';
      /** The object without kind, apiVersion and metadata. */ readonly body: JsonObject;
    } & RequestedMeta)
  | ({ readonly change: 'Edited' } & ChangedData)
  /** Something holds it back: a finalizer, or dependents that go first. */
  | { readonly change: 'DeletionRequested'; readonly propagation: Propagation }
  | { readonly change: 'Deleted'; readonly uid: string };

/** `ConfigMapChanged`, `SecretChanged` ... */
export type PlainEvent = { readonly [K in PlainKind]: NewEvent<`${K}Changed`, PlainChange> }[PlainKind];

/** An object of a plain kind. */
export interface PlainState<K extends PlainKind> {
  readonly kind: K;
  readonly meta: ObjectMeta;
  /** The object without kind, apiVersion and metadata; of a Secret, as {@link SealedSecret}. */
  readonly body: JsonObject;
}

/** An object of any plain kind, narrowed by `kind`. */
export type PlainObjectState = { readonly [K in PlainKind]: PlainState<K> }[PlainKind];

export type PlainCommand =
  | {
      readonly type: 'RequestPlainObject';
      readonly kind: PlainKind;
      readonly name: string;
      readonly meta: RequestedMeta;
      readonly body: JsonObject;
    }
  /** `desired.spec` is the body. */
  | ({ readonly type: 'ChangePlainObject'; readonly kind: PlainKind } & ChangeRequest)
  | {
      readonly type: 'DeletePlainObject';
      readonly kind: PlainKind;
      readonly preconditions: Preconditions;
      readonly propagation: Propagation;
    };

const kinds = new Set<string>(PLAIN_KINDS);

export const isPlainKind = (kind: string): kind is PlainKind => kinds.has(kind);

/** Narrows an object of any kind. */
export const isPlain = <T extends { readonly kind: string }>(
  object: T,
): object is Extract<T, { readonly kind: PlainKind }> => kinds.has(object.kind);
