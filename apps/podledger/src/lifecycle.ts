import { PartEnded, Stopping } from './parts.js';

/** A command that runs until it is told to stop. */
export interface Service {
  /** Brings it up; throws when it cannot. */
  readonly start: () => Promise<void>;
  /** Ends it in good order, also in the middle of its start. */
  readonly stop: () => Promise<void>;
  /** Ends at once whatever would outlive this process. */
  readonly abandon: () => void;
}

const parentCheckMs = 250;
const traceOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));
/** As a shell says that a program ended by SIGINT. */
const interruptedCode = 130;

/**
 * Runs a service as this process: a first SIGINT, SIGTERM or SIGHUP stops it in good order, a second at once. An error nobody
 * caught stops it too, since nothing is known of the state it left behind. So does the end of the npm that started us: only
 * a killed npm goes without a word, and nobody would own this process any more. Resolves to the exit code.
 */
export async function runUntilStopped(service: Service, report: (text: string) => void): Promise<number> {
  let exitCode = 0;
  let stopping: Promise<void> | undefined;
  const stop = (why: string | undefined, code: number): void => {
    if (stopping) return;
    if (why) report(why);
    exitCode = code;
    stopping = service.stop();
    resolveStopped(stopping);
  };
  let resolveStopped: (done: Promise<void>) => void = () => undefined;
  const stopped = new Promise<void>((resolve) => (resolveStopped = resolve));

  const onSignal = (signal: NodeJS.Signals): void => {
    if (stopping) {
      report('stopping at once');
      service.abandon();
      process.exit(interruptedCode);
    }
    stop(`${signal}: stopping; pods go on (again to stop at once)`, 0);
  };
  const onError = (error: unknown): void => {
    stop(error instanceof PartEnded ? `${error.message}; stopping` : `a fault, stopping: ${traceOf(error)}`, 1);
    if (error instanceof PartEnded && error.cause !== undefined) report(traceOf(error.cause));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  process.on('uncaughtException', onError);
  process.on('unhandledRejection', onError);
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.env.npm_lifecycle_event && process.ppid !== parent) stop('npm is gone: stopping; pods go on', 0);
  }, parentCheckMs);

  try {
    await service.start();
  } catch (error) {
    if (!(error instanceof Stopping && stopping)) {
      report(error instanceof Error ? error.message : String(error));
      stop(undefined, 1);
    }
  }
  await stopped;
  clearInterval(watch);
  return exitCode;
}
