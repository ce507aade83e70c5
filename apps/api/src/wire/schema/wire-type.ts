import type { Json, JsonObject } from '#domain';
import type { types } from './types.generated.js';

/** What a field holds when it is not another type. Times and quantities travel as strings, bytes as base64. */
interface Scalars {
  string: string;
  boolean: boolean;
  int32: number;
  int64: number;
  double: number;
  bytes: string;
  time: string;
  microtime: string;
  quantity: string;
  intOrString: number | string;
  json: Json;
}

type Types = typeof types;

/** The id of a type in the schema: `core.v1.Pod`. */
export type TypeId = keyof Types;

type ValueOf<Notation extends string> = Notation extends `[]${infer Element}`
  ? readonly ValueOf<Element>[]
  : Notation extends `{}${infer Value}`
    ? { readonly [key: string]: ValueOf<Value> }
    : Notation extends keyof Scalars
      ? Scalars[Notation]
      : Notation extends TypeId
        ? Wire<Notation>
        : never;

type Unmarked<Notation extends string> = Notation extends `${infer Bare}!` ? Bare : Notation;

/**
 * The TypeScript form of a schema type: `Wire<'core.v1.Pod'>`. Every field is optional, for what has been decoded has the
 * right types but need not be complete: that a required field is there is for validation to say.
 */
export type Wire<Id extends TypeId> = {
  readonly [Field in keyof Types[Id]]?: Types[Id][Field] extends string ? ValueOf<Unmarked<Types[Id][Field]>> : never;
};

/** An object as it travels: whatever its kind, it has metadata. */
export interface WireObject extends JsonObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: Wire<'meta.v1.ObjectMeta'>;
}
