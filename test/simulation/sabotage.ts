import type { Clock, EventLog, IdSource } from '#domain';
import type { LogState } from '#eventlog';
import type { ContainerRuntime } from '../../apps/executor/src/runtime/container-runtime.js';

/** Where a mutation test puts a planted bug: around a port, never inside the program. */
export interface Sabotage {
  readonly logState?: (clock: Clock, ids: IdSource) => LogState;
  readonly log?: (log: EventLog) => EventLog;
  readonly runtime?: (runtime: ContainerRuntime) => ContainerRuntime;
}
