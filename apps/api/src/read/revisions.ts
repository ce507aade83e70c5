import type { Revision } from '#domain';
import type { ClusterProjection } from '#eventlog';
import { badRequest, revisionTooLarge } from '../status-error.js';

/** How long a read waits for a revision, as Kubernetes does, in milliseconds. */
export const freshnessTimeoutMs = 3_000;

/** A client's resourceVersion as a revision: decimal digits only. Throws 400 on anything else; `undefined` when unset. */
export function parseRevision(text: string | undefined): Revision | undefined {
  if (text === undefined || text === '') return undefined;
  const revision = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(revision))
    throw badRequest(`Invalid value: ${JSON.stringify(text)}: invalid resource version`);
  return revision;
}

/** Waits until the projection has everything the log had when asked. Throws `LogUnavailable`. */
export const untilLatest = (projection: ClusterProjection): Promise<Revision> => projection.catchUp(freshnessTimeoutMs);

/** Waits until the projection has reached a revision; 504 after 3 s, as of a revision from the future. */
export async function untilReached(projection: ClusterProjection, revision: Revision): Promise<void> {
  if (projection.revision >= revision) return;
  if (!(await projection.waitFor(revision, freshnessTimeoutMs))) throw revisionTooLarge(revision, projection.revision);
}
