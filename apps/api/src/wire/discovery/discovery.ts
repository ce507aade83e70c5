import type { JsonObject } from '#domain';
import { servedGroups, type ResourceInfo, type ServedGroup, type SubresourceInfo } from '../resource-info.js';
import { apiVersionOf } from '../schema/schema.js';

/** `GET /api`: the versions of the core group. */
export function apiVersions(resources: readonly ResourceInfo[], serverAddress: string): JsonObject {
  const core = servedGroups(resources).find(({ group }) => group === '');
  return {
    kind: 'APIVersions',
    versions: (core?.versions ?? []).map(({ version }) => version),
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
  };
}

/** `GET /apis`: every group but the core one. */
export function apiGroupList(resources: readonly ResourceInfo[]): JsonObject {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: namedGroups(resources).map(groupEntry) };
}

/** `GET /apis/{group}`; `undefined` when the group is not served. */
export function apiGroup(resources: readonly ResourceInfo[], group: string): JsonObject | undefined {
  const served = namedGroups(resources).find((candidate) => candidate.group === group);
  return served && { kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(served) };
}

/** `GET /api/{version}` and `GET /apis/{group}/{version}`; `undefined` when the version is not served. */
export function apiResourceList(
  resources: readonly ResourceInfo[],
  { group, version }: { readonly group: string; readonly version: string },
): JsonObject | undefined {
  const served = resources.filter((resource) => resource.group === group && resource.version === version);
  if (served.length === 0) return undefined;
  const entries = served.flatMap((resource) => [
    resourceEntry(resource),
    ...(resource.subresources ?? []).map((subresource) => subresourceEntry(resource, subresource)),
  ]);
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersionOf({ group, version }),
    resources: entries,
  };
}

/** The aggregated form of `GET /api` (`core`) or `GET /apis` (`named`): one document instead of one per group. */
export function aggregatedDiscovery(
  resources: readonly ResourceInfo[],
  scope: 'core' | 'named',
  format: 'v2' | 'v2beta1',
): JsonObject {
  const groups = servedGroups(resources).filter(({ group }) => (group === '') === (scope === 'core'));
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${format}`,
    metadata: {},
    items: groups.map(({ group, versions }) => ({
      metadata: group === '' ? {} : { name: group },
      versions: versions.map(({ version, resources: list }) => ({
        version,
        freshness: 'Current',
        resources: list.map(aggregatedResource),
      })),
    })),
  };
}

/** The media type that tells clients which aggregated form they have. */
export const aggregatedMediaType = (format: 'v2' | 'v2beta1'): string =>
  `application/json;g=apidiscovery.k8s.io;v=${format};as=APIGroupDiscoveryList`;

const namedGroups = (resources: readonly ResourceInfo[]): ServedGroup[] =>
  servedGroups(resources).filter(({ group }) => group !== '');

function groupEntry({ group, versions }: ServedGroup): JsonObject {
  const entries = versions.map(({ version }) => ({ groupVersion: apiVersionOf({ group, version }), version }));
  return { name: group, versions: entries, preferredVersion: entries[0] };
}

const namesOf = ({ shortNames, categories }: ResourceInfo): JsonObject => ({
  ...(shortNames?.length ? { shortNames } : {}),
  ...(categories?.length ? { categories } : {}),
});

const resourceEntry = (resource: ResourceInfo): JsonObject => ({
  name: resource.plural,
  singularName: resource.singular,
  namespaced: resource.namespaced,
  kind: resource.kind,
  verbs: [...resource.verbs].sort(),
  ...namesOf(resource),
});

/** A kind of another group is named with its group and version: `drain` looks for `policy/v1` Eviction in core/v1. */
const subresourceEntry = (resource: ResourceInfo, { name, kind, verbs }: SubresourceInfo): JsonObject => ({
  name: `${resource.plural}/${name}`,
  singularName: '',
  namespaced: resource.namespaced,
  ...(kind.group === resource.group && kind.version === resource.version
    ? {}
    : { group: kind.group, version: kind.version }),
  kind: kind.kind,
  verbs: [...verbs].sort(),
});

const aggregatedResource = (resource: ResourceInfo): JsonObject => ({
  resource: resource.plural,
  responseKind: { group: resource.group, version: resource.version, kind: resource.kind },
  scope: resource.namespaced ? 'Namespaced' : 'Cluster',
  singularResource: resource.singular,
  verbs: [...resource.verbs].sort(),
  ...namesOf(resource),
  ...(resource.subresources?.length
    ? {
        subresources: resource.subresources.map(({ name, kind, verbs }) => ({
          subresource: name,
          responseKind: { group: kind.group, version: kind.version, kind: kind.kind },
          verbs: [...verbs].sort(),
        })),
      }
    : {}),
});
