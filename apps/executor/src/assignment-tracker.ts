import type { Revision } from '#domain';
import type { Assignment } from '#bus';

/** What a node has seen so far. Kept across restarts. */
export interface SeenState {
  readonly cluster: string;
  /** Highest assignment revision taken. */
  readonly revision: Revision;
}

/** What is to be made of an assignment. */
export type Verdict =
  | 'apply'
  /** Seen before. */
  | 'old'
  /** Something between was lost: a full one is needed. */
  | 'gap'
  /** From another cluster: nothing of it may be done. */
  | 'foreign'
  /** A full one from before what was seen: whoever sent it has lost part of the log, or lags. Nothing of it may be done. */
  | 'behind'
  /** For another node, or an epoch that is over. */
  | 'stale';

/** Which assignments count (DESIGN section 3): they build on each other without a gap, in one cluster, never backwards. */
export class AssignmentTracker {
  /** Whether a full assignment was taken since the last {@link reset}: deltas build on nothing else. */
  private hasFull = false;

  constructor(
    private readonly node: string,
    private seen: SeenState | undefined,
  ) {}

  get state(): SeenState | undefined {
    return this.seen;
  }

  /** Deltas may have been missed: the next one counts only after a full assignment. */
  reset(): void {
    this.hasFull = false;
  }

  /** `asked`: the answer to a request of ours, which carries the epoch the control plane knows. */
  judge(assignment: Assignment, epoch: number, asked: boolean): Verdict {
    if (assignment.node !== this.node) return 'stale';
    if (this.seen && assignment.cluster !== this.seen.cluster) return 'foreign';
    if (!asked && assignment.nodeEpoch !== epoch) return 'stale';
    const revision = this.seen?.revision ?? 0;
    if (assignment.kind === 'full') return assignment.revision < revision ? 'behind' : 'apply';
    if (this.hasFull && assignment.revision <= revision) return 'old';
    return this.hasFull && assignment.prev === revision ? 'apply' : 'gap';
  }

  /** An assignment was taken. */
  take(assignment: Assignment): void {
    this.hasFull ||= assignment.kind === 'full';
    this.seen = { cluster: assignment.cluster, revision: assignment.revision };
  }

  /** True when the control plane has something newer than what was taken. */
  isBehind(revision: Revision): boolean {
    return !this.hasFull || revision > (this.seen?.revision ?? 0);
  }
}
