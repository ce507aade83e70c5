import type { Json, JsonObject } from '#domain';
import { badRequest } from '../wire-error.js';
import { ownMembers } from '../patch/json-members.js';

/** One column of a Table. `priority` 0 is always shown, 1 only by `-o wide`. */
export interface ColumnDefinition {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  /** `name` marks the column that names the object. */
  readonly format: string;
  readonly description: string;
  readonly priority: number;
}

/** How much of the object each row carries. */
export type IncludeObject = 'Metadata' | 'Object' | 'None';

/** Reads the query parameter `includeObject`. Throws a BadRequest `WireError` for another value. */
export function parseIncludeObject(text: string | undefined): IncludeObject {
  if (text === undefined || text === '') return 'Metadata';
  if (text === 'Metadata' || text === 'Object' || text === 'None') return text;
  throw badRequest(`unrecognized includeObject value: ${JSON.stringify(text.slice(0, 100))}`);
}

/** An object and its cells, in the order of the columns. */
export interface TableRow {
  readonly cells: readonly Json[];
  readonly object: JsonObject;
}

export interface TableOptions {
  readonly version: 'v1' | 'v1beta1';
  readonly include: IncludeObject;
  /** Of the list, or of the one object. */
  readonly metadata: JsonObject;
  /** Left out of all but the first event of a watch. */
  readonly columns?: readonly ColumnDefinition[];
}

/** What `kubectl get` prints, computed here. */
export function tableOf(rows: readonly TableRow[], { version, include, metadata, columns }: TableOptions): JsonObject {
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${version}`,
    metadata,
    columnDefinitions: (columns ?? []).map(({ name, type, format, description, priority }) => ({
      name,
      type,
      format,
      description,
      priority,
    })),
    rows: rows.map(({ cells, object }) => ({ cells, object: included(object, include, version) })),
  };
}

function included(object: JsonObject, include: IncludeObject, version: 'v1' | 'v1beta1'): Json {
  switch (include) {
    case 'Object':
      return object;
    case 'None':
      return null;
    case 'Metadata':
      return partialObjectMetadata(object, version);
  }
}

/** An object without all but its metadata. */
export const partialObjectMetadata = (object: JsonObject, version: 'v1' | 'v1beta1'): JsonObject => ({
  kind: 'PartialObjectMetadata',
  apiVersion: `meta.k8s.io/${version}`,
  ...ownMembers(object, (key) => key === 'metadata'),
});

/** A list of them. */
export const partialObjectMetadataList = (
  objects: readonly JsonObject[],
  metadata: JsonObject,
  version: 'v1' | 'v1beta1',
): JsonObject => ({
  kind: 'PartialObjectMetadataList',
  apiVersion: `meta.k8s.io/${version}`,
  metadata,
  items: objects.map((object) => partialObjectMetadata(object, version)),
});
