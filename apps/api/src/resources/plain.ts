import {
  decidePlain,
  editablePlain,
  evolvePlain,
  namesOf,
  streamOf,
  wireOf,
  type ClusterState,
  type JsonObject,
  type PlainEvent,
  type PlainKind,
  type Recorded,
} from '#domain';
import { changeRequest, ofKind } from './editing.js';
import type { ChangeOf, CreateRequest, ResourceDefinition } from './resource.js';

/** What a plain kind says of itself; the rest is alike for all of them. */
type OwnPart = Pick<ResourceDefinition, 'version' | 'singular' | 'columns'> & {
  readonly kind: PlainKind;
  readonly shortNames?: readonly string[];
  readonly fields?: ResourceDefinition['fields'];
  readonly subresources?: ResourceDefinition['subresources'];
  /** Refuses, with `DomainError`, what the rest of the cluster does not allow. */
  readonly check?: (name: string, object: JsonObject, state: ClusterState) => void;
};

/** The definition of a kind without a life of its own. */
export function plainResource({ kind, check, fields = {}, subresources = [], ...own }: OwnPart): ResourceDefinition {
  const { group, plural, namespaced } = namesOf(kind);
  const streamOfName = (namespace: string, name: string): string => streamOf({ group, plural, namespace, name });
  return {
    ...own,
    group: group === 'core' ? '' : group,
    plural,
    kind,
    stored: kind,
    namespaced,
    verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
    subresources,
    fields,
    streamOf: streamOfName,
    wire: wireOf,
    create: ({ namespace, name, meta, object }: CreateRequest, state) => {
      check?.(name, object, state);
      const existing = state.get(streamOfName(namespace, name));
      const command = { type: 'RequestPlainObject', kind, name, meta, body: bodyOf(object) } as const;
      return decidePlain(command, existing && ofKind(kind, existing));
    },
    change: (request, current, state) => {
      check?.(current.meta.name, request.after, state);
      const object = ofKind(kind, current);
      const command = { type: 'ChangePlainObject', kind, ...plainChange(request, object) } as const;
      return decidePlain(command, object);
    },
    remove: ({ preconditions, propagation }, current) =>
      decidePlain({ type: 'DeletePlainObject', kind, preconditions, propagation }, ofKind(kind, current)),
    evolve: (current, event) => evolvePlain(kind, current && ofKind(kind, current), event as Recorded<PlainEvent>),
  };
}

/** The domain's form of an edit, in which the body stands in the place of a spec. */
export const plainChange = (
  request: ChangeOf,
  object: Parameters<typeof editablePlain>[0],
): ReturnType<typeof changeRequest> =>
  changeRequest({ ...request, before: asTree(request.before), after: asTree(request.after) }, editablePlain(object));

const asTree = (wire: JsonObject): JsonObject => ({ metadata: wire['metadata'], spec: bodyOf(wire) });

/** An object without what every object has. */
export function bodyOf(wire: JsonObject): JsonObject {
  const { kind: _kind, apiVersion: _apiVersion, metadata: _metadata, status: _status, ...body } = wire;
  return body;
}
