import { HttpException } from '@nestjs/common';
import { DomainError, LogUnavailable, NoAnswer, RemoteRefusal, VersionConflict, type JsonObject } from '#domain';
import type { ResourceDefinition } from '../resources/resource.js';
import { StatusError } from '../status-error.js';
import { WireError } from '../wire/index.js';
import { invalidMessage } from '../write/invalid.js';

/** What a request was about, as far as its path told. */
export interface Subject {
  readonly definition?: ResourceDefinition;
  readonly name?: string;
}

/** A refusal as it goes out: a Kubernetes Status and the headers beside it. */
export interface Refusal {
  readonly code: number;
  readonly status: JsonObject;
  readonly retryAfterSeconds?: number;
  /** The fault is ours: it belongs in the process's log. */
  readonly internal: boolean;
}

const codes: Readonly<Record<DomainError['reason'], number>> = {
  BadRequest: 400,
  Forbidden: 403,
  NotFound: 404,
  AlreadyExists: 409,
  Conflict: 409,
  StaleNode: 409,
  Invalid: 422,
  TooManyRequests: 429,
};

/** Seconds after which a client may ask again when the log, or a node, does not answer. */
const retryAfterSeconds = 1;

/** Turns whatever a handler threw into a Kubernetes Status: the one place where errors get their codes. */
export function refusalOf(error: unknown, subject: Subject = {}): Refusal {
  if (error instanceof StatusError) {
    return refusal(
      error.code,
      error.reason,
      error.message,
      error.details ?? detailsOf(subject),
      error.retryAfterSeconds,
    );
  }
  if (error instanceof WireError) return refusal(error.code, error.reason, error.message, detailsOf(subject));
  if (error instanceof DomainError) return domainRefusal(error, subject);
  if (error instanceof VersionConflict) {
    const { definition, name = '' } = subject;
    const message = `Operation cannot be fulfilled on ${resourceOf(definition)} ${JSON.stringify(name)}: the object is changed faster than this request could be decided; please try again`;
    return refusal(409, 'Conflict', message, detailsOf(subject));
  }
  if (error instanceof LogUnavailable) {
    const message = 'the event log cannot be reached; the request may or may not have been carried out';
    return refusal(503, 'ServiceUnavailable', message, { retryAfterSeconds }, retryAfterSeconds);
  }
  if (error instanceof NoAnswer)
    return refusal(503, 'ServiceUnavailable', error.message, { retryAfterSeconds }, retryAfterSeconds);
  if (error instanceof RemoteRefusal) return refusal(400, 'BadRequest', error.message, detailsOf(subject));
  const code = frameworkCode(error);
  if (code !== undefined) return frameworkRefusal(code, error);
  return {
    ...refusal(500, 'InternalError', 'Internal error occurred: the request could not be handled', {
      causes: [{ message: 'see the log of the API server' }],
    }),
    internal: true,
  };
}

function domainRefusal(error: DomainError, subject: Subject): Refusal {
  const { definition, name = '' } = subject;
  if (error.reason !== 'Invalid')
    return refusal(codes[error.reason], reasonOf(error), error.message, {
      ...(namedIn(error.message) ?? detailsOf(subject)),
      ...causesOf(error),
    });
  const kind = definition?.kind ?? '';
  const message =
    error.faults.length > 0 && !error.message.startsWith(kind)
      ? invalidMessage(kind, name, error.faults)
      : error.message;
  return refusal(422, 'Invalid', message, { ...detailsOf(subject), ...(kind && { kind }), ...causesOf(error) });
}

/** The object that a refusal is about, where its words name one: a pod may be refused for want of its namespace. */
function namedIn(message: string): JsonObject | undefined {
  const [, kind, group, name] =
    /^([a-z]+)(?:\.([a-z0-9.]+))? "([^"]+)" (?:not found|already exists)$/.exec(message) ?? [];
  return kind === undefined ? undefined : { name, ...(group !== undefined && { group }), kind };
}

/** `StaleNode` is a word between us and the executors. */
const reasonOf = ({ reason }: DomainError): string => (reason === 'StaleNode' ? 'Conflict' : reason);

const causesOf = ({ faults }: DomainError): JsonObject =>
  faults.length > 0 ? { causes: faults.map(({ reason, message, field }) => ({ reason, message, field })) } : {};

const detailsOf = ({ definition, name }: Subject): JsonObject => ({
  ...(name && { name }),
  ...(definition && definition.group !== '' && { group: definition.group }),
  ...(definition && { kind: definition.plural }),
});

const resourceOf = (definition: ResourceDefinition | undefined): string => {
  if (!definition) return 'objects';
  return definition.group === '' ? definition.plural : `${definition.plural}.${definition.group}`;
};

function refusal(
  code: number,
  reason: string,
  message: string,
  details: JsonObject = {},
  retryAfter?: number,
): Refusal {
  const status = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    ...(Object.keys(details).length > 0 && { details }),
    code,
  };
  return { code, status, ...(retryAfter !== undefined && { retryAfterSeconds: retryAfter }), internal: false };
}

/** What Nest and Fastify refuse on their own: no such route, a body too large or of a wrong length, a bad URL. */
function frameworkCode(error: unknown): number | undefined {
  if (error instanceof HttpException) return error.getStatus();
  if (!(error instanceof Error) || !('statusCode' in error)) return undefined;
  const { statusCode } = error;
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? statusCode : undefined;
}

function frameworkRefusal(code: number, error: unknown): Refusal {
  const text = error instanceof Error ? error.message : 'the request cannot be read';
  switch (code) {
    case 404:
      return refusal(404, 'NotFound', 'the server could not find the requested resource');
    case 405:
      return refusal(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource');
    case 413:
      return refusal(413, 'RequestEntityTooLarge', 'Request entity too large: limit is 3145728');
    case 415:
      return refusal(415, 'UnsupportedMediaType', 'the body of the request was in an unknown format');
    default:
      return refusal(code >= 500 ? 400 : code, 'BadRequest', text);
  }
}
