import type { JsonObject } from '#domain';

/** What is said beside the code, reason and message of a refusal. */
export interface StatusExtras {
  /** Kubernetes' `Status.details`. */
  readonly details?: JsonObject;
  /** Sent as `Retry-After`, in seconds. */
  readonly retryAfterSeconds?: number;
}

/** A request that the API itself refuses, as a Kubernetes `Status`: code, reason and message as clients will read them. */
export class StatusError extends Error {
  readonly details: JsonObject | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    /** HTTP status code. */
    readonly code: number,
    /** Kubernetes' `Status.reason`. */
    readonly reason: string,
    message: string,
    extras: StatusExtras = {},
  ) {
    super(message);
    this.name = 'StatusError';
    this.details = extras.details;
    this.retryAfterSeconds = extras.retryAfterSeconds;
  }
}

export const badRequest = (message: string): StatusError => new StatusError(400, 'BadRequest', message);

/** A path that leads nowhere, or whose kind is not served. */
export const noSuchPath = (): StatusError =>
  new StatusError(404, 'NotFound', 'the server could not find the requested resource', { details: {} });

export const methodNotAllowed = (
  message = 'the server does not allow this method on the requested resource',
): StatusError => new StatusError(405, 'MethodNotAllowed', message, { details: {} });

export const unsupportedMediaType = (message: string): StatusError =>
  new StatusError(415, 'UnsupportedMediaType', message);

/** An option of the request, by its name, that is not acceptable. */
export const invalidOption = (kind: string, field: string, message: string): StatusError =>
  new StatusError(422, 'Invalid', `${kind} is invalid: ${field}: ${message}`, {
    details: { kind, causes: [{ reason: 'FieldValueInvalid', message, field }] },
  });

/** The revision asked for has not been reached in time. Clients recognise the cause and try again. */
export const revisionTooLarge = (wanted: number, current: number): StatusError =>
  new StatusError(504, 'Timeout', `Too large resource version: ${wanted}, current: ${current}`, {
    details: {
      retryAfterSeconds: 1,
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    },
    retryAfterSeconds: 1,
  });
