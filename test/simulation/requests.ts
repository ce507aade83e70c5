import type { JsonObject, Propagation, StoredObject } from '#domain';
import type { ApiCore } from '../../apps/api/src/api-core.js';
import type { ResourceDefinition } from '../../apps/api/src/resources/resource.js';
import type { Target, Written } from '../../apps/api/src/write/object-writer.js';
import type { RawBody } from '../../apps/api/src/write/body-reader.js';
import type { RequestContext } from '../../apps/api/src/write/request-context.js';

/** A write as a client sends it. */
export interface WriteRequest {
  readonly what: string;
  /** `group/plural`, with `core` for the legacy group. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  /** The resourceVersion that the write insists on. */
  readonly basedOn?: number;
  readonly run: (core: ApiCore, target: Target, context: RequestContext) => Promise<Written>;
}

/** What a request is about. */
export type Of = Pick<WriteRequest, 'resource' | 'namespace' | 'name'>;

const OPTIONS = { dryRun: false, fieldValidation: 'Strict', fieldManager: 'simulation' } as const;

export function definitionOf(core: ApiCore, resource: string): ResourceDefinition {
  const [group = '', plural = ''] = resource.split('/');
  const definition = core.registry.find(group === 'core' ? '' : group, 'v1', plural);
  if (!definition) throw new TypeError(`no resource ${resource}`);
  return definition;
}

export function targetOf(core: ApiCore, { resource, namespace, name }: Of): Target {
  return { definition: definitionOf(core, resource), namespace, name };
}

/** POST of an object. */
export function create(of: Of, object: JsonObject): WriteRequest {
  const run: WriteRequest['run'] = (core, { definition, namespace }, context) => {
    const apiVersion = definition.group ? `${definition.group}/${definition.version}` : definition.version;
    const body = bodyOf({ apiVersion, kind: definition.kind, ...object });
    return core.writer.create(definition, namespace, body, OPTIONS, context);
  };
  return { what: 'create', ...of, run };
}

/** PATCH with a merge patch. */
export function patch(of: Of, change: JsonObject, what = 'patch'): WriteRequest {
  const body = bodyOf(change, 'application/merge-patch+json');
  return { what, ...of, run: (core, target, context) => core.writer.patch(target, body, OPTIONS, context) };
}

/** PATCH with a JSON patch. */
export function jsonPatch(of: Of, operations: readonly JsonObject[]): WriteRequest {
  const body = { ...bodyOf({}, 'application/json-patch+json'), bytes: encode(operations) };
  return { what: 'edit', ...of, run: (core, target, context) => core.writer.patch(target, body, OPTIONS, context) };
}

/** PUT of what was read, with one annotation changed: it insists on the version that was read. */
export function replace(of: Of, read: StoredObject, annotation: readonly [string, string]): WriteRequest {
  const run: WriteRequest['run'] = (core, target, context) => {
    const wire = target.definition.wire(read);
    const metadata = objectIn(wire, 'metadata');
    const annotations = { ...objectIn(metadata, 'annotations'), [annotation[0]]: annotation[1] };
    const body = bodyOf({ ...wire, metadata: { ...metadata, annotations } });
    return core.writer.update(target, body, OPTIONS, context);
  };
  return { what: 'replace', ...of, basedOn: read.meta.resourceVersion, run };
}

/** PATCH of `/scale`. */
export function scale(of: Of, replicas: number): WriteRequest {
  const body = bodyOf({ spec: { replicas } }, 'application/merge-patch+json');
  const run: WriteRequest['run'] = (core, target, context) =>
    core.writer.patch(through(core, target, 'scale'), body, OPTIONS, context);
  return { what: 'scale', ...of, run };
}

/** POST to `/binding`. */
export function bind(of: Of, node: string): WriteRequest {
  const target = { apiVersion: 'v1', kind: 'Node', name: node };
  const body = bodyOf({ apiVersion: 'v1', kind: 'Binding', metadata: { name: of.name }, target });
  const run: WriteRequest['run'] = (core, pod, context) =>
    core.writer.act(through(core, pod, 'binding'), body, OPTIONS, context);
  return { what: 'bind', ...of, run };
}

/** POST to `/eviction`. */
export function evict(of: Of): WriteRequest {
  const body = bodyOf({ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: of.name } });
  const run: WriteRequest['run'] = (core, pod, context) =>
    core.writer.act(through(core, pod, 'eviction'), body, OPTIONS, context);
  return { what: 'evict', ...of, run };
}

export function remove(of: Of, propagation: Propagation, gracePeriodSeconds?: number): WriteRequest {
  const request = {
    preconditions: {},
    propagation,
    reason: 'Requested' as const,
    ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
  };
  const run: WriteRequest['run'] = (core, target, context) =>
    core.writer.remove(target, { dryRun: false, request }, context);
  return { what: 'delete', ...of, run };
}

function through(core: ApiCore, target: Target, name: string): Target {
  const subresource = core.registry.subresource(target.definition, name);
  return { ...target, ...(subresource && { subresource }) };
}

function objectIn(value: JsonObject, key: string): JsonObject {
  const inner = value[key];
  return typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? (inner as JsonObject) : {};
}

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const bodyOf = (value: JsonObject, contentType = 'application/json'): RawBody => ({
  bytes: encode(value),
  contentType,
});
