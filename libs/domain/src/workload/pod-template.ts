import type { JsonObject } from '../json.js';
import type { PodSpec } from '../pod/pod-spec.js';

/** What a workload makes its pods from. */
export interface PodTemplate extends JsonObject {
  readonly metadata?: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: PodSpec;
}
