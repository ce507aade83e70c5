import {
  conditionOf,
  fencepostsOf,
  isActivePod,
  isControlledBy,
  isReady,
  type ClusterState,
  type JobState,
  type PodState,
  type ReplicaSetState,
  type StoredObject,
  type WorkloadState,
} from '#domain';

type Deployment = WorkloadState<'Deployment'>;

/** What deployments and jobs must finally be: each line is something that is not. */
export function unsettledControllers(state: ClusterState): string[] {
  return [
    ...[...state.all('Deployment')].flatMap((one) => deployment(state, one)),
    ...[...state.all('Job')].flatMap((one) => job(state, one)),
  ];
}

/** The replica sets of a deployment. */
export const setsOf = (state: ClusterState, owner: Deployment): ReplicaSetState[] =>
  state
    .dependentsOf(owner.meta.uid)
    .filter((object): object is ReplicaSetState => object.kind === 'ReplicaSet' && isControlledBy(object, owner));

/** The pods that something controls. */
export const podsOf = (state: ClusterState, owner: Pick<StoredObject, 'meta'>): PodState[] =>
  state
    .dependentsOf(owner.meta.uid)
    .filter((object): object is PodState => object.kind === 'Pod' && isControlledBy(object, owner));

/** Whether no more pods are made for a job; the last ones may still be ending. */
export const isDecided = (job: JobState): boolean =>
  isFinished(job) || ['SuccessCriteriaMet', 'FailureTarget'].some((type) => isTrue(job, type));

const isFinished = (job: JobState): boolean => ['Complete', 'Failed'].some((type) => isTrue(job, type));

const isTrue = ({ status }: JobState, type: string): boolean => conditionOf(status.conditions, type)?.status === 'True';

/** Rolled out: one replica set has all pods. Or on its way there and kept by a pod that is not ready, which says why. */
function deployment(state: ClusterState, one: Deployment): string[] {
  if (one.meta.deletion) return [];
  const name = `deployment ${one.meta.namespace}/${one.meta.name}`;
  const sets = setsOf(state, one);
  const living = sets.filter(({ replicas }) => replicas > 0);
  const total = living.reduce((sum, { replicas }) => sum + replicas, 0);
  const said = sets.reduce((sum, { status }) => sum + status.replicas, 0);
  const pods = living.flatMap((set) => podsOf(state, set).filter(isActivePod));
  const isHeld = pods.some((pod) => !isReady(pod));
  const isRolledOut = living.length <= 1 && total === one.replicas;
  const { maxSurge } = fencepostsOf(one);
  return [
    ...(isRolledOut || isHeld || one.spec.paused ? [] : [`${name} has ${sizes(living)} for ${one.replicas}`]),
    ...(total > one.replicas + maxSurge && !one.spec.paused ? [`${name} has ${sizes(living)}, too many`] : []),
    ...(one.status.observedGeneration === one.meta.generation ? [] : [`${name} has not been looked at since its edit`]),
    ...(one.status.replicas === said ? [] : [`${name} says ${one.status.replicas} pods, its replica sets ${said}`]),
  ];
}

const sizes = (sets: readonly ReplicaSetState[]): string =>
  sets.map(({ meta, replicas }) => `${replicas} in ${meta.name}`).join(', ') || 'nothing';

/** Over, suspended, or at work; what it says of its pods is so. */
function job(state: ClusterState, one: JobState): string[] {
  const name = `job ${one.meta.namespace}/${one.meta.name}`;
  if (one.meta.deletion) return [];
  const pods = podsOf(state, one);
  const active = pods.filter(isActivePod);
  if (isDecided(one)) {
    const left = pods.filter(({ terminated }) => !terminated);
    return [
      ...(!isFinished(one) ? [`${name} is decided and does not end`] : []),
      ...(left.length > 0 ? [`${name} is over and has ${left.length} pods that are not`] : []),
    ];
  }
  const told = one.status.active ?? 0;
  return [
    ...(told === active.length ? [] : [`${name} says ${told} active pods, there are ${active.length}`]),
    ...(one.spec.suspend || active.length > 0 ? [] : [`${name} is neither over nor at work`]),
    ...(one.spec.suspend && active.length > 0 ? [`${name} is suspended and at work`] : []),
  ];
}
