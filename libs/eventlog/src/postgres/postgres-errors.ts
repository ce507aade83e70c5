import pg from 'pg';
import { BrokenInvariant, LogUnavailable } from '#domain';

/**
 * SQLSTATE classes and codes that pass by themselves: connection lost, server stopping, starting or out of resources, a
 * deadlock or timeout, a standby that was not promoted yet. https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const TEMPORARY = [/^08/, /^53/, /^57P0[1235]$/, /^57014$/, /^58/, /^40/, /^55P03$/, /^25006$/];

/** What `pg` says without a code when a connection ends or does not answer in time. */
const LOST_CONNECTION = /connection|timeout|terminated|socket|not queryable/i;

/** TypeORM wraps what the driver threw. */
function driverErrorOf(error: unknown): unknown {
  return error instanceof Error && 'driverError' in error ? error.driverError : error;
}

function isTemporary(error: unknown): boolean {
  if (error instanceof pg.DatabaseError)
    return TEMPORARY.some((pattern) => error.code !== undefined && pattern.test(error.code));
  if (error instanceof BrokenInvariant || !(error instanceof Error)) return false;
  // Node's network errors carry a code such as ECONNREFUSED; several addresses tried in vain make an AggregateError.
  const code = 'code' in error ? error.code : undefined;
  return (typeof code === 'string' && /^E[A-Z]+$/.test(code)) || LOST_CONNECTION.test(error.message);
}

/** Classes of errors that the data of a statement is to blame for: it does not convert, breaks a constraint, exceeds a limit. */
const FAULTS_OF_DATA = [/^22/, /^23/, /^54/];

/** Whether a statement was refused for what it contained, so that the same statement without it may pass. */
export function isFaultOfData(error: unknown): error is pg.DatabaseError {
  return error instanceof pg.DatabaseError && FAULTS_OF_DATA.some((pattern) => pattern.test(error.code ?? ''));
}

/** Errors of the driver, once, at the edge: what passes by itself is a `LogUnavailable`, everything else stays as it is. */
export function translateError(error: unknown): unknown {
  const cause = driverErrorOf(error);
  if (error instanceof LogUnavailable || !isTemporary(cause)) return error;
  const reason = cause instanceof Error && cause.message !== '' ? cause.message : 'the database does not answer';
  return new LogUnavailable(`the log cannot be reached: ${reason}`, { cause });
}

/** Runs a call to the database, its errors translated. */
export async function reachingTheLog<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw translateError(error);
  }
}
