import { type Clock, LogUnavailable } from '#domain';

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 2_000;

/** Asks the log again until it answers; `undefined` when the signal aborts first. Throws anything but `LogUnavailable`. */
export async function untilAvailable<T>(
  clock: Clock,
  signal: AbortSignal,
  ask: () => Promise<T>,
): Promise<T | undefined> {
  for (let retryMs = FIRST_RETRY_MS; !signal.aborted; retryMs = Math.min(2 * retryMs, LAST_RETRY_MS)) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof LogUnavailable)) throw error;
      await clock.sleep(retryMs, signal);
    }
  }
  return undefined;
}
