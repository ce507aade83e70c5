import type { Millis } from '../event.js';
import type { PodState } from '../pod/pod.js';
import type { JobState } from '../workload/workload.js';
import { matchFailurePolicy, type MatchedRule } from './failure-policy.js';
import type { CountedPod, TrackedPod } from './job.js';

/** Annotation and label that carry a pod's completion index. */
export const COMPLETION_INDEX = 'batch.kubernetes.io/job-completion-index';

/** A pod's completion index; `undefined` when it carries none. */
export function completionIndexOf({
  meta,
}: {
  readonly meta: Pick<PodState['meta'], 'annotations'>;
}): number | undefined {
  const text = meta.annotations[COMPLETION_INDEX];
  return text !== undefined && /^(0|[1-9]\d{0,8})$/.test(text) ? Number(text) : undefined;
}

export const isIndexed = ({ spec }: Pick<JobState, 'spec'>): boolean => spec.completionMode === 'Indexed';

/** The end of a tracked pod, ready to be counted, with the rule that made it more than a failure. */
export interface PodEnd {
  readonly counted: CountedPod;
  readonly matched?: MatchedRule;
}

/**
 * How a tracked pod has ended, as far as that can be told: `undefined` while it goes on. `pod` is the live pod, or, when it is
 * `gone`, what it was last; absent when not even that is known. A pod that is told to go counts as failed at once, unless the
 * job replaces only what has failed. Source: kube-controller-manager, `isPodFailed`.
 */
export function endOf(
  job: JobState,
  uid: string,
  { name, index }: TrackedPod,
  { pod, gone, now }: { readonly pod?: PodState; readonly gone: boolean; readonly now: Millis },
): PodEnd | undefined {
  const at = pod?.terminated?.at ?? pod?.meta.deletion?.requestedAt ?? now;
  const head = { uid, name, ...(index !== undefined && { index }), at };
  if (pod?.terminated?.phase === 'Succeeded') return { counted: { ...head, as: 'Succeeded' } };
  const failed =
    gone ||
    pod?.terminated !== undefined ||
    (pod?.meta.deletion !== undefined && job.spec.podReplacementPolicy !== 'Failed');
  return failed ? failureOf(job, head, pod) : undefined;
}

/** Counts a pod as failed, by the rules of the job's failure policy. */
export function failureOf(
  { spec }: JobState,
  head: Pick<CountedPod, 'uid' | 'name' | 'index' | 'at'>,
  pod: PodState | undefined,
): PodEnd {
  const matched = pod && matchFailurePolicy(spec.podFailurePolicy, pod);
  const counted: CountedPod = {
    ...head,
    as: matched?.action === 'Ignore' ? 'Ignored' : 'Failed',
    ...(matched?.action === 'FailIndex' && { failsIndex: true }),
  };
  return { counted, ...(matched && { matched }) };
}
