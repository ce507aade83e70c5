import type { JsonObject } from '../json.js';
import type { LabelSelector } from '../pod/pod-spec.js';
import type { WorkloadCondition } from '../workload/conditions.js';
import type { IntOrPercent } from '../workload/int-or-percent.js';
import type { PodTemplate } from '../workload/pod-template.js';

export interface DeploymentStrategy extends JsonObject {
  readonly type?: 'RollingUpdate' | 'Recreate';
  readonly rollingUpdate?: { readonly maxSurge?: IntOrPercent; readonly maxUnavailable?: IntOrPercent };
}

/** `spec` without `replicas`. */
export interface DeploymentSpec extends JsonObject {
  readonly selector: LabelSelector & JsonObject;
  readonly template: PodTemplate;
  readonly strategy?: DeploymentStrategy;
  readonly minReadySeconds?: number;
  /** Old replica sets that are kept for a rollback; absent: all. */
  readonly revisionHistoryLimit?: number;
  readonly paused?: boolean;
  /** Seconds without progress after which it counts as stuck; absent: never. */
  readonly progressDeadlineSeconds?: number;
}

/** What the scheduler saw of a deployment's replica sets. */
export interface DeploymentStatus extends JsonObject {
  readonly observedGeneration: number;
  readonly replicas: number;
  readonly updatedReplicas: number;
  readonly readyReplicas: number;
  readonly availableReplicas: number;
  readonly unavailableReplicas: number;
  /** How often the name of a new replica set was taken by another. */
  readonly collisionCount?: number;
  readonly conditions?: readonly WorkloadCondition[];
}
