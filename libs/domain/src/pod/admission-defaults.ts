import { NOT_READY_TAINT, UNREACHABLE_TAINT } from '../node/evolve.js';
import { DEFAULT_TOLERATION_SECONDS } from '../node/health.js';
import type { Toleration } from './pod-spec.js';

type GivenToleration = Partial<Readonly<Record<keyof Pick<Toleration, 'key' | 'effect'>, string>>>;

/** As much of a pod spec as is read here: wire form and domain form alike. */
interface Tolerating {
  readonly tolerations?: readonly GivenToleration[];
}

/**
 * What a pod gets when it is made, by a client or from a template, and what a template does not have: both ways give the same
 * pod. What depends on the rest of the cluster comes with `admitPod`. Source: Kubernetes' admission plug-ins (ServiceAccount,
 * DefaultTolerationSeconds); the seconds are ours (DESIGN section 3).
 */
export function admissionDefaults<Spec extends Tolerating>(spec: Spec): Spec {
  const given = spec.tolerations ?? [];
  return {
    enableServiceLinks: true,
    serviceAccountName: 'default',
    serviceAccount: 'default',
    ...spec,
    tolerations: [...given, ...missingTolerations(given)],
  };
}

function missingTolerations(given: readonly GivenToleration[]): Toleration[] {
  return [NOT_READY_TAINT, UNREACHABLE_TAINT]
    .filter((key) => !given.some((toleration) => concerns(toleration, key)))
    .map((key) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: DEFAULT_TOLERATION_SECONDS }));
}

const concerns = ({ key, effect }: GivenToleration, taint: string): boolean =>
  (!key || key === taint) && (!effect || effect === 'NoExecute');
