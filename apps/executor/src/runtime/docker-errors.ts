import { RuntimeError } from './container-runtime.js';

/** What dockerode rejects with when the engine answered with an error status. */
interface EngineError extends Error {
  readonly statusCode: number;
  readonly json?: unknown;
}

function isEngineError(error: unknown): error is EngineError {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number';
}

/** The HTTP status that an error came with, also when it has been translated already. */
export function statusOf(error: unknown): number | undefined {
  if (isEngineError(error)) return error.statusCode;
  return error instanceof Error && isEngineError(error.cause) ? error.cause.statusCode : undefined;
}

/** The engine's own words, without dockerode's `(HTTP code 404) no such container - ` in front. */
function engineMessage(error: unknown): string {
  if (isEngineError(error) && typeof error.json === 'object' && error.json !== null && 'message' in error.json) {
    return String(error.json.message).trim();
  }
  const message = error instanceof Error ? error.message : String(error);
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
  if (!(error instanceof Error) || isEngineError(error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  return BROKEN_CONNECTION.has(code) || error.message === 'aborted' || error.message === 'socket hang up';
}

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
  if (status === 404) {
    const fault = /no such image/i.test(message) ? 'ImageNotPresent' : 'NotFound';
    return new RuntimeError(fault, message, undefined, options);
  }
  // A proxy before the engine, or an engine that is starting or stopping.
  if (status === 502 || status === 503 || status === 504) {
    return new RuntimeError('Unavailable', message, undefined, options);
  }
  return new RuntimeError('Failed', message, undefined, options);
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

const INVALID_REFERENCE =
  /invalid reference format|repository name must be|invalid repository name|invalid tag format/i;

/** A refused pull. What the registry says is the reason; only a name that can never be pulled is apart. */
export function pullFailure(error: unknown): unknown {
  if (!(error instanceof RuntimeError)) return error;
  if (error.fault === 'Unavailable' || error.fault === 'DeadlineExceeded') return error;
  const fault = INVALID_REFERENCE.test(error.message) ? 'InvalidImageName' : 'PullFailed';
  return new RuntimeError(fault, error.message, undefined, { cause: error.cause });
}

/** The engine has mislaid the cluster's network, or two executors have just made it twice. */
export function isNetworkAmiss(error: unknown): boolean {
  return (
    error instanceof RuntimeError && /network \S+ (not found|is ambiguous)|could not find network/i.test(error.message)
  );
}
