import type { JsonObject } from '#domain';
import type { TypeId, Wire } from './schema/wire-type.js';

/** An object that has been decoded as a type, seen as that type. Only decoding can promise this. */
export const seenAs = <Id extends TypeId>(_type: Id, object: JsonObject): Wire<Id> => object as Wire<Id>;

type Pod = Wire<'core.v1.Pod'>;
export type PodSpec = Wire<'core.v1.PodSpec'>;
export type Container = Wire<'core.v1.Container'>;
export type Volume = Wire<'core.v1.Volume'>;
export type ObjectMeta = Wire<'meta.v1.ObjectMeta'>;
export type { Pod };
