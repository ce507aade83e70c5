import type { GroupVersionKind } from './schema/schema.js';

/** The verbs of the API, as discovery names them. */
export type Verb = 'create' | 'delete' | 'deletecollection' | 'get' | 'list' | 'patch' | 'update' | 'watch';

/** A path below an object: `status`, `scale`, `log`, `eviction`. */
export interface SubresourceInfo {
  readonly name: string;
  /** What is read and written there; for `pods/eviction` and `replicasets/scale` a kind of another group. */
  readonly kind: GroupVersionKind;
  readonly verbs: readonly Verb[];
}

/** A served resource, as discovery, OpenAPI and routing need it. The core group is `''`. */
export interface ResourceInfo {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly Verb[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly subresources?: readonly SubresourceInfo[];
}

/** A group's versions in the order they were given; the first is the preferred one. */
export interface ServedGroup {
  readonly group: string;
  readonly versions: readonly { readonly version: string; readonly resources: readonly ResourceInfo[] }[];
}

/** The resources by group and version, groups in the order of their first resource. */
export function servedGroups(resources: readonly ResourceInfo[]): ServedGroup[] {
  const groups = new Map<string, Map<string, ResourceInfo[]>>();
  for (const resource of resources) {
    const versions = groups.get(resource.group) ?? new Map<string, ResourceInfo[]>();
    versions.set(resource.version, [...(versions.get(resource.version) ?? []), resource]);
    groups.set(resource.group, versions);
  }
  return [...groups].map(([group, versions]) => ({
    group,
    versions: [...versions].map(([version, list]) => ({ version, resources: list })),
  }));
}
