import { sameJson } from '../meta/changes.js';
import type { PodTemplate } from '../workload/pod-template.js';
import type { ReplicaSetState, WorkloadState } from '../workload/workload.js';

type Deployment = WorkloadState<'Deployment'>;

/** Label of a deployment's replica sets and pods: which template they are of. */
export const POD_TEMPLATE_HASH = 'pod-template-hash';
/** Annotation: the number of a rollout, counted from 1. */
export const REVISION = 'deployment.kubernetes.io/revision';
/** Annotation of a replica set: the numbers it had before, when it was rolled back to. */
export const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history';
/** Characters. Source: kube-controller-manager, `maxRevHistoryLengthInChars`. */
const LONGEST_HISTORY = 2_000;

/** Whether a replica set is of this template, whatever hash it carries. */
export function isOfTemplate(set: ReplicaSetState, template: PodTemplate): boolean {
  return sameJson(withoutHash(set.spec.template), withoutHash(template));
}

function withoutHash(template: PodTemplate): PodTemplate {
  const { [POD_TEMPLATE_HASH]: _, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}

/** The replica set of the deployment's template, and all others. Of several the oldest counts, so that the choice stays. */
export function sortRevisions(
  { spec }: Deployment,
  sets: readonly ReplicaSetState[],
): { readonly newest?: ReplicaSetState; readonly old: readonly ReplicaSetState[] } {
  const byAge = [...sets].sort((a, b) => a.meta.createdAt - b.meta.createdAt || (a.meta.name < b.meta.name ? -1 : 1));
  const newest = byAge.find((set) => isOfTemplate(set, spec.template));
  return { ...(newest && { newest }), old: byAge.filter((set) => set !== newest) };
}

export const revisionOf = ({ meta }: Pick<ReplicaSetState, 'meta'>): number => {
  const text = meta.annotations[REVISION];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : 0;
};

/** What a deployment keeps to itself; everything else of its annotations its replica sets show too. */
const OWN_ANNOTATIONS: ReadonlySet<string> = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  REVISION,
  REVISION_HISTORY,
  'deployment.kubernetes.io/desired-replicas',
  'deployment.kubernetes.io/max-replicas',
  'deprecated.deployment.rollback.to',
]);

/**
 * Annotations of the newest replica set: the deployment's, and its revision, which is one more than that of every other set.
 * Source: kube-controller-manager, `SetNewReplicaSetAnnotations`.
 */
export function annotationsOfNewest(
  deployment: Deployment,
  newest: Pick<ReplicaSetState, 'meta'> | undefined,
  old: readonly ReplicaSetState[],
): Readonly<Record<string, string>> {
  const copied = Object.entries(deployment.meta.annotations).filter(([key]) => !OWN_ANNOTATIONS.has(key));
  const before = newest?.meta.annotations ?? {};
  const annotations: Record<string, string> = { ...before, ...Object.fromEntries(copied) };
  const revision = 1 + Math.max(0, ...old.map(revisionOf));
  const known = newest ? revisionOf(newest) : 0;
  if (known >= revision) return annotations;
  annotations[REVISION] = String(revision);
  if (known > 0) annotations[REVISION_HISTORY] = historyWith(before[REVISION_HISTORY], known);
  return annotations;
}

/** The oldest numbers go where the list would grow too long. */
function historyWith(history: string | undefined, revision: number): string {
  const numbers = [...(history ? history.split(',') : []), String(revision)];
  while (numbers.join(',').length > LONGEST_HISTORY) numbers.shift();
  return numbers.join(',');
}
