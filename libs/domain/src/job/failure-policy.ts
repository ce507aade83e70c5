import type { JsonObject } from '../json.js';
import type { PodState } from '../pod/pod.js';
import type { PodFailureAction, PodFailurePolicy, PodFailurePolicyRule } from './job.js';

/** Which rule speaks of a failed pod, and in what words. */
export interface MatchedRule {
  readonly action: PodFailureAction;
  /** Of `podFailurePolicy.rules`. */
  readonly rule: number;
  readonly message: string;
}

/**
 * The first rule that a failed pod matches; without one it counts as a failure. Source: kube-controller-manager,
 * `matchPodFailurePolicy`.
 */
export function matchFailurePolicy(policy: PodFailurePolicy | undefined, pod: PodState): MatchedRule | undefined {
  for (const [rule, one] of (policy?.rules ?? []).entries()) {
    const { action } = one;
    const exited = matchingExit(one, pod);
    if (exited) {
      const { namespace, name } = pod.meta;
      const message = `Container ${exited.container} for pod ${namespace}/${name} failed with exit code ${exited.exitCode} matching ${action} rule at index ${rule}`;
      return { action, rule, message };
    }
    const condition = matchingCondition(one, pod);
    if (condition !== undefined) {
      const message = `Pod ${pod.meta.namespace}/${pod.meta.name} has condition ${condition} matching ${action} rule at index ${rule}`;
      return { action, rule, message };
    }
  }
  return undefined;
}

/**
 * A container that failed with a code the rule speaks of. Under shared fate helpers are stopped when the main container ends,
 * and what they end with says nothing: only a rule that names one is about it.
 */
function matchingExit(
  { onExitCodes }: PodFailurePolicyRule,
  pod: PodState,
): { readonly container: string; readonly exitCode: number } | undefined {
  if (!onExitCodes) return undefined;
  const { containerName, operator, values } = onExitCodes;
  const helpers = new Set(
    pod.sharedFate ? pod.spec.containers.map(({ name }) => name).filter((name) => name !== pod.mainContainer) : [],
  );
  for (const { name, terminated } of Object.values(pod.containers)) {
    if (containerName === undefined ? helpers.has(name) : containerName !== name) continue;
    if (!terminated || terminated.exitCode === 0) continue;
    if (values.includes(terminated.exitCode) === (operator === 'In')) {
      return { container: name, exitCode: terminated.exitCode };
    }
  }
  return undefined;
}

function matchingCondition({ onPodConditions = [] }: PodFailurePolicyRule, pod: PodState): string | undefined {
  const clients = (pod.clientStatus?.['conditions'] ?? []) as readonly JsonObject[];
  const statusOf = (type: string): unknown =>
    pod.conditions[type]?.status ?? clients.find((condition) => condition['type'] === type)?.['status'];
  return onPodConditions.find(({ type, status }) => statusOf(type) === status)?.type;
}
