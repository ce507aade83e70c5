import type { JsonObject } from '../json.js';
import { sameJson } from '../meta/changes.js';
import { streamOfKind } from '../meta/kinds.js';
import type { PlainState } from '../plain/plain-object.js';
import type { PodState } from '../pod/pod.js';
import { type ClusterView, controllerReference, isControlledBy, type WorkloadStep } from '../workload/rules.js';
import { templateHash } from '../workload/template-hash.js';
import type { WorkloadState } from '../workload/workload.js';
import { CONTROLLER_REVISION_HASH } from './update.js';

type DaemonSet = WorkloadState<'DaemonSet'>;
type ControllerRevision = PlainState<'ControllerRevision'>;

/** A daemon set's templates as `kubectl rollout history` and `undo` know them. */
export interface History {
  /** Which template new pods are of. */
  readonly hash: string;
  readonly steps: readonly WorkloadStep[];
  /** The name of the new revision is taken by another: the hash is to be drawn again. */
  readonly collided: boolean;
}

const numberOf = ({ body }: ControllerRevision): number =>
  typeof body['revision'] === 'number' ? body['revision'] : 0;
const hashOf = ({ meta }: Pick<ControllerRevision, 'meta'>): string => meta.labels[CONTROLLER_REVISION_HASH] ?? '';

/** What a revision holds: a patch that brings its template back. Source: kube-controller-manager, daemon `getPatch`. */
const patchOf = ({ spec }: DaemonSet): JsonObject => ({ spec: { template: { ...spec.template, $patch: 'replace' } } });

/**
 * The revision of the set's template, made if there is none, with the highest number; and the old ones that no pod is of, as many
 * as are beyond `revisionHistoryLimit`, taken away. Source: kube-controller-manager, daemon `constructHistory` and
 * `cleanupHistory`.
 */
export function historyOf(set: DaemonSet, pods: readonly PodState[], cluster: ClusterView, manager: string): History {
  const revisions = cluster
    .dependentsOf(set.meta.uid)
    .filter((object): object is ControllerRevision => object.kind === 'ControllerRevision')
    .filter((revision) => isControlledBy(revision, set) && !revision.meta.deletion)
    .sort((a, b) => numberOf(a) - numberOf(b) || (a.meta.name < b.meta.name ? -1 : 1));
  const patch = patchOf(set);
  const current = revisions.findLast(({ body }) => sameJson(body['data'], patch));
  const newest = Math.max(0, ...revisions.filter((one) => one !== current).map(numberOf)) + 1;
  if (!current) return created(set, newest, patch, cluster, manager);
  const renumber: WorkloadStep[] =
    numberOf(current) >= newest
      ? []
      : [{ type: 'Edit', object: current, desired: { spec: { ...current.body, revision: newest } } }];
  const live = new Set(pods.map(hashOf));
  const old = revisions.filter((one) => one !== current && !live.has(hashOf(one)));
  const surplus = old.slice(0, Math.max(0, old.length - (set.spec.revisionHistoryLimit ?? old.length)));
  const removals = surplus.map((object): WorkloadStep => ({
    type: 'Delete',
    object,
    reason: 'ScaledDown',
    propagation: 'Background',
  }));
  return { hash: hashOf(current), steps: [...renumber, ...removals], collided: false };
}

function created(set: DaemonSet, revision: number, data: JsonObject, cluster: ClusterView, manager: string): History {
  const hash = templateHash(set.spec.template, set.status.collisionCount);
  const name = `${set.meta.name}-${hash}`;
  if (cluster.get(streamOfKind('ControllerRevision', set.meta.namespace, name))) {
    return { hash, steps: [], collided: true };
  }
  const step: WorkloadStep = {
    type: 'Create',
    kind: 'ControllerRevision',
    name,
    meta: {
      labels: { ...set.spec.template.metadata?.labels, [CONTROLLER_REVISION_HASH]: hash },
      annotations: set.meta.annotations,
      ownerReferences: [controllerReference(set)],
      finalizers: [],
      fieldManager: manager,
      managedFields: [],
    },
    spec: { data, revision },
  };
  return { hash, steps: [step], collided: false };
}
