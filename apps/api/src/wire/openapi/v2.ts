import type { JsonObject } from '#domain';
import type { ResourceInfo } from '../resource-info.js';
import { openApiName } from '../schema/schema.js';
import { kubernetesVersion } from '../schema/types.generated.js';
import { definitions, reference } from './components.js';
import { operationsOf, type Operation } from './operations.js';
import { pathsOf, typesOf } from './v3.js';

/** The OpenAPI 2 (Swagger) document of everything served: what clients up to 1.28 ask for. */
export function openApiV2Document(resources: readonly ResourceInfo[]): JsonObject {
  const operations = resources.flatMap(operationsOf);
  return {
    swagger: '2.0',
    info: { title: 'Podledger', version: kubernetesVersion },
    paths: pathsOf(operations, render),
    definitions: {
      ...definitions(typesOf(resources, operations), 'v2'),
      'io.k8s.apimachinery.pkg.apis.meta.v1.Patch': {
        type: 'object',
        description: 'A change of an object, in the form that its Content-Type names.',
      },
    },
  };
}

function render(operation: Operation): JsonObject {
  const { request, response, kind } = operation;
  const bodyName =
    request === undefined
      ? undefined
      : request === 'patch'
        ? 'io.k8s.apimachinery.pkg.apis.meta.v1.Patch'
        : openApiName(request);
  return {
    description: operation.description,
    operationId: operation.operationId,
    consumes: request === 'patch' ? ['application/strategic-merge-patch+json'] : ['*/*'],
    produces: ['application/json'],
    parameters: [
      ...operation.pathParameters.map((name) => ({ name, in: 'path', required: true, type: 'string' })),
      ...operation.queryParameters.map(({ name, type, description }) => ({ name, in: 'query', description, type })),
      ...(bodyName
        ? [
            {
              name: 'body',
              in: 'body',
              required: request !== 'meta.v1.DeleteOptions',
              schema: reference(bodyName, 'v2'),
            },
          ]
        : []),
    ],
    responses: {
      [operation.success]: {
        description: operation.success === 201 ? 'Created' : 'OK',
        ...(response ? { schema: reference(openApiName(response), 'v2') } : {}),
      },
    },
    'x-kubernetes-action': operation.action,
    'x-kubernetes-group-version-kind': { ...kind },
  };
}
