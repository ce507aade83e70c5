import type { ResourceInfo } from '../resource-info.js';
import {
  aggregatedDiscovery,
  aggregatedMediaType,
  apiGroup,
  apiGroupList,
  apiResourceList,
  apiVersions,
} from './discovery.js';

const resources: readonly ResourceInfo[] = [
  {
    group: '',
    version: 'v1',
    plural: 'pods',
    singular: 'pod',
    kind: 'Pod',
    namespaced: true,
    verbs: ['list', 'create', 'get'],
    shortNames: ['po'],
    categories: ['all'],
    subresources: [
      { name: 'status', kind: { group: '', version: 'v1', kind: 'Pod' }, verbs: ['update', 'get'] },
      { name: 'eviction', kind: { group: 'policy', version: 'v1', kind: 'Eviction' }, verbs: ['create'] },
    ],
  },
  { group: '', version: 'v1', plural: 'nodes', singular: 'node', kind: 'Node', namespaced: false, verbs: ['get'] },
  {
    group: 'apps',
    version: 'v1',
    plural: 'replicasets',
    singular: 'replicaset',
    kind: 'ReplicaSet',
    namespaced: true,
    verbs: ['get'],
  },
];

describe('discovery', () => {
  it('tells the versions of the core group', () => {
    expect(apiVersions(resources, '10.0.0.1:6443')).toEqual({
      kind: 'APIVersions',
      versions: ['v1'],
      serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '10.0.0.1:6443' }],
    });
  });

  it('lists the named groups, each also by itself', () => {
    const apps = {
      name: 'apps',
      versions: [{ groupVersion: 'apps/v1', version: 'v1' }],
      preferredVersion: { groupVersion: 'apps/v1', version: 'v1' },
    };
    expect(apiGroupList(resources)).toEqual({ kind: 'APIGroupList', apiVersion: 'v1', groups: [apps] });
    expect(apiGroup(resources, 'apps')).toEqual({ kind: 'APIGroup', apiVersion: 'v1', ...apps });
    expect([apiGroup(resources, ''), apiGroup(resources, 'batch')]).toEqual([undefined, undefined]);
  });

  it('lists resources and subresources, with the group of a foreign kind', () => {
    expect(apiResourceList(resources, { group: '', version: 'v1' })).toEqual({
      kind: 'APIResourceList',
      apiVersion: 'v1',
      groupVersion: 'v1',
      resources: [
        {
          name: 'pods',
          singularName: 'pod',
          namespaced: true,
          kind: 'Pod',
          verbs: ['create', 'get', 'list'],
          shortNames: ['po'],
          categories: ['all'],
        },
        { name: 'pods/status', singularName: '', namespaced: true, kind: 'Pod', verbs: ['get', 'update'] },
        {
          name: 'pods/eviction',
          singularName: '',
          namespaced: true,
          group: 'policy',
          version: 'v1',
          kind: 'Eviction',
          verbs: ['create'],
        },
        { name: 'nodes', singularName: 'node', namespaced: false, kind: 'Node', verbs: ['get'] },
      ],
    });
    expect(apiResourceList(resources, { group: 'apps', version: 'v2' })).toBeUndefined();
  });

  it('aggregates the same, core and named apart', () => {
    expect(aggregatedDiscovery(resources, 'named', 'v2beta1')).toEqual({
      kind: 'APIGroupDiscoveryList',
      apiVersion: 'apidiscovery.k8s.io/v2beta1',
      metadata: {},
      items: [
        {
          metadata: { name: 'apps' },
          versions: [
            {
              version: 'v1',
              freshness: 'Current',
              resources: [
                {
                  resource: 'replicasets',
                  responseKind: { group: 'apps', version: 'v1', kind: 'ReplicaSet' },
                  scope: 'Namespaced',
                  singularResource: 'replicaset',
                  verbs: ['get'],
                },
              ],
            },
          ],
        },
      ],
    });
    expect(aggregatedDiscovery(resources, 'core', 'v2')).toMatchObject({
      apiVersion: 'apidiscovery.k8s.io/v2',
      items: [
        {
          metadata: {},
          versions: [
            {
              resources: [
                {
                  resource: 'pods',
                  subresources: [
                    {
                      subresource: 'status',
                      responseKind: { group: '', version: 'v1', kind: 'Pod' },
                      verbs: ['get', 'update'],
                    },
                    { subresource: 'eviction', responseKind: { group: 'policy', version: 'v1', kind: 'Eviction' } },
                  ],
                },
                { resource: 'nodes', scope: 'Cluster' },
              ],
            },
          ],
        },
      ],
    });
    expect(aggregatedMediaType('v2')).toBe('application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList');
  });
});
