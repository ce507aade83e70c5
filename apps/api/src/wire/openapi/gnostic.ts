import type { Json, JsonObject } from '#domain';
import protobuf from 'protobufjs/minimal.js';

/** Media type of {@link encodeOpenApiV2}'s answer; clients ask for it with `@` where the answer has the first dot after `v2`. */
export const openApiV2ProtobufType = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

type Writer = ReturnType<typeof protobuf.Writer.create>;
type Encode = (writer: Writer, value: JsonObject) => void;

/**
 * An OpenAPI 2 document as the message `openapi.v2.Document` of the gnostic project, which kubectl up to 1.28 insists on.
 * Field numbers: https://github.com/google/gnostic/blob/main/openapiv2/OpenAPIv2.proto
 */
export function encodeOpenApiV2(document: JsonObject): Uint8Array {
  const writer = protobuf.Writer.create();
  text(writer, 1, document['swagger']);
  message(writer, 2, document['info'], (info, value) => {
    text(info, 1, value['title']);
    text(info, 2, value['version']);
  });
  message(writer, 8, document['paths'], (paths, value) => named(paths, 2, value, pathItem));
  message(writer, 9, document['definitions'], (all, value) => named(all, 1, value, schema));
  return writer.finish();
}

const methods = { get: 2, put: 3, post: 4, delete: 5, patch: 8 } as const;

const pathItem: Encode = (writer, value) => {
  for (const [method, field] of Object.entries(methods)) message(writer, field, value[method], operation);
};

const operation: Encode = (writer, value) => {
  text(writer, 3, value['description']);
  text(writer, 5, value['operationId']);
  texts(writer, 6, value['produces']);
  texts(writer, 7, value['consumes']);
  for (const parameter of objects(value['parameters'])) {
    message(writer, 8, parameter, (item) => message(item, 1, parameter, anyParameter));
  }
  message(writer, 9, value['responses'], (responses, codes) =>
    named(responses, 1, codes, (entry, response) => message(entry, 1, response, responseBody)),
  );
  extensions(writer, 13, value);
};

const anyParameter: Encode = (writer, value) => {
  if (value['in'] === 'body') return message(writer, 1, value, bodyParameter);
  message(writer, 2, value, (nonBody) => {
    if (value['in'] === 'query') message(nonBody, 3, value, queryParameter);
    else message(nonBody, 4, value, pathParameter);
  });
};

const bodyParameter: Encode = (writer, value) => {
  text(writer, 2, value['name']);
  text(writer, 3, value['in']);
  if (value['required'] === true) writer.uint32(tag(4, 0)).bool(true);
  message(writer, 5, value['schema'], schema);
};

const queryParameter: Encode = (writer, value) => {
  text(writer, 2, value['in']);
  text(writer, 3, value['description']);
  text(writer, 4, value['name']);
  text(writer, 6, value['type']);
};

const pathParameter: Encode = (writer, value) => {
  writer.uint32(tag(1, 0)).bool(true);
  text(writer, 2, value['in']);
  text(writer, 4, value['name']);
  text(writer, 5, value['type']);
};

const responseBody: Encode = (writer, value) => {
  text(writer, 1, value['description']);
  message(writer, 2, value['schema'], (item, body) => message(item, 1, body, schema));
};

const schema: Encode = (writer, value) => {
  text(writer, 1, value['$ref']);
  text(writer, 2, value['format']);
  text(writer, 4, value['description']);
  texts(writer, 19, value['required']);
  message(writer, 21, value['additionalProperties'], (item, of) => message(item, 1, of, schema));
  if (typeof value['type'] === 'string') message(writer, 22, value, (item) => text(item, 1, value['type']));
  message(writer, 23, value['items'], (item, of) => message(item, 1, of, schema));
  message(writer, 25, value['properties'], (properties, all) => named(properties, 1, all, schema));
  extensions(writer, 31, value);
};

/** `x-...` members; their values travel as YAML, which JSON is. */
function extensions(writer: Writer, field: number, value: JsonObject): void {
  for (const [name, extension] of Object.entries(value)) {
    if (!name.startsWith('x-') || extension === undefined) continue;
    message(writer, field, value, (entry) => {
      text(entry, 1, name);
      message(entry, 2, value, (any) => text(any, 2, JSON.stringify(extension)));
    });
  }
}

const tag = (field: number, wireType: number): number => field * 8 + wireType;

function text(writer: Writer, field: number, value: Json | undefined): void {
  if (typeof value === 'string' && value !== '') writer.uint32(tag(field, 2)).string(value);
}

function texts(writer: Writer, field: number, values: Json | undefined): void {
  if (Array.isArray(values)) for (const value of values as readonly Json[]) text(writer, field, value);
}

function message(writer: Writer, field: number, value: Json | undefined, encode: Encode): void {
  if (!isObject(value)) return;
  encode(writer.uint32(tag(field, 2)).fork(), value);
  writer.ldelim();
}

function named(writer: Writer, field: number, values: JsonObject, encode: Encode): void {
  for (const [name, value] of Object.entries(values)) {
    message(writer, field, value, (entry, body) => {
      text(entry, 1, name);
      message(entry, 2, body, encode);
    });
  }
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const objects = (values: Json | undefined): JsonObject[] =>
  Array.isArray(values) ? (values as readonly Json[]).filter(isObject) : [];
