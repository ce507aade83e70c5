import type { JsonObject } from '../json.js';
import type { LabelSelector } from '../pod/pod-spec.js';
import type { PodTemplate } from '../workload/pod-template.js';
import type { WorkloadCondition } from '../workload/conditions.js';

/** `spec` without `replicas`: how many is a wish of its own. */
export interface ReplicaSetSpec extends JsonObject {
  readonly selector: LabelSelector & JsonObject;
  readonly template: PodTemplate;
  readonly minReadySeconds?: number;
}

/** What the scheduler saw of a replica set's pods. */
export interface ReplicaSetStatus extends JsonObject {
  readonly replicas: number;
  readonly fullyLabeledReplicas: number;
  readonly readyReplicas: number;
  readonly availableReplicas: number;
  readonly observedGeneration: number;
  readonly conditions?: readonly WorkloadCondition[];
}
