import type { JsonObject } from '#domain';
import protobuf from 'protobufjs/minimal.js';
import type { ResourceInfo } from '../resource-info.js';
import { openApiOf } from './openapi.js';

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'] as const;
const resources: readonly ResourceInfo[] = [
  {
    group: '',
    version: 'v1',
    plural: 'pods',
    singular: 'pod',
    kind: 'Pod',
    namespaced: true,
    verbs,
    subresources: [
      { name: 'eviction', kind: { group: 'policy', version: 'v1', kind: 'Eviction' }, verbs: ['create'] },
      { name: 'status', kind: { group: '', version: 'v1', kind: 'Pod' }, verbs: ['get', 'patch', 'update'] },
    ],
  },
  {
    group: '',
    version: 'v1',
    plural: 'nodes',
    singular: 'node',
    kind: 'Node',
    namespaced: false,
    verbs: ['get', 'list'],
  },
  {
    group: 'apps',
    version: 'v1',
    plural: 'replicasets',
    singular: 'replicaset',
    kind: 'ReplicaSet',
    namespaced: true,
    verbs,
  },
];

interface Spec {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, JsonObject & { readonly parameters: readonly JsonObject[] }>>>
  >;
  readonly components: { readonly schemas: Readonly<Record<string, JsonObject>> };
  readonly definitions: Readonly<Record<string, JsonObject>>;
}

const openApi = openApiOf(resources);
const parse = (body: string | undefined): Spec => JSON.parse(body ?? 'null') as Spec;
const core = parse(openApi.v3('api/v1')?.body);

/** Every `$ref` in a document. */
const references = (text: string): string[] => [
  ...new Set([...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, target]) => target ?? '')),
];

describe('OpenAPI v3', () => {
  it('indexes each group and version with its hash', () => {
    const hash = (path: string): string => openApi.v3(path)?.hash ?? '';
    expect(openApi.v3Index()).toEqual({
      paths: {
        'api/v1': { serverRelativeURL: `/openapi/v3/api/v1?hash=${hash('api/v1')}` },
        'apis/apps/v1': { serverRelativeURL: `/openapi/v3/apis/apps/v1?hash=${hash('apis/apps/v1')}` },
      },
    });
    expect(hash('api/v1')).toMatch(/^[0-9A-F]{64}$/);
    expect(hash('api/v1')).not.toBe(hash('apis/apps/v1'));
    expect(openApi.v3('apis/batch/v1')).toBeUndefined();
  });

  it('gives the same document and hash for the same resources', () => {
    expect(openApiOf(resources).v3('api/v1')).toEqual(openApi.v3('api/v1'));
  });

  it('has an operation for each verb, and none for those that are not served', () => {
    const methods = Object.fromEntries(
      Object.entries(core.paths).map(([path, item]) => [path, Object.keys(item).sort().join(' ')]),
    );
    expect(methods).toEqual({
      '/api/v1/namespaces/{namespace}/pods': 'delete get post',
      '/api/v1/pods': 'get',
      '/api/v1/namespaces/{namespace}/pods/{name}': 'delete get patch put',
      '/api/v1/namespaces/{namespace}/pods/{name}/eviction': 'post',
      '/api/v1/namespaces/{namespace}/pods/{name}/status': 'get patch put',
      '/api/v1/nodes': 'get',
      '/api/v1/nodes/{name}': 'get',
    });
  });

  it('tells kubectl that the server validates fields', () => {
    const patch = core.paths['/api/v1/namespaces/{namespace}/pods/{name}']?.['patch'];
    expect(patch?.['x-kubernetes-group-version-kind']).toEqual({ group: '', version: 'v1', kind: 'Pod' });
    expect(patch?.parameters).toContainEqual(expect.objectContaining({ name: 'fieldValidation', in: 'query' }));
  });

  it('names every operation once', () => {
    const ids = Object.values(core.paths).flatMap((item) => Object.values(item).map(({ operationId }) => operationId));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('describes types with what apply and explain read', () => {
    const pod = core.components.schemas['io.k8s.api.core.v1.Pod'];
    expect(pod?.['x-kubernetes-group-version-kind']).toEqual([{ group: '', kind: 'Pod', version: 'v1' }]);
    const spec = core.components.schemas['io.k8s.api.core.v1.PodSpec'];
    expect(spec?.['required']).toEqual(['containers']);
    expect(spec?.['properties']).toMatchObject({
      containers: {
        description: expect.stringContaining('List of containers'),
        type: 'array',
        items: { $ref: '#/components/schemas/io.k8s.api.core.v1.Container' },
        'x-kubernetes-patch-merge-key': 'name',
        'x-kubernetes-patch-strategy': 'merge',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
      },
      nodeSelector: { type: 'object', additionalProperties: { type: 'string' }, 'x-kubernetes-map-type': 'atomic' },
      terminationGracePeriodSeconds: { type: 'integer', format: 'int64' },
    });
  });

  it.each(['api/v1', 'apis/apps/v1'])('%s holds everything it refers to, and nothing beside a $ref', (path) => {
    const body = openApi.v3(path)?.body ?? '';
    const known = Object.keys(parse(body).components.schemas).map((name) => `#/components/schemas/${name}`);
    const targets = references(body);
    expect(targets.length).toBeGreaterThan(50);
    expect(targets.filter((target) => !known.includes(target))).toEqual([]);
    expect(body).not.toMatch(/"\$ref":"[^"]+","/);
  });
});

describe('OpenAPI v2', () => {
  it('holds everything it refers to', () => {
    const { body } = openApi.v2Json();
    const known = Object.keys(parse(body).definitions).map((name) => `#/definitions/${name}`);
    expect(references(body).filter((target) => !known.includes(target))).toEqual([]);
    expect(parse(body).definitions['io.k8s.api.apps.v1.ReplicaSet']).toBeDefined();
  });

  it('is the same document in protobuf', () => {
    const fields = topLevel(openApi.v2Protobuf().body);
    expect(fields.map(({ field }) => field)).toEqual([1, 2, 8, 9]);
    expect(Buffer.from(fields[0]?.bytes ?? []).toString()).toBe('2.0');
    const names = topLevel(fields[3]?.bytes ?? new Uint8Array()).map(({ bytes }) =>
      Buffer.from(topLevel(bytes)[0]?.bytes ?? []).toString(),
    );
    expect(names).toEqual(Object.keys(parse(openApi.v2Json().body).definitions));
    const paths = topLevel(fields[2]?.bytes ?? new Uint8Array()).map(({ bytes }) =>
      Buffer.from(topLevel(bytes)[0]?.bytes ?? []).toString(),
    );
    expect(paths).toEqual(Object.keys(parse(openApi.v2Json().body).paths));
  });
});

/** The fields of a message that holds only length-delimited ones. */
function topLevel(bytes: Uint8Array): { field: number; bytes: Uint8Array }[] {
  const reader = protobuf.Reader.create(bytes);
  const fields: { field: number; bytes: Uint8Array }[] = [];
  while (reader.pos < reader.len) fields.push({ field: reader.uint32() >>> 3, bytes: reader.bytes() });
  return fields;
}
