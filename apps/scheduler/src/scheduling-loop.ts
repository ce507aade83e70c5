import {
  awaitsPlacement,
  type ClusterState,
  decidePod,
  type Millis,
  nodeStream,
  type ObjectChange,
  type Placement,
  plan,
  type PodState,
  type Refusal,
  refusalDueAt,
  SchedulingSnapshot,
} from '#domain';
import { podAt, streamOfObject } from './objects.js';
import type { Controller } from './reconcile-loop.js';
import { settleAll } from './settle-all.js';
import { type Cause, footingOf, type Outcome } from './term.js';
import type { Workplace } from './workplace.js';

/** Placements of one pass: enough to fill several of the log's batches, few enough that a new pod does not wait for long. */
const MAX_PLACEMENTS = 1_000;

/** There is one queue, so there is one key. */
const QUEUE = 'queue';

/**
 * Places pods: what changes in the cluster wakes it, what comes in quick succession is planned together, and each placement
 * is recorded by a command of its own, so that a conflict holds up nobody else. A pass plans on what the log holds: it
 * begins when everything the pass before it recorded has come back.
 */
export class SchedulingLoop implements Controller {
  readonly name = 'scheduling';
  #snapshot = new SchedulingSnapshot();
  #batch = 0;
  /** What made each waiting pod wait. */
  readonly #causes = new Map<string, Cause>();

  constructor(private readonly workplace: Workplace) {}

  all(state: ClusterState): Iterable<string> {
    this.#snapshot = SchedulingSnapshot.of(state);
    return [QUEUE];
  }

  concerned(change: ObjectChange): Iterable<string> {
    const { kind, before, after, event } = change;
    if (kind !== 'Pod' && kind !== 'Node') return [];
    if (before?.kind === 'Pod' && after?.kind !== 'Pod') this.#causes.delete(before.meta.uid);
    if (after?.kind === 'Pod') {
      if (!awaitsPlacement(after)) this.#causes.delete(after.meta.uid);
      else if (!before) this.#causes.set(after.meta.uid, event);
    }
    return this.#snapshot.apply(change) ? [QUEUE] : [];
  }

  async reconcile(_key: string, cause: Cause | undefined): Promise<Millis | undefined> {
    const { projection, clock } = this.workplace;
    const { state } = projection;
    const snapshot = this.#snapshot;
    const now = clock.now();
    snapshot.advanceTo(state.revision);
    const waiting = [...snapshot.pending()];
    if (waiting.length === 0) return undefined;
    this.#batch += 1;
    const decided = plan(snapshot, waiting, { now, batch: this.#batch, maxPlacements: MAX_PLACEMENTS });
    const refusals = decided.refusals.map((refusal) => ({
      refusal,
      dueAt: refusalDueAt(refusal.pod.unschedulable, refusal.message, refusal.record),
    }));
    const due = refusals.filter(({ dueAt }) => dueAt <= now);
    const outcomes = await settleAll([
      ...decided.placements.map((placement) => this.#place(state, placement, cause)),
      ...due.map(({ refusal }) => this.#refuse(state, refusal, cause)),
    ]);
    if (decided.more || outcomes.includes('moved')) return now;
    const later = refusals.filter(({ dueAt }) => dueAt > now).map(({ dueAt }) => dueAt);
    return later.length > 0 ? Math.min(...later) : undefined;
  }

  /** Recorded only while pod and node are as the plan saw them. The id is the pod's: a uid is bound once, whoever repeats it. */
  #place(state: ClusterState, { pod, node, record }: Placement, cause: Cause | undefined): Promise<Outcome> {
    const stream = streamOfObject(pod);
    const { uid } = pod.meta;
    const by = 'scheduler';
    return this.workplace.term.execute({
      commandId: `place/${uid}`,
      ...this.#caused(pod, cause),
      footing: footingOf(state, [stream, nodeStream(node)]),
      decide: (current) => [
        { stream, events: decidePod({ type: 'SchedulePod', uid, node, by, record }, podAt(current, stream)) },
      ],
    });
  }

  #refuse(state: ClusterState, { pod, message, record }: Refusal, cause: Cause | undefined): Promise<Outcome> {
    const stream = streamOfObject(pod);
    const command = { type: 'RecordUnschedulable', uid: pod.meta.uid, message, record, now: record.now } as const;
    return this.workplace.term.execute({
      ...this.#caused(pod, cause),
      footing: footingOf(state, [stream]),
      decide: (current) => [{ stream, events: decidePod(command, podAt(current, stream)) }],
    });
  }

  /** A pod's first decision follows from its request, a later one from what woke the scheduler; the request is carried along. */
  #caused(pod: PodState, cause: Cause | undefined): { cause?: Cause } {
    const request = this.#causes.get(pod.meta.uid);
    if (!request) return cause ? { cause } : {};
    const id = pod.unschedulable && cause ? cause.id : request.id;
    return { cause: { id, correlationId: request.correlationId } };
  }
}
