import { createHash } from 'node:crypto';
import type { JsonObject } from '#domain';
import { servedGroups, type ResourceInfo } from '../resource-info.js';
import { encodeOpenApiV2 } from './gnostic.js';
import { groupVersionPath } from './operations.js';
import { openApiV2Document } from './v2.js';
import { openApiV3Document } from './v3.js';

/** A document ready to be sent, with a hash that changes when it does. */
export interface Document<Body extends string | Uint8Array> {
  readonly body: Body;
  /** Hexadecimal, for `?hash=` and `ETag`. */
  readonly hash: string;
}

/** The OpenAPI documents of what is served. Each is built when it is first asked for, and kept. */
export interface OpenApi {
  /** `GET /openapi/v3`: where each group and version is, with its hash, so that clients may cache it for ever. */
  v3Index(): JsonObject;
  /** `GET /openapi/v3/{path}`, by the path without its leading slash (`api/v1`, `apis/apps/v1`); `undefined` when there is none. */
  v3(path: string): Document<string> | undefined;
  /** `GET /openapi/v2` as JSON. */
  v2Json(): Document<string>;
  /** `GET /openapi/v2` as protobuf; see `openApiV2ProtobufType`. */
  v2Protobuf(): Document<Uint8Array>;
}

export function openApiOf(resources: readonly ResourceInfo[]): OpenApi {
  const groupVersions = new Map(
    servedGroups(resources).flatMap(({ group, versions }) =>
      versions.map(({ version, resources: list }) => [groupVersionPath({ group, version }).slice(1), list] as const),
    ),
  );
  const v3 = new Map<string, Document<string>>();
  const document = (path: string): Document<string> | undefined => {
    const served = groupVersions.get(path);
    const kept = v3.get(path);
    if (kept || !served) return kept;
    const built = hashed(JSON.stringify(openApiV3Document(served)));
    v3.set(path, built);
    return built;
  };
  let json: Document<string> | undefined;
  let protobuf: Document<Uint8Array> | undefined;
  return {
    v3: document,
    v3Index: () => ({
      paths: Object.fromEntries(
        [...groupVersions.keys()].map((path) => [
          path,
          { serverRelativeURL: `/openapi/v3/${path}?hash=${document(path)?.hash ?? ''}` },
        ]),
      ),
    }),
    v2Json: () => (json ??= hashed(JSON.stringify(openApiV2Document(resources)))),
    v2Protobuf: () => (protobuf ??= hashed(encodeOpenApiV2(openApiV2Document(resources)))),
  };
}

const hashed = <Body extends string | Uint8Array>(body: Body): Document<Body> => ({
  body,
  hash: createHash('sha256').update(body).digest('hex').toUpperCase().slice(0, 64),
});
