import type { Kind } from '../cluster/stored-object.js';
import { streamOf, type ObjectRef } from '../stream.js';

/** Where a kind lives in the API. */
export interface KindNames {
  readonly kind: Kind;
  /** `core` for the legacy group. */
  readonly group: string;
  readonly plural: string;
  readonly apiVersion: string;
  readonly namespaced: boolean;
}

/** Every kind there is. */
export const KINDS: readonly KindNames[] = [
  { kind: 'Pod', group: 'core', plural: 'pods', apiVersion: 'v1', namespaced: true },
  { kind: 'DaemonSet', group: 'apps', plural: 'daemonsets', apiVersion: 'apps/v1', namespaced: true },
  { kind: 'Deployment', group: 'apps', plural: 'deployments', apiVersion: 'apps/v1', namespaced: true },
  {
    kind: 'ControllerRevision',
    group: 'apps',
    plural: 'controllerrevisions',
    apiVersion: 'apps/v1',
    namespaced: true,
  },
  { kind: 'ReplicaSet', group: 'apps', plural: 'replicasets', apiVersion: 'apps/v1', namespaced: true },
  { kind: 'Job', group: 'batch', plural: 'jobs', apiVersion: 'batch/v1', namespaced: true },
  { kind: 'CronJob', group: 'batch', plural: 'cronjobs', apiVersion: 'batch/v1', namespaced: true },
  { kind: 'ConfigMap', group: 'core', plural: 'configmaps', apiVersion: 'v1', namespaced: true },
  { kind: 'Secret', group: 'core', plural: 'secrets', apiVersion: 'v1', namespaced: true },
  { kind: 'ServiceAccount', group: 'core', plural: 'serviceaccounts', apiVersion: 'v1', namespaced: true },
  {
    kind: 'PriorityClass',
    group: 'scheduling.k8s.io',
    plural: 'priorityclasses',
    apiVersion: 'scheduling.k8s.io/v1',
    namespaced: false,
  },
  { kind: 'Node', group: 'core', plural: 'nodes', apiVersion: 'v1', namespaced: false },
  { kind: 'Namespace', group: 'core', plural: 'namespaces', apiVersion: 'v1', namespaced: false },
  { kind: 'Event', group: 'core', plural: 'events', apiVersion: 'v1', namespaced: true },
];

const byKind = new Map(KINDS.map((names) => [names.kind, names]));
const byResource = new Map(KINDS.map((names) => [`${names.group}/${names.plural}`, names]));

/** The names of a kind. */
export function namesOf(kind: Kind): KindNames {
  const names = byKind.get(kind);
  if (!names) throw new RangeError(`no such kind: ${kind}`);
  return names;
}

/** The stream of an object of a kind; the namespace of cluster-scoped ones is empty. */
export function streamOfKind(kind: Kind, namespace: string, name: string): string {
  const { group, plural } = namesOf(kind);
  return streamOf({ group, plural, namespace, name });
}

/** The kind kept in a stream, or `undefined` for the cluster's own. */
export function kindOfStream({ group, plural }: ObjectRef): KindNames | undefined {
  return byResource.get(`${group}/${plural}`);
}

/** As error messages name a resource: `pods "web"`, `replicasets.apps "web"`. */
export function qualified(kind: Kind, name: string): string {
  const { group, plural } = namesOf(kind);
  return `${group === 'core' ? plural : `${plural}.${group}`} "${name}"`;
}
