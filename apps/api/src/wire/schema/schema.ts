import { types } from './types.generated.js';
import type { TypeId } from './wire-type.js';

/** The scalars of the API; see `Wire` for how each travels. */
export const scalarNames = [
  'string',
  'boolean',
  'int32',
  'int64',
  'double',
  'bytes',
  'time',
  'microtime',
  'quantity',
  'intOrString',
  'json',
] as const;
export type ScalarName = (typeof scalarNames)[number];

/** The shape of a value: a scalar, another type, or a list or map of a shape. */
export type Shape =
  | { readonly is: 'scalar'; readonly scalar: ScalarName }
  | { readonly is: 'type'; readonly type: TypeId }
  | { readonly is: 'list'; readonly of: Shape }
  | { readonly is: 'map'; readonly of: Shape };

export interface Field {
  readonly name: string;
  readonly required: boolean;
  readonly shape: Shape;
}

export interface TypeSchema {
  readonly id: TypeId;
  readonly fields: ReadonlyMap<string, Field>;
}

/** Group, version and kind of an object. The core group is `''`. */
export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

const scalars: ReadonlySet<string> = new Set(scalarNames);
const isTypeId = (id: string): id is TypeId => Object.hasOwn(types, id);
const isScalar = (name: string): name is ScalarName => scalars.has(name);

function shapeOf(notation: string): Shape {
  if (notation.startsWith('[]')) return { is: 'list', of: shapeOf(notation.slice(2)) };
  if (notation.startsWith('{}')) return { is: 'map', of: shapeOf(notation.slice(2)) };
  if (isScalar(notation)) return { is: 'scalar', scalar: notation };
  if (isTypeId(notation)) return { is: 'type', type: notation };
  throw new Error(`the schema mentions ${notation}, which it does not hold`);
}

const parsed = new Map<TypeId, TypeSchema>();

/** The fields of a type; parsed on first use. */
export function schemaOf(id: TypeId): TypeSchema {
  let schema = parsed.get(id);
  if (!schema) {
    const fields = new Map<string, Field>();
    for (const [name, marked] of Object.entries<string>(types[id])) {
      const required = marked.endsWith('!');
      fields.set(name, { name, required, shape: shapeOf(required ? marked.slice(0, -1) : marked) });
    }
    schema = { id, fields };
    parsed.set(id, schema);
  }
  return schema;
}

/** Every type of the schema, in order of their ids. */
export const typeIds: readonly TypeId[] = Object.keys(types).filter(isTypeId);

/** API groups whose name is longer than their package's in the schema. */
const longGroups: Readonly<Record<string, string>> = {
  core: '',
  events: 'events.k8s.io',
  coordination: 'coordination.k8s.io',
  scheduling: 'scheduling.k8s.io',
  authentication: 'authentication.k8s.io',
  authorization: 'authorization.k8s.io',
  rbac: 'rbac.authorization.k8s.io',
};
const packages = new Map(Object.entries(longGroups).map(([name, group]) => [group, name]));

/** Kinds that every group understands; their types are those of `meta/v1`. */
const metaKinds: ReadonlySet<string> = new Set([
  'Status',
  'DeleteOptions',
  'APIGroup',
  'APIGroupList',
  'APIResourceList',
  'APIVersions',
]);

/** The type of a kind, or `undefined` when the schema does not hold it. */
export function typeOfKind(gvk: GroupVersionKind): TypeId | undefined {
  const id = metaKinds.has(gvk.kind)
    ? `meta.v1.${gvk.kind}`
    : `${packages.get(gvk.group) ?? gvk.group}.${gvk.version}.${gvk.kind}`;
  return isTypeId(id) ? id : undefined;
}

/** The object's `apiVersion`: `v1`, `apps/v1`. */
export const apiVersionOf = ({ group, version }: { readonly group: string; readonly version: string }): string =>
  group === '' ? version : `${group}/${version}`;

/** The inverse of {@link apiVersionOf}; `undefined` when the text is not a group and version. */
export function parseApiVersion(apiVersion: string): { group: string; version: string } | undefined {
  const parts = apiVersion.split('/');
  if (parts.length === 1 && parts[0]) return { group: '', version: parts[0] };
  if (parts.length === 2 && parts[0] && parts[1]) return { group: parts[0], version: parts[1] };
  return undefined;
}

/** The package and name by which Kubernetes' OpenAPI documents know a type: `io.k8s.api.core.v1.Pod`. */
export function openApiName(id: TypeId): string {
  return id.startsWith('meta.') ? `io.k8s.apimachinery.pkg.apis.${id}` : `io.k8s.api.${id}`;
}

/** The kind that a type is, or `undefined` for the types that are only parts of kinds. */
export function kindOfType(id: TypeId): GroupVersionKind | undefined {
  const { fields } = schemaOf(id);
  if (!fields.has('apiVersion') || !fields.has('kind')) return undefined;
  const [pack = '', version = '', kind = ''] = id.split('.');
  if (pack === 'meta') return metaKinds.has(kind) ? { group: '', version, kind } : undefined;
  return fields.has('metadata') ? { group: longGroups[pack] ?? pack, version, kind } : undefined;
}
