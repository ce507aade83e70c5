import { BrokenInvariant, DomainError, RemoteRefusal, type JsonObject } from '#domain';

/** Header of a reply that is a refusal; its value is the reason, the body `{message}`. */
export const refusalHeader = 'Podledger-Refusal';

/** Largest message our own server takes, in bytes: a full assignment of a busy node is several hundred KB. */
export const maxPayloadBytes = 8 * 1024 * 1024;

/** Why a message over the server's limit was not sent, in Kubernetes' `Status.reason` vocabulary. */
export const tooLarge = 'RequestEntityTooLarge';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** A message is one JSON object. Anything else throws `DomainError` (BadRequest). */
export function decodeMessage(bytes: Uint8Array): JsonObject {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw new DomainError('BadRequest', 'not UTF-8');
  }
  return decodeText(text);
}

/** {@link decodeMessage} of text. */
export function decodeText(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DomainError('BadRequest', `not JSON: ${cause instanceof Error ? cause.message : 'unreadable'}`);
  }
  if (!isObject(value)) throw new DomainError('BadRequest', 'a message must be one JSON object');
  return value;
}

/** JSON text of a message; `undefined` fields are left out. */
export const encodeMessage = (message: JsonObject): string => JSON.stringify(message);

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A reason travels in a header: one word, or it is not ours to pass on. */
const reasonPattern = /^[A-Za-z][A-Za-z0-9]{0,63}$/;

/**
 * What a requester is told of an error in the handler. Refusals keep their reason and words; anything else is
 * `InternalError` without details, which belong in the log of the side where it happened.
 */
export function refusalOf(error: unknown): RemoteRefusal {
  if (error instanceof RemoteRefusal && reasonPattern.test(error.reason)) return error;
  if (error instanceof DomainError) return new RemoteRefusal(error.reason, error.message);
  return new RemoteRefusal('InternalError', 'the request could not be handled');
}

/** True of an error that the handler's side must hear of: not a refusal, but a fault. */
export const isFault = (error: unknown): boolean =>
  error instanceof BrokenInvariant || !(error instanceof RemoteRefusal || error instanceof DomainError);

/** Told of what the bus cannot hand to anybody: a message nobody can read, a handler that threw. */
export type ReportProblem = (problem: string, cause?: unknown) => void;

/** Where reports go when nobody says otherwise. */
export const reportAsWarning: ReportProblem = (problem, cause) => {
  process.emitWarning(cause instanceof Error ? `${problem}: ${cause.message}` : problem, { type: 'PodledgerBus' });
};
