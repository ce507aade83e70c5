import type { Millis } from '../event.js';
import type { JsonObject } from '../json.js';
import { rfc3339 } from '../time.js';

/** A condition in a workload's status, as clients see it. */
export interface WorkloadCondition extends JsonObject {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason?: string;
  readonly message?: string;
  /** RFC 3339. */
  readonly lastTransitionTime?: string;
  /** RFC 3339; Deployments only. */
  readonly lastUpdateTime?: string;
}

export type NewCondition = Pick<WorkloadCondition, 'type' | 'status' | 'reason' | 'message'>;

export const conditionOf = (
  conditions: readonly WorkloadCondition[] | undefined,
  type: string,
): WorkloadCondition | undefined => conditions?.find((condition) => condition.type === type);

/**
 * Conditions with one of them as it is now. Nothing moves while its status and reason stay; its transition time only when its
 * status does. Those of other types stay as they are: clients may have set them. Source: kube-controller-manager,
 * `SetDeploymentCondition` and its like.
 */
export function withCondition(
  conditions: readonly WorkloadCondition[],
  next: NewCondition,
  now: Millis,
): readonly WorkloadCondition[] {
  const before = conditionOf(conditions, next.type);
  if (before?.status === next.status && before.reason === next.reason) return conditions;
  const at = rfc3339(now);
  const lastTransitionTime = before?.status === next.status ? (before.lastTransitionTime ?? at) : at;
  return [...withoutCondition(conditions, next.type), { ...next, lastTransitionTime }];
}

export const withoutCondition = (
  conditions: readonly WorkloadCondition[],
  type: string,
): readonly WorkloadCondition[] => conditions.filter((condition) => condition.type !== type);
