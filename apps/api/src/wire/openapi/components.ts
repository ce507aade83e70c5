import type { Json, JsonObject } from '#domain';
import { kindOfType, openApiName, schemaOf, type Field, type ScalarName, type Shape } from '../schema/schema.js';
import { descriptionsJson } from '../schema/descriptions.generated.js';
import { isAtomicType, mergeRule } from '../schema/merge-rules.js';
import type { TypeId } from '../schema/wire-type.js';

/** OpenAPI 3 and 2 (Swagger) differ in where definitions stand and in what may stand beside a `$ref`. */
export type Dialect = 'v3' | 'v2';

type Descriptions = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Parsed on demand and not kept: documents are built once, and the texts are most of their size. */
export const readDescriptions = (): Descriptions => JSON.parse(descriptionsJson) as Descriptions;

/** Scalars that are definitions of their own in Kubernetes' documents. */
const namedScalars: Readonly<Partial<Record<ScalarName, { readonly name: string; readonly schema: JsonObject }>>> = {
  time: {
    name: 'io.k8s.apimachinery.pkg.apis.meta.v1.Time',
    schema: { type: 'string', format: 'date-time', description: 'A time in RFC 3339, to the second.' },
  },
  microtime: {
    name: 'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime',
    schema: { type: 'string', format: 'date-time', description: 'A time in RFC 3339, to the microsecond.' },
  },
  quantity: {
    name: 'io.k8s.apimachinery.pkg.api.resource.Quantity',
    schema: { type: 'string', description: 'An amount such as 500m, 64Mi, 1e3 or 2.' },
  },
  intOrString: {
    name: 'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
    schema: { type: 'string', format: 'int-or-string', description: 'A number or a text.' },
  },
  json: {
    name: 'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1',
    schema: { type: 'object', description: 'A set of fields, as a tree of their names.' },
  },
};

const inline: Readonly<Partial<Record<ScalarName, JsonObject>>> = {
  string: { type: 'string' },
  boolean: { type: 'boolean' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  double: { type: 'number', format: 'double' },
  bytes: { type: 'string', format: 'byte' },
};

/** The types that some types mention, directly or not, those included. */
export function reachableTypes(roots: readonly TypeId[]): TypeId[] {
  const found = new Set<TypeId>();
  const queue = [...roots];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    for (const { shape } of schemaOf(id).fields.values()) queue.push(...typesIn(shape));
  }
  return [...found].sort();
}

function typesIn(shape: Shape): TypeId[] {
  switch (shape.is) {
    case 'type':
      return [shape.type];
    case 'list':
    case 'map':
      return typesIn(shape.of);
    case 'scalar':
      return [];
  }
}

/** The definitions of some types, by their OpenAPI names, with those of the scalars that have one. */
export function definitions(ids: readonly TypeId[], dialect: Dialect): Record<string, JsonObject> {
  const descriptions = readDescriptions();
  const found: Record<string, JsonObject> = {};
  for (const id of ids) found[openApiName(id)] = definition(id, dialect, descriptions[id] ?? {});
  for (const scalar of Object.values(namedScalars)) found[scalar.name] = scalar.schema;
  return found;
}

function definition(id: TypeId, dialect: Dialect, descriptions: Readonly<Record<string, string>>): JsonObject {
  const fields = [...schemaOf(id).fields.values()];
  const required = fields.filter((field) => field.required).map(({ name }) => name);
  const kind = kindOfType(id);
  return {
    ...(descriptions[''] ? { description: descriptions[''] } : {}),
    type: 'object',
    ...(required.length > 0 ? { required } : {}),
    properties: Object.fromEntries(
      fields.map((field) => [field.name, property(id, field, dialect, descriptions[field.name])]),
    ),
    ...(kind ? { 'x-kubernetes-group-version-kind': [{ ...kind }] } : {}),
    ...(isAtomicType(id) ? { 'x-kubernetes-map-type': 'atomic' } : {}),
  };
}

function property(id: TypeId, { name, shape }: Field, dialect: Dialect, description: string | undefined): JsonObject {
  const rule = mergeRule(id, name);
  const extensions: JsonObject = {
    ...(rule?.mergeKey ? { 'x-kubernetes-patch-merge-key': rule.mergeKey } : {}),
    ...(rule?.patchStrategy ? { 'x-kubernetes-patch-strategy': rule.patchStrategy } : {}),
    ...(rule && shape.is === 'list' ? { 'x-kubernetes-list-type': rule.ownership } : {}),
    ...(rule?.keys ? { 'x-kubernetes-list-map-keys': rule.keys.map((key) => key.name) } : {}),
    ...(rule && shape.is === 'map' ? { 'x-kubernetes-map-type': rule.ownership } : {}),
  };
  return {
    ...(description ? { description } : {}),
    ...schemaOfShape(shape, dialect, description !== undefined),
    ...extensions,
  };
}

/** A shape as a schema. In OpenAPI 3.0 nothing may stand beside a `$ref`: `described` ones are wrapped in `allOf`. */
function schemaOfShape(shape: Shape, dialect: Dialect, described = false): JsonObject {
  switch (shape.is) {
    case 'list':
      return { type: 'array', items: schemaOfShape(shape.of, dialect) };
    case 'map':
      return { type: 'object', additionalProperties: schemaOfShape(shape.of, dialect) };
    case 'type':
      return wrapped(openApiName(shape.type), dialect, described);
    case 'scalar': {
      const named = namedScalars[shape.scalar];
      return named ? wrapped(named.name, dialect, described) : (inline[shape.scalar] ?? {});
    }
  }
}

const wrapped = (name: string, dialect: Dialect, described: boolean): JsonObject =>
  dialect === 'v3' && described ? { allOf: [reference(name, dialect)] } : reference(name, dialect);

/** A `$ref` to a definition. */
export const reference = (name: string, dialect: Dialect): { readonly $ref: Json & string } => ({
  $ref: `${dialect === 'v3' ? '#/components/schemas' : '#/definitions'}/${name}`,
});
