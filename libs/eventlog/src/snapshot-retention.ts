import type { Revision } from '#domain';

/**
 * Which of a projection's snapshots are kept: one per doubling of the distance to the newest. A cold start reads the newest;
 * the API at an instant long ago finds one that halves its replay, and n events of history cost log2(n) snapshots.
 */
export function snapshotsToKeep(revisions: readonly Revision[]): Set<Revision> {
  const newest = Math.max(...revisions);
  const oldestOfBucket = new Map<number, Revision>();
  for (const revision of revisions) {
    const bucket = Math.floor(Math.log2(newest - revision + 1));
    oldestOfBucket.set(bucket, Math.min(revision, oldestOfBucket.get(bucket) ?? revision));
  }
  return new Set(oldestOfBucket.values());
}
