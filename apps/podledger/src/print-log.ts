import { type Recorded, rfc3339 } from '#domain';
import { PostgresEventLog } from '#eventlog';
import { SystemClock, SystemIds } from '#system';

export interface LogQuery {
  /** `postgres://` address of the role that may read. */
  readonly databaseUrl: string;
  /** Only this stream, as `core/pods/shop/web`. */
  readonly stream?: string;
  /** Events after this revision. */
  readonly after: number;
  readonly json: boolean;
}

const PAGE = 500;

/** Writes the log, oldest first, one event a line, from a revision to the head of that moment. */
export async function printLog(
  { databaseUrl, stream, after, json }: LogQuery,
  write: (line: string) => Promise<void>,
): Promise<void> {
  const log = new PostgresEventLog({ url: databaseUrl, clock: new SystemClock(), ids: new SystemIds() });
  const show = (event: Recorded): Promise<void> => write(json ? JSON.stringify(event) : lineOf(event));
  try {
    if (stream !== undefined) {
      for (const event of await log.readStream(stream)) if (event.revision > after) await show(event);
      return;
    }
    const head = await log.head();
    for (let at = after; at < head;) {
      const page = await log.readAfter(at, Math.min(PAGE, head - at));
      for (const event of page) await show(event);
      at = page.at(-1)?.revision ?? head;
    }
  } finally {
    await log.close();
  }
}

/** What, to whom, at whose wish: the data in as much room as is left. */
function lineOf({ revision, time, type, stream, actor, data }: Recorded): string {
  const who = `${actor.kind}/${actor.name}`;
  const details = JSON.stringify(data);
  const head = `${String(revision).padStart(6)}  ${rfc3339(time)}  ${type.padEnd(24)}  ${stream}  by ${who}`;
  return `${head}  ${details.length > 120 ? `${details.slice(0, 117)}...` : details}`;
}
