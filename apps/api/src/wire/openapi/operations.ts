import type { ResourceInfo, Verb } from '../resource-info.js';
import { apiVersionOf, typeOfKind, type GroupVersionKind } from '../schema/schema.js';
import type { TypeId } from '../schema/wire-type.js';

export type HttpMethod = 'get' | 'put' | 'post' | 'delete' | 'patch';

/** One operation of the API, in no dialect of OpenAPI yet. */
export interface Operation {
  readonly path: string;
  readonly method: HttpMethod;
  readonly operationId: string;
  readonly description: string;
  /** Kubernetes' name of what is done: `list`, `get`, `post`, `put`, `patch`, `delete`, `deletecollection`. */
  readonly action: string;
  readonly kind: GroupVersionKind;
  /** Names in `{}` in the path. */
  readonly pathParameters: readonly ('namespace' | 'name')[];
  readonly queryParameters: readonly QueryParameter[];
  readonly request?: TypeId | 'patch';
  readonly response?: TypeId;
  readonly success: 200 | 201;
}

export interface QueryParameter {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'boolean';
  readonly description: string;
}

const parameter = (name: string, type: QueryParameter['type'], description: string): QueryParameter => ({
  name,
  type,
  description,
});

const reading = [parameter('pretty', 'string', 'Accepted and ignored: the answer is compact.')];
const listing = [
  ...reading,
  parameter('allowWatchBookmarks', 'boolean', 'Sends BOOKMARK events on a watch.'),
  parameter('continue', 'string', 'The token of the page before.'),
  parameter('fieldSelector', 'string', 'Restricts the answer by fields.'),
  parameter('labelSelector', 'string', 'Restricts the answer by labels.'),
  parameter('limit', 'integer', 'How many objects a page may have.'),
  parameter('resourceVersion', 'string', 'The revision to read or to watch from.'),
  parameter('resourceVersionMatch', 'string', 'How resourceVersion is meant: Exact or NotOlderThan.'),
  parameter('sendInitialEvents', 'boolean', 'Begins a watch with what there is.'),
  parameter('timeoutSeconds', 'integer', 'Ends a watch after so many seconds.'),
  parameter('watch', 'boolean', 'Answers with a stream of changes.'),
];
const writing = [
  ...reading,
  parameter('dryRun', 'string', 'All: everything is checked and nothing is stored.'),
  parameter('fieldManager', 'string', 'Who is recorded as the manager of the fields.'),
  parameter('fieldValidation', 'string', 'What becomes of unknown and duplicate fields: Ignore, Warn or Strict.'),
];
const patching = [
  ...writing,
  parameter('force', 'boolean', 'Takes over fields of other managers in a server-side apply.'),
];
const deleting = [
  ...reading,
  parameter('dryRun', 'string', 'All: everything is checked and nothing is deleted.'),
  parameter('gracePeriodSeconds', 'integer', 'How long the containers may take to stop.'),
  parameter('orphanDependents', 'boolean', 'Deprecated: use propagationPolicy.'),
  parameter('propagationPolicy', 'string', 'What becomes of dependents: Background, Foreground or Orphan.'),
];

/** `/api/v1` or `/apis/apps/v1`. */
export const groupVersionPath = (gv: { readonly group: string; readonly version: string }): string =>
  gv.group === '' ? `/api/${gv.version}` : `/apis/${gv.group}/${gv.version}`;

/** Every operation of a resource and its subresources. */
export function operationsOf(resource: ResourceInfo): Operation[] {
  const root = groupVersionPath(resource);
  const kind = { group: resource.group, version: resource.version, kind: resource.kind };
  const scope = resource.namespaced ? 'Namespaced' : '';
  const inNamespace: Operation['pathParameters'] = resource.namespaced ? ['namespace'] : [];
  const collection = `${root}${resource.namespaced ? '/namespaces/{namespace}' : ''}/${resource.plural}`;
  const group = `${pascal(resource.group === '' ? 'core' : (resource.group.split('.')[0] ?? ''))}${pascal(resource.version)}`;
  const type = typeOfKind(kind);
  const list = typeOfKind({ ...kind, kind: `${resource.kind}List` });
  const has = (verb: Verb): boolean => resource.verbs.includes(verb);

  const operations: Operation[] = [];
  if (has('list')) {
    const shared = { method: 'get', action: 'list', kind, queryParameters: listing, success: 200 } as const;
    const what = {
      ...shared,
      description: `list or watch objects of kind ${resource.kind}`,
      ...(list ? { response: list } : {}),
    };
    operations.push({
      ...what,
      path: collection,
      operationId: `list${group}${scope}${resource.kind}`,
      pathParameters: inNamespace,
    });
    if (resource.namespaced) {
      const operationId = `list${group}${resource.kind}ForAllNamespaces`;
      operations.push({ ...what, path: `${root}/${resource.plural}`, operationId, pathParameters: [] });
    }
  }
  if (has('create')) {
    operations.push({
      ...methodOf('post', kind, type),
      path: collection,
      operationId: `create${group}${scope}${resource.kind}`,
      pathParameters: inNamespace,
    });
  }
  if (has('deletecollection')) {
    operations.push({
      ...methodOf('delete', kind, typeOfKind({ ...kind, kind: 'Status' })),
      path: collection,
      action: 'deletecollection',
      description: `delete collection of ${resource.kind}`,
      operationId: `delete${group}Collection${scope}${resource.kind}`,
      queryParameters: [...deleting, ...listing.slice(reading.length)],
      pathParameters: inNamespace,
    });
  }
  const ofObjects: [Verb, HttpMethod, string][] = [
    ['get', 'get', 'read'],
    ['update', 'put', 'replace'],
    ['patch', 'patch', 'patch'],
    ['delete', 'delete', 'delete'],
    ['create', 'post', 'create'],
  ];
  const object = { path: `${collection}/{name}`, pathParameters: [...inNamespace, 'name'] } as const;
  for (const [verb, method, word] of ofObjects) {
    if (!has(verb) || verb === 'create') continue;
    operations.push({
      ...methodOf(method, kind, type),
      ...object,
      operationId: `${word}${group}${scope}${resource.kind}`,
    });
  }
  for (const subresource of resource.subresources ?? []) {
    const subtype = typeOfKind(subresource.kind);
    for (const [verb, method, word] of ofObjects) {
      if (!subresource.verbs.includes(verb)) continue;
      operations.push({
        ...methodOf(method, subresource.kind, subtype),
        ...object,
        path: `${object.path}/${subresource.name}`,
        operationId: `${word}${group}${scope}${resource.kind}${pascal(subresource.name)}`,
      });
    }
  }
  return operations;
}

type MethodPart = Omit<Operation, 'path' | 'operationId' | 'pathParameters'>;

function methodOf(method: HttpMethod, kind: GroupVersionKind, type: TypeId | undefined): MethodPart {
  const response = type ? { response: type } : {};
  const request = type ? { request: type } : {};
  const named = `${kind.kind} of ${apiVersionOf(kind)}`;
  switch (method) {
    case 'get':
      return {
        method,
        action: 'get',
        kind,
        description: `read ${named}`,
        queryParameters: reading,
        success: 200,
        ...response,
      };
    case 'put':
      return {
        method,
        action: 'put',
        kind,
        description: `replace ${named}`,
        queryParameters: writing,
        success: 200,
        ...request,
        ...response,
      };
    case 'post':
      return {
        method,
        action: 'post',
        kind,
        description: `create ${named}`,
        queryParameters: writing,
        success: 201,
        ...request,
        ...response,
      };
    case 'patch':
      return {
        method,
        action: 'patch',
        kind,
        description: `partially update ${named}`,
        queryParameters: patching,
        success: 200,
        request: 'patch',
        ...response,
      };
    case 'delete':
      return {
        method,
        action: 'delete',
        kind,
        description: `delete ${named}`,
        queryParameters: deleting,
        success: 200,
        request: 'meta.v1.DeleteOptions',
        ...response,
      };
  }
}

const pascal = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
