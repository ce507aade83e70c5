import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { maxBodyBytes, WireError } from '../wire/index.js';
import type { Authenticator } from './authenticator.js';
import { authenticated } from './request-state.js';
import { refusalOf } from './status.js';

export interface ServerOptions {
  /** PEM texts. */
  readonly tls: { readonly key: string; readonly cert: string };
  readonly authenticator: Authenticator;
  /** `silent`, or pino's levels. */
  readonly logLevel: string;
}

/** A client may take so long, in milliseconds: for its headers, for its whole request, between two requests. */
const HEADERS_MS = 20_000;
const REQUEST_MS = 60_000;
const KEEP_ALIVE_MS = 90_000;

/** Paths that tell nobody anything worth a token. */
const open = /^\/(?:livez|readyz|healthz|version)\/?(?:\?|$)/;

/** The HTTP server: TLS, bodies as bytes, bounds on size and time, and nobody past the door without a token. */
export function fastifyAdapter({ tls, authenticator, logLevel }: ServerOptions): FastifyAdapter {
  const adapter = new FastifyAdapter({
    https: { key: tls.key, cert: tls.cert, minVersion: 'TLSv1.2', headersTimeout: HEADERS_MS },
    bodyLimit: maxBodyBytes,
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    routerOptions: { maxParamLength: 8_192, ignoreTrailingSlash: true, ignoreDuplicateSlashes: true },
    return503OnClosing: false,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    genReqId: () => randomUUID(),
    logger: { level: logLevel, redact: ['req.headers.authorization', 'headers.authorization'] },
    clientErrorHandler: refuseUnreadable,
    frameworkErrors: refuseBadUrl,
    skipMiddie: true,
  });
  const server = adapter.getInstance();
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', (_request: FastifyRequest, payload: AsyncIterable<Uint8Array>) => readBody(payload));
  server.addHook('onRequest', async (request: FastifyRequest, reply) => {
    reply.header('Audit-Id', request.id);
    if (!open.test(request.url)) authenticated(request, authenticator.userOf(request.headers.authorization));
  });
  return adapter;
}

/** A URL that no router can read never reaches a route. */
function refuseBadUrl(error: Error, _request: FastifyRequest, reply: FastifyReply): void {
  const { code, status } = refusalOf(error);
  void reply.code(code).type('application/json').send(JSON.stringify(status));
}

/** Of a body that is too large so much more is read and thrown away, in bytes: a client that is still sending hears no answer. */
const drained = 16 * maxBodyBytes;

/** The whole body. Throws 413 when it is too large, once the client has sent it and listens. */
async function readBody(payload: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  let pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of payload) {
    length += piece.byteLength;
    if (length <= maxBodyBytes) pieces.push(piece);
    else pieces = [];
    if (length > drained) break;
  }
  if (length > maxBodyBytes)
    throw new WireError('RequestEntityTooLarge', `Request entity too large: limit is ${maxBodyBytes}`);
  return Buffer.concat(pieces, length);
}

/** What is no HTTP gets an answer in HTTP, and its connection ends. */
function refuseUnreadable(error: Error, socket: Socket): void {
  if (!socket.writable || ('code' in error && error.code === 'ECONNRESET')) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'the request cannot be read as HTTP',
    reason: 'BadRequest',
    code: 400,
  });
  socket.end(
    `HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
