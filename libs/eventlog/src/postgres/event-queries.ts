import { EVENT_COLUMNS } from '../event-codec.js';

/** A query of the hot path: prepared once per connection under its name. */
export interface NamedQuery {
  readonly name: string;
  readonly text: string;
}

/** Events after a revision ($1), at most $2. The primary key of each partition gives the order; the limit ends the scan. */
export const readAfterQuery = (schema: string): NamedQuery => ({
  name: 'read_after',
  text: `select ${EVENT_COLUMNS} from ${schema}.events where revision > $1 order by revision limit $2`,
});

/** Events of a stream ($1) after a version ($2). */
export const readStreamQuery = (schema: string): NamedQuery => ({
  name: 'read_stream',
  text: `select ${EVENT_COLUMNS} from ${schema}.events where stream_id = $1 and version > $2 order by version`,
});

export const headQuery = (schema: string): NamedQuery => ({
  name: 'head',
  text: `select last_revision from ${schema}.log_head where only_row`,
});
