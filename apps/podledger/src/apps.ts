import { startApi } from '../../api/src/api.js';
import { startExecutor } from '../../executor/src/start-executor.js';
import { startScheduler } from '../../scheduler/src/start-scheduler.js';
import type { Apps } from './assembly.js';

/** Told by parts that go on: standard error, which is nobody's data. */
const reportOf =
  (part: string) =>
  (problem: string, cause?: unknown): void =>
    console.error(
      `${part}: ${problem}${cause === undefined ? '' : `: ${cause instanceof Error ? cause.message : String(cause)}`}`,
    );

/** The three apps, connected to the servers they stand on. */
export const apps: Apps = {
  startApi: (config) => startApi({ ...config, report: reportOf('API') }),
  startScheduler: (config) => startScheduler({ ...config, report: reportOf('scheduler') }),
  startExecutor: (config) => startExecutor({ ...config, report: reportOf(`executor ${config.nodeName}`) }),
};
