import { invariant } from './errors.js';

/** The resource a stream belongs to, as users name it. Cluster-scoped things have an empty namespace. */
export interface ObjectRef {
  /** API group; `core` for the legacy group. */
  readonly group: string;
  readonly plural: string;
  readonly namespace: string;
  readonly name: string;
}

/** The stream of a resource: `core/pods/shop/web`, `core/nodes//n1`. Its uid is inside: a later object of the same name continues it. */
export function streamOf(ref: ObjectRef): string {
  return `${ref.group}/${ref.plural}/${ref.namespace}/${ref.name}`;
}

/** The inverse of {@link streamOf}. Throws `BrokenInvariant` on anything else. */
export function refOf(stream: string): ObjectRef {
  const parts = stream.split('/');
  invariant(parts.length === 4, `not a stream name: ${stream}`);
  const [group, plural, namespace, name] = parts as [string, string, string, string];
  return { group, plural, namespace, name };
}

export const podStream = (namespace: string, name: string): string =>
  streamOf({ group: 'core', plural: 'pods', namespace, name });
export const replicaSetStream = (namespace: string, name: string): string =>
  streamOf({ group: 'apps', plural: 'replicasets', namespace, name });
export const configMapStream = (namespace: string, name: string): string =>
  streamOf({ group: 'core', plural: 'configmaps', namespace, name });
export const secretStream = (namespace: string, name: string): string =>
  streamOf({ group: 'core', plural: 'secrets', namespace, name });
export const serviceAccountStream = (namespace: string, name: string): string =>
  streamOf({ group: 'core', plural: 'serviceaccounts', namespace, name });
export const priorityClassStream = (name: string): string =>
  streamOf({ group: 'scheduling.k8s.io', plural: 'priorityclasses', namespace: '', name });
export const nodeStream = (name: string): string => streamOf({ group: 'core', plural: 'nodes', namespace: '', name });
export const namespaceStream = (name: string): string =>
  streamOf({ group: 'core', plural: 'namespaces', namespace: '', name });
/** Kubernetes Event objects that clients write, and the `EventsExpired` that end them (name `""`). */
export const eventStream = (namespace: string, name: string): string =>
  streamOf({ group: 'core', plural: 'events', namespace, name });
/** What concerns the cluster as a whole: mass silence of nodes, for one. */
export const clusterStream = 'podledger/cluster//cluster';
/** Which node was given which pod network: whoever gives one out writes here, so no two do so on the same knowledge. */
export const podNetworksStream = 'podledger/podnetworks//podnetworks';
