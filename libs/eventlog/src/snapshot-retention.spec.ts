import { describe, expect, it } from '@jest/globals';
import { snapshotsToKeep } from './snapshot-retention.js';

describe('keeping snapshots', () => {
  it('keeps few, whatever the age of the log, and always the newest', () => {
    let kept: number[] = [];
    for (let revision = 10_000; revision <= 10_000_000; revision += 10_000) {
      kept = [...snapshotsToKeep([...kept, revision])];
      expect(kept).toContain(revision);
      expect(kept.length).toBeLessThanOrEqual(24);
    }
    expect(kept.length).toBeGreaterThanOrEqual(8);
  });

  it('leaves one near every age: replaying to a point costs no more than the age of that point, times four', () => {
    let kept: number[] = [];
    for (let revision = 1; revision <= 4_096; revision += 1) kept = [...snapshotsToKeep([...kept, revision])];
    for (let wanted = 2_048; wanted <= 4_096; wanted += 1) {
      const nearest = Math.max(...kept.filter((revision) => revision <= wanted));
      expect(wanted - nearest).toBeLessThanOrEqual(4 * (4_096 - wanted + 1));
    }
  });
});
