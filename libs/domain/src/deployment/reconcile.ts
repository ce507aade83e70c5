import type { Millis } from '../event.js';
import type { PodState } from '../pod/pod.js';
import { sameJson } from '../meta/changes.js';
import { streamOfKind } from '../meta/kinds.js';
import { isActivePod, isAvailable } from '../workload/pod-counts.js';
import {
  claim,
  type ClusterView,
  controllerReference,
  isControlledBy,
  ownershipSteps,
  type Surroundings,
  type WorkloadPlan,
  type WorkloadStep,
} from '../workload/rules.js';
import { templateHash } from '../workload/template-hash.js';
import type { ReplicaSetState, WorkloadState } from '../workload/workload.js';
import {
  annotationsOfNewest,
  isOfTemplate,
  POD_TEMPLATE_HASH,
  REVISION,
  revisionOf,
  sortRevisions,
} from './revisions.js';
import {
  DESIRED_REPLICAS,
  desiredReplicasOf,
  fencepostsOf,
  MAX_REPLICAS,
  newReplicas,
  proportionalSizes,
  rollingStep,
  type Sized,
  type Sizes,
} from './rolling.js';
import { isComplete, statusOf, type StatusInput } from './status.js';

type Deployment = WorkloadState<'Deployment'>;
type Plan = WorkloadPlan<'Deployment'>;

export const DEPLOYMENT_MANAGER = 'podledger-deployment-controller';

/** A deployment with its replica sets by revision. */
interface Rollout {
  readonly deployment: Deployment;
  readonly newest?: ReplicaSetState;
  readonly old: readonly ReplicaSetState[];
  readonly cluster: ClusterView;
  readonly now: Millis;
}

/**
 * The next step towards what a deployment asks for: one size, one creation or one clean-up at a time, each seen before the next is
 * decided. What is available is counted from the pods themselves, not from what replica sets last said. Source:
 * kube-controller-manager, `syncDeployment`.
 */
export function reconcileDeployment(deployment: Deployment, { children, cluster, now }: Surroundings): Plan {
  const sets = children.filter((child): child is ReplicaSetState => child.kind === 'ReplicaSet');
  const { owned, adopt, release } = claim(deployment, deployment.spec.selector, sets);
  if (adopt.length + release.length > 0) return { steps: ownershipSteps(deployment, { adopt, release }) };
  const rollout = { deployment, ...sortRevisions(deployment, owned), cluster, now };
  if (deployment.meta.deletion) return told(rollout, []);
  const { newest } = rollout;
  if (newest && revisionOf(newest) > 0 && deployment.meta.annotations[REVISION] !== newest.meta.annotations[REVISION])
    return { steps: [noteRevision(deployment, newest)] };
  if (deployment.spec.paused || isScaled(rollout)) return scalePlan(rollout);
  return deployment.spec.strategy?.type === 'Recreate' ? recreatePlan(rollout) : rollingPlan(rollout);
}

function told(rollout: Rollout, steps: readonly WorkloadStep[], more: Partial<StatusInput> = {}): Plan {
  const { deployment, newest, old, now } = rollout;
  const { status, again } = statusOf(deployment, { ...(newest && { newest }), old, now, ...more });
  return { steps, status, ...(again !== undefined && { again }) };
}

const noteRevision = (deployment: Deployment, newest: ReplicaSetState): WorkloadStep => ({
  type: 'Edit',
  object: deployment,
  desired: {
    annotations: { ...deployment.meta.annotations, [REVISION]: newest.meta.annotations[REVISION] ?? '1' },
  },
});

const active = (sets: readonly ReplicaSetState[]): readonly ReplicaSetState[] =>
  sets.filter(({ replicas }) => replicas > 0);

const all = ({ newest, old }: Pick<Rollout, 'newest' | 'old'>): readonly ReplicaSetState[] =>
  newest ? [...old, newest] : old;

const podsOf = (set: ReplicaSetState, cluster: ClusterView): PodState[] =>
  cluster
    .dependentsOf(set.meta.uid)
    .filter((object): object is PodState => object.kind === 'Pod')
    .filter((pod) => isControlledBy(pod, set));

function sized(set: ReplicaSetState, { cluster, now }: Rollout): Sized {
  const pods = podsOf(set, cluster).filter(isActivePod);
  const available = pods.filter((pod) => isAvailable(pod, set.spec.minReadySeconds, now)).length;
  return { set, replicas: set.replicas, available: Math.min(set.replicas, available) };
}

/** Whether `spec.replicas` is another than when replica sets were last sized. Source: `isScalingEvent`. */
function isScaled({ deployment, newest, old }: Rollout): boolean {
  return active(all({ ...(newest && { newest }), old })).some((set) => {
    const desired = desiredReplicasOf(set);
    return desired !== undefined && desired !== deployment.replicas;
  });
}

/** Sizes as edits, each with the notes of what it was sized for, and, of the newest set, what else it takes from the deployment. */
function resize(rollout: Rollout, sizes: Sizes): WorkloadStep[] {
  const { deployment, newest, old } = rollout;
  const notes = sizeNotes(deployment);
  return all(rollout).flatMap((set): WorkloadStep[] => {
    const replicas = sizes.get(set.meta.uid) ?? set.replicas;
    const isResized = sizes.has(set.meta.uid);
    const base = set === newest ? annotationsOfNewest(deployment, set, old) : set.meta.annotations;
    const annotations = isResized ? { ...base, ...notes } : base;
    const spec = set === newest ? { ...set.spec, minReadySeconds: deployment.spec.minReadySeconds ?? 0 } : set.spec;
    const isSame =
      replicas === set.replicas &&
      sameJson(annotations, set.meta.annotations) &&
      (spec.minReadySeconds ?? 0) === (set.spec.minReadySeconds ?? 0);
    if (isSame) return [];
    return [{ type: 'Edit', object: set, desired: { annotations, spec: { ...spec, replicas } } }];
  });
}

const sizeNotes = (deployment: Deployment): Readonly<Record<string, string>> => ({
  [DESIRED_REPLICAS]: String(deployment.replicas),
  [MAX_REPLICAS]: String(deployment.replicas + fencepostsOf(deployment).maxSurge),
});

/** `spec.replicas` changed, or it is paused: sizes only, no new revision. Source: `sync` and `scale`. */
function scalePlan(rollout: Rollout): Plan {
  const steps = resize(rollout, scaledSizes(rollout));
  const done = steps.length === 0 && rollout.deployment.spec.paused;
  return told(rollout, done ? cleanUp(rollout) : steps);
}

function scaledSizes(rollout: Rollout): Sizes {
  const { deployment, newest, old } = rollout;
  const living = active(all(rollout));
  const alone = living.length === 1 ? living[0] : living.length === 0 ? (newest ?? old.at(-1)) : undefined;
  if (alone) {
    const isSized = alone.replicas === deployment.replicas && desiredReplicasOf(alone) === deployment.replicas;
    return isSized ? new Map() : new Map([[alone.meta.uid, deployment.replicas]]);
  }
  if (newest && isSaturated(deployment, newest)) return new Map(active(old).map(({ meta }) => [meta.uid, 0]));
  if (deployment.spec.strategy?.type === 'Recreate') return new Map();
  return proportionalSizes(
    deployment,
    living.map((set) => sized(set, rollout)),
  );
}

/** Nothing but the newest set is needed. */
const isSaturated = ({ replicas }: Deployment, newest: ReplicaSetState): boolean =>
  newest.replicas === replicas &&
  desiredReplicasOf(newest) === replicas &&
  newest.status.availableReplicas === replicas;

function rollingPlan(rollout: Rollout): Plan {
  const { deployment, newest, old } = rollout;
  if (!newest) return create(rollout);
  const sizes = rollingStep(
    deployment,
    sized(newest, rollout),
    active(old).map((set) => sized(set, rollout)),
  );
  return settle(rollout, resize(rollout, sizes));
}

/** All old pods go before the first new one comes. Source: `rolloutRecreate`. */
function recreatePlan(rollout: Rollout): Plan {
  const { deployment, newest, old, cluster } = rollout;
  const living = active(old);
  if (living.length > 0) return told(rollout, resize(rollout, new Map(living.map(({ meta }) => [meta.uid, 0]))));
  // Also one that is being deleted holds what the new ones may need.
  const isRunning = old.some((set) => podsOf(set, cluster).some(({ terminated }) => terminated === undefined));
  if (isRunning) return told(rollout, []);
  if (!newest) return create(rollout);
  const isSized = newest.replicas === deployment.replicas;
  return settle(rollout, resize(rollout, isSized ? new Map() : new Map([[newest.meta.uid, deployment.replicas]])));
}

/** Steps while there are some; a rollout that is done leaves no more old sets than the history is to keep. */
function settle(rollout: Rollout, steps: readonly WorkloadStep[]): Plan {
  const plan = told(rollout, steps);
  if (steps.length > 0 || !plan.status || !isComplete(rollout.deployment, plan.status)) return plan;
  return { ...plan, steps: cleanUp(rollout) };
}

/** Old sets beyond `revisionHistoryLimit`, the oldest revisions first. Source: `cleanupDeployment`. */
function cleanUp({ deployment, old }: Rollout): WorkloadStep[] {
  const limit = deployment.spec.revisionHistoryLimit;
  if (limit === undefined) return [];
  const kept = old.filter(({ meta }) => !meta.deletion).sort((a, b) => revisionOf(a) - revisionOf(b));
  return kept
    .slice(0, Math.max(0, kept.length - limit))
    .filter(({ replicas, status, meta }) => {
      return replicas === 0 && status.replicas === 0 && meta.generation <= status.observedGeneration;
    })
    .map((object) => ({ type: 'Delete', object, reason: 'ScaledDown', propagation: 'Background' }));
}

/** The replica set of a new template. Where its name is taken by another, the hash is drawn again with a higher count. */
function create(rollout: Rollout): Plan {
  const { deployment, old, cluster, now } = rollout;
  const { collisionCount = 0 } = deployment.status;
  const { template, selector, minReadySeconds = 0 } = deployment.spec;
  const hash = templateHash(template, collisionCount);
  const name = `${deployment.meta.name}-${hash}`;
  const taken = cluster.get(streamOfKind('ReplicaSet', deployment.meta.namespace, name));
  if (taken?.kind === 'ReplicaSet' && !(isControlledBy(taken, deployment) && isOfTemplate(taken, template)))
    return told(rollout, [], { collisionCount: collisionCount + 1 });
  const labels = { ...template.metadata?.labels, [POD_TEMPLATE_HASH]: hash };
  const sizes = old.map((set) => sized(set, rollout));
  const step: WorkloadStep = {
    type: 'Create',
    kind: 'ReplicaSet',
    name,
    meta: {
      labels,
      annotations: { ...annotationsOfNewest(deployment, undefined, old), ...sizeNotes(deployment) },
      ownerReferences: [controllerReference(deployment)],
      finalizers: [],
      fieldManager: DEPLOYMENT_MANAGER,
      managedFields: [],
    },
    spec: {
      minReadySeconds,
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [POD_TEMPLATE_HASH]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
    replicas: newReplicas(deployment, 0, sizes),
  };
  return told({ deployment, old, cluster, now }, [step], { created: name });
}
