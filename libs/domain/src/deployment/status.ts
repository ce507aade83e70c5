import type { Millis } from '../event.js';
import { REPLICA_FAILURE } from '../replica-set/reconcile.js';
import { parseRfc3339, rfc3339 } from '../time.js';
import {
  conditionOf,
  type NewCondition,
  withCondition,
  withoutCondition,
  type WorkloadCondition,
} from '../workload/conditions.js';
import type { ReplicaSetState, WorkloadState } from '../workload/workload.js';
import type { DeploymentStatus } from './deployment.js';
import { fencepostsOf } from './rolling.js';

type Deployment = WorkloadState<'Deployment'>;
type Conditions = readonly WorkloadCondition[];

const PROGRESSING = 'Progressing';
const COMPLETE = 'NewReplicaSetAvailable';
const TIMED_OUT = 'ProgressDeadlineExceeded';
const PAUSED = 'DeploymentPaused';

/** A deployment without a deadline never counts as stuck. Source: kube-controller-manager, `HasProgressDeadline`. */
const NO_DEADLINE = 2 ** 31 - 1;

export interface Revisions {
  readonly newest?: ReplicaSetState;
  readonly old: readonly ReplicaSetState[];
}

export interface StatusInput extends Revisions {
  /** Name of the replica set that this pass makes. */
  readonly created?: string;
  readonly collisionCount?: number;
  readonly now: Millis;
}

/** `spec.progressDeadlineSeconds`, in milliseconds; `undefined` when there is none. */
const deadlineMs = ({ spec: { progressDeadlineSeconds: seconds } }: Deployment): number | undefined =>
  seconds === undefined || seconds >= NO_DEADLINE ? undefined : seconds * 1000;

const sum = (sets: readonly ReplicaSetState[], count: (set: ReplicaSetState) => number): number =>
  sets.reduce((all, set) => all + count(set), 0);

/** The counts, from what the replica sets say of themselves. Source: kube-controller-manager, `calculateStatus`. */
function countsOf(deployment: Deployment, { newest, old, collisionCount }: StatusInput): DeploymentStatus {
  const all = newest ? [...old, newest] : old;
  const availableReplicas = sum(all, ({ status }) => status.availableReplicas);
  const collisions = collisionCount ?? deployment.status.collisionCount;
  return {
    observedGeneration: deployment.meta.generation,
    replicas: sum(all, ({ status }) => status.replicas),
    updatedReplicas: newest?.status.replicas ?? 0,
    readyReplicas: sum(all, ({ status }) => status.readyReplicas),
    availableReplicas,
    unavailableReplicas: Math.max(0, sum(all, ({ replicas }) => replicas) - availableReplicas),
    ...(collisions !== undefined && { collisionCount: collisions }),
  };
}

/** Whether the rollout is done: every pod is of the newest template and available. */
export function isComplete({ meta, replicas }: Deployment, status: DeploymentStatus): boolean {
  return (
    status.updatedReplicas === replicas &&
    status.replicas === replicas &&
    status.availableReplicas === replicas &&
    status.observedGeneration >= meta.generation
  );
}

/** How a deployment stands, and when its deadline makes that other. Source: kube-controller-manager, `syncRolloutStatus`. */
export function statusOf(
  deployment: Deployment,
  input: StatusInput,
): { readonly status: DeploymentStatus; readonly again?: Millis } {
  const { now } = input;
  const counts = countsOf(deployment, input);
  let conditions = pausedOrResumed(deployment, deployment.status.conditions ?? [], now);
  conditions = withUpdate(conditions, availability(deployment, counts), now);
  if (deadlineMs(deployment) === undefined) conditions = withoutCondition(conditions, PROGRESSING);
  else if (!deployment.spec.paused) conditions = progress(deployment, counts, conditions, input);
  conditions = failures(conditions, input);
  const status = { ...counts, ...(conditions.length > 0 && { conditions }) };
  const again = deployment.spec.paused ? undefined : timesOutAt(deployment, conditions);
  return { status, ...(again !== undefined && { again }) };
}

function availability(deployment: Deployment, { availableReplicas }: DeploymentStatus): NewCondition {
  const { maxUnavailable } = fencepostsOf(deployment);
  return availableReplicas >= deployment.replicas - maxUnavailable
    ? {
        type: 'Available',
        status: 'True',
        reason: 'MinimumReplicasAvailable',
        message: 'Deployment has minimum availability.',
      }
    : {
        type: 'Available',
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      };
}

/** Source: kube-controller-manager, `SetDeploymentCondition`: nothing moves while status and reason stay. */
function withUpdate(conditions: Conditions, next: NewCondition, now: Millis): Conditions {
  const moved = withCondition(conditions, next, now);
  if (moved === conditions) return conditions;
  return moved.map((one) => (one.type === next.type ? { ...one, lastUpdateTime: rfc3339(now) } : one));
}

const withProgress = (conditions: Conditions, next: Omit<NewCondition, 'type'>, now: Millis): Conditions =>
  withUpdate(conditions, { type: PROGRESSING, ...next }, now);

/** That it is paused, or no longer; a rollout that was given up stays so. Source: `checkPausedConditions`. */
function pausedOrResumed(deployment: Deployment, conditions: Conditions, now: Millis): Conditions {
  const reason = conditionOf(conditions, PROGRESSING)?.reason;
  if (deadlineMs(deployment) === undefined || reason === TIMED_OUT) return conditions;
  if (deployment.spec.paused)
    return withProgress(conditions, { status: 'Unknown', reason: PAUSED, message: 'Deployment is paused' }, now);
  if (reason !== PAUSED) return conditions;
  const resumed = { status: 'Unknown', reason: 'DeploymentResumed', message: 'Deployment is resumed' } as const;
  return withProgress(conditions, resumed, now);
}

function progress(
  deployment: Deployment,
  counts: DeploymentStatus,
  conditions: Conditions,
  { newest, created, now }: StatusInput,
): Conditions {
  const name = newest ? `ReplicaSet "${newest.meta.name}"` : `Deployment "${deployment.meta.name}"`;
  const current = conditionOf(conditions, PROGRESSING);
  if (created !== undefined)
    return withProgress(
      conditions,
      { status: 'True', reason: 'NewReplicaSetCreated', message: `Created new replica set "${created}"` },
      now,
    );
  if (counts.replicas === counts.updatedReplicas && current?.reason === COMPLETE && newest) return conditions;
  if (isComplete(deployment, counts) && newest) {
    const message = `${name} has successfully progressed.`;
    return withProgress(conditions, { status: 'True', reason: COMPLETE, message }, now);
  }
  if (hasProgressed(deployment.status, counts)) {
    const message = `${name} is progressing.`;
    const next = { type: PROGRESSING, status: 'True', reason: 'ReplicaSetUpdated', message } as const;
    const at = rfc3339(now);
    const since = current?.status === 'True' ? (current.lastTransitionTime ?? at) : at;
    // Each progress counts anew towards the deadline.
    return [...withoutCondition(conditions, PROGRESSING), { ...next, lastTransitionTime: since, lastUpdateTime: at }];
  }
  if (!current && newest)
    return withProgress(
      conditions,
      { status: 'True', reason: 'FoundNewReplicaSet', message: `Found new replica set "${newest.meta.name}"` },
      now,
    );
  const due = timesOutAt(deployment, conditions);
  if (due === undefined || due > now) return conditions;
  const message = `${name} has timed out progressing.`;
  return withProgress(conditions, { status: 'False', reason: TIMED_OUT, message }, now);
}

/** Source: kube-controller-manager, `DeploymentProgressing`. */
const hasProgressed = (before: DeploymentStatus, after: DeploymentStatus): boolean =>
  after.updatedReplicas > before.updatedReplicas ||
  after.replicas - after.updatedReplicas < before.replicas - before.updatedReplicas ||
  after.readyReplicas > before.readyReplicas ||
  after.availableReplicas > before.availableReplicas;

/** When a rollout under way counts as stuck; `undefined` when it is done, or has been found stuck. */
function timesOutAt(deployment: Deployment, conditions: Conditions): Millis | undefined {
  const limit = deadlineMs(deployment);
  const { reason, lastUpdateTime } = conditionOf(conditions, PROGRESSING) ?? {};
  if (limit === undefined || reason === undefined || reason === COMPLETE || reason === TIMED_OUT) return undefined;
  const from = lastUpdateTime === undefined ? undefined : parseRfc3339(lastUpdateTime);
  return from === undefined ? undefined : from + limit;
}

/** What keeps a replica set from making its pods is the deployment's failure too. Source: `getReplicaFailures`. */
function failures(conditions: Conditions, { newest, old }: Revisions): Conditions {
  const failed = [...(newest ? [newest] : []), ...old]
    .map(({ status }) => conditionOf(status.conditions, REPLICA_FAILURE))
    .find((condition) => condition !== undefined);
  const others = withoutCondition(conditions, REPLICA_FAILURE);
  if (!failed) return others.length === conditions.length ? conditions : others;
  return conditionOf(conditions, REPLICA_FAILURE) ? conditions : [...conditions, failed];
}
