import type { JsonObject } from '#domain';
import type { ResourceInfo } from '../resource-info.js';
import { openApiName, typeOfKind } from '../schema/schema.js';
import { kubernetesVersion } from '../schema/types.generated.js';
import type { TypeId } from '../schema/wire-type.js';
import { definitions, reachableTypes, reference } from './components.js';
import { operationsOf, type Operation } from './operations.js';

const bodyTypes = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'] as const;
const patchTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
] as const;
const patchName = 'io.k8s.apimachinery.pkg.apis.meta.v1.Patch';

/** Every type that operations read or write, and what they mention. */
export function typesOf(resources: readonly ResourceInfo[], operations: readonly Operation[]): TypeId[] {
  const lists = resources.map(({ group, version, kind }) => typeOfKind({ group, version, kind: `${kind}List` }));
  const bodies = operations.flatMap(({ request, response }) => [request === 'patch' ? undefined : request, response]);
  const roots = [...lists, ...bodies].filter((id) => id !== undefined);
  return reachableTypes([...roots, 'meta.v1.Status', 'meta.v1.DeleteOptions']);
}

/** The OpenAPI 3.0 document of one group and version. */
export function openApiV3Document(resources: readonly ResourceInfo[]): JsonObject {
  const operations = resources.flatMap(operationsOf);
  return {
    openapi: '3.0.0',
    info: { title: 'Podledger', version: kubernetesVersion },
    paths: pathsOf(operations, render),
    components: {
      schemas: {
        ...definitions(typesOf(resources, operations), 'v3'),
        [patchName]: { type: 'object', description: 'A change of an object, in the form that its Content-Type names.' },
      },
    },
  };
}

/** Operations by path and method, each rendered. */
export function pathsOf(operations: readonly Operation[], one: (operation: Operation) => JsonObject): JsonObject {
  const paths: Record<string, JsonObject> = {};
  for (const operation of operations) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: one(operation) };
  }
  return paths;
}

function render(operation: Operation): JsonObject {
  const { request, response, kind } = operation;
  const requestSchema =
    request === undefined ? undefined : reference(request === 'patch' ? patchName : openApiName(request), 'v3');
  const requestTypes: readonly string[] = request === 'patch' ? patchTypes : bodyTypes;
  const content = response
    ? { content: { 'application/json': { schema: reference(openApiName(response), 'v3') } } }
    : {};
  return {
    description: operation.description,
    operationId: operation.operationId,
    parameters: [
      ...operation.pathParameters.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
      ...operation.queryParameters.map(({ name, type, description }) => ({
        name,
        in: 'query',
        description,
        schema: { type },
      })),
    ],
    ...(requestSchema
      ? { requestBody: { content: Object.fromEntries(requestTypes.map((type) => [type, { schema: requestSchema }])) } }
      : {}),
    responses: { [operation.success]: { description: operation.success === 201 ? 'Created' : 'OK', ...content } },
    'x-kubernetes-action': operation.action,
    'x-kubernetes-group-version-kind': { ...kind },
  };
}
