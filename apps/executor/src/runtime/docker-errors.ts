import { RuntimeError, type RuntimeFault } from './container-runtime.js';

/** What dockerode rejects with: an error, with the status if the engine answered, and the engine's JSON. */
interface Rejection {
  readonly message: string;
  readonly statusCode?: unknown;
  readonly json?: unknown;
  readonly code?: unknown;
  readonly cause?: unknown;
}

/** By its shape: errors of Node itself are of another realm where code runs in a VM context, and no `instanceof` knows them. */
function isRejection(error: unknown): error is Rejection {
  return typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string';
}

/** The HTTP status that an error came with, also when it has been translated already. */
export function statusOf(error: unknown): number | undefined {
  if (!isRejection(error)) return undefined;
  return typeof error.statusCode === 'number' ? error.statusCode : statusOf(error.cause);
}

/** The status of an error that means "it is so already"; throws every other error. */
export function toleratedStatus(error: unknown, statuses: readonly number[]): number {
  const status = statusOf(error);
  if (status === undefined || !statuses.includes(status)) throw error;
  return status;
}

/** The engine's own words, without dockerode's `(HTTP code 404) no such container - ` in front. */
function engineMessage(error: unknown): string {
  if (!isRejection(error)) return String(error);
  const { json, message } = error;
  if (typeof json === 'object' && json !== null && 'message' in json) return String(json.message).trim();
  return message.replace(/^\(HTTP code \d+\) [^-]* - /, '').trim();
}

/** Node's codes and docker-modem's words for "nobody is there, or the connection broke". */
const BROKEN_CONNECTION = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EACCES',
  'ERR_STREAM_PREMATURE_CLOSE',
]);

function isBrokenConnection(error: unknown): boolean {
  if (!isRejection(error) || error.statusCode !== undefined) return false;
  return BROKEN_CONNECTION.has(String(error.code)) || error.message === 'aborted' || error.message === 'socket hang up';
}

const INVALID_REFERENCE =
  /invalid reference format|repository name must be|invalid repository name|invalid tag format/i;

/**
 * The one translation of whatever a call to the engine threw. What only the verb can tell apart (a failed creation from
 * a failed start) is refined by the functions below.
 */
export function translate(what: string, error: unknown): RuntimeError {
  if (error instanceof RuntimeError) return error;
  const message = `${what}: ${engineMessage(error)}`;
  const options = { cause: error };
  if (isBrokenConnection(error)) return new RuntimeError('Unavailable', message, undefined, options);
  const status = statusOf(error);
  const fault = faultOf(status, message);
  if (fault !== undefined) return new RuntimeError(fault, message, undefined, options);
  // A proxy before the engine, or an engine that is starting or stopping.
  if (status === 502 || status === 503 || status === 504) {
    return new RuntimeError('Unavailable', message, undefined, options);
  }
  return new RuntimeError('Failed', message, undefined, options);
}

/** Faults that the engine names in words rather than in its status. */
function faultOf(status: number | undefined, message: string): RuntimeFault | undefined {
  if (/no such image/i.test(message)) return 'ImageNotPresent';
  // A sandbox that a container should join is looked for late, and its absence is no 404 then.
  if (status === 404 || (status !== undefined && /no such container/i.test(message))) return 'NotFound';
  return INVALID_REFERENCE.test(message) ? 'InvalidImageName' : undefined;
}

/** A refused creation: bad options, bad mounts, too little memory. */
export function creationFailure(error: unknown): unknown {
  if (!(error instanceof RuntimeError) || error.fault !== 'Failed') return error;
  return new RuntimeError('CreateFailed', error.message, undefined, { cause: error.cause });
}

const PORT_TAKEN = /port is already allocated|address already in use|failed to bind host port|ports are not available/i;

/** A refused start of a sandbox: somebody else has the port, or the engine could not do it. */
export function sandboxStartFailure(error: unknown): unknown {
  if (!(error instanceof RuntimeError) || error.fault !== 'Failed' || !PORT_TAKEN.test(error.message)) return error;
  return new RuntimeError('PortTaken', error.message, undefined, { cause: error.cause });
}

/**
 * A refused start of an app container. The engine records it as exit code 126 (not executable), 127 (no such file) or 128
 * (anything else of the process: user, working directory). `409` speaks of the sandbox, not of the process.
 */
export function containerStartFailure(error: unknown, recordedExitCode: number | undefined): unknown {
  if (!(error instanceof RuntimeError)) return error;
  const status = statusOf(error);
  const aboutTheProcess = error.fault === 'Failed' && status !== undefined && status !== 409;
  if (!aboutTheProcess || !recordedExitCode) return error;
  return new RuntimeError('StartFailed', error.message, recordedExitCode, { cause: error.cause });
}

/** A refused pull: what the registry says is the reason, also that it has no such image. */
export function pullFailure(error: unknown): unknown {
  if (!(error instanceof RuntimeError) || (error.fault !== 'Failed' && error.fault !== 'NotFound')) return error;
  return new RuntimeError('PullFailed', error.message, undefined, { cause: error.cause });
}

/** The engine has mislaid the cluster's network, or two executors have just made it twice. */
export function isNetworkAmiss(error: unknown): boolean {
  return (
    error instanceof RuntimeError && /network \S+ (not found|is ambiguous)|could not find network/i.test(error.message)
  );
}
