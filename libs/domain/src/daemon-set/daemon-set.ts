import type { JsonObject } from '../json.js';
import type { LabelSelector } from '../pod/pod-spec.js';
import type { WorkloadCondition } from '../workload/conditions.js';
import type { IntOrPercent } from '../workload/int-or-percent.js';
import type { PodTemplate } from '../workload/pod-template.js';

export interface DaemonSetUpdateStrategy extends JsonObject {
  readonly type?: 'RollingUpdate' | 'OnDelete';
  readonly rollingUpdate?: { readonly maxUnavailable?: IntOrPercent; readonly maxSurge?: IntOrPercent };
}

export interface DaemonSetSpec extends JsonObject {
  readonly selector: LabelSelector & JsonObject;
  readonly template: PodTemplate;
  readonly updateStrategy?: DaemonSetUpdateStrategy;
  readonly minReadySeconds?: number;
  readonly revisionHistoryLimit?: number;
}

/** What the scheduler saw of a daemon set's nodes and pods. Numbers of nodes. */
export interface DaemonSetStatus extends JsonObject {
  /** That should have a pod and have one. */
  readonly currentNumberScheduled: number;
  /** That have a pod and should have none. */
  readonly numberMisscheduled: number;
  /** That should have a pod. */
  readonly desiredNumberScheduled: number;
  readonly numberReady: number;
  readonly observedGeneration: number;
  readonly updatedNumberScheduled: number;
  readonly numberAvailable: number;
  readonly numberUnavailable: number;
  /** How often the name of a new revision was taken by another. */
  readonly collisionCount?: number;
  readonly conditions?: readonly WorkloadCondition[];
}
