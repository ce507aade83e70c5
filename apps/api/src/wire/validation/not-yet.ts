import type { FieldFault, Json, JsonObject } from '#domain';
import { schemaOf, type Shape } from '../schema/schema.js';
import type { TypeId } from '../schema/wire-type.js';
import { forbidden } from './faults.js';
import { notYet, type NotYet } from './unsupported.js';

interface Found {
  readonly path: string;
  readonly line: NotYet;
}

/** What a value of a type asks for that Podledger does not do yet and must not pass over. */
export function refusedFeatures(type: TypeId, value: JsonObject, path: string): FieldFault[] {
  return find({ is: 'type', type }, value, path)
    .filter(({ line }) => line.effect === 'refused')
    .map(({ path: at, line }) => forbidden(at, `${line.feature}: not supported yet by Podledger`));
}

/** What it asks for that is recorded and has no effect yet, in words for `Warning` headers. */
export function ignoredFeatures(type: TypeId, value: JsonObject, path: string): string[] {
  return find({ is: 'type', type }, value, path)
    .filter(({ line }) => line.effect === 'ignored')
    .map(({ path: at, line }) => `${at}: ${line.feature}: recorded, but without effect in Podledger yet`);
}

function find(shape: Shape, value: Json | undefined, path: string): Found[] {
  if (typeof value !== 'object' || value === null) return [];
  switch (shape.is) {
    case 'scalar':
      return [];
    case 'list':
      return Array.isArray(value)
        ? value.flatMap((item: Json, index) => find(shape.of, item, `${path}[${index}]`))
        : [];
    case 'map':
      return Object.entries(value).flatMap(([key, item]) => find(shape.of, item as Json, `${path}[${key}]`));
    case 'type':
      return [...schemaOf(shape.type).fields.values()].flatMap((field) => {
        const member = (value as JsonObject)[field.name];
        if (member === undefined || member === null) return [];
        const at = `${path}.${field.name}`;
        const here = lines(shape.type, field.name, member, at);
        return here.length > 0 ? here : find(field.shape, member, at);
      });
  }
}

function lines(type: TypeId, field: string, value: Json, path: string): Found[] {
  const line = notYet[type]?.[field];
  if (!line || line.unless?.(value)) return [];
  if (!line.keys) return [{ path, line }];
  return Object.keys(value ?? {})
    .filter(line.keys)
    .map((key) => ({ path: `${path}[${key}]`, line }));
}
