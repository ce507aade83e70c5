import type { Clock, IdSource } from '#domain';
import type { ClusterProjection } from '#eventlog';
import type { Term } from './term.js';

/** What every controller works with during a term. */
export interface Workplace {
  readonly projection: ClusterProjection;
  readonly term: Term;
  readonly clock: Clock;
  readonly ids: IdSource;
}
