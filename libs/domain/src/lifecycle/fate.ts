import type { PodSpec } from '../pod/pod-spec.js';

/** How a container ended, as far as its pod's fate depends on it. */
export interface Ending {
  readonly exitCode: number;
  /** Ended with its engine or host: see `Termination.infrastructure`. */
  readonly infrastructure?: boolean;
}

/** What decides a pod's fate besides its containers' endings. */
export interface FateRule {
  readonly restartPolicy: PodSpec['restartPolicy'];
  readonly mainContainer: string;
  readonly sharedFate: boolean;
}

export type PodOutcome =
  | { readonly kind: 'running' }
  | { readonly kind: 'ended'; readonly phase: 'Succeeded' | 'Failed'; readonly exitCode: number };

/** Whether the restart policy has a container that ended run again. */
export function restarts(policy: PodSpec['restartPolicy'], { exitCode, infrastructure }: Ending): boolean {
  switch (policy) {
    case 'Always':
      return true;
    case 'OnFailure':
      return exitCode !== 0 || infrastructure === true;
    case 'Never':
      return false;
  }
}

const succeeded = ({ exitCode, infrastructure }: Ending): boolean => exitCode === 0 && !infrastructure;

/**
 * Whether a pod has ended for good, and how. Under shared fate its main container decides alone; else all containers must
 * have ended, none to be run again, and one failure fails the pod. The API derives the phase from this and the node stops
 * helpers by it: one rule, two readers. `endings` holds the newest run of each container that is over.
 */
export function podOutcome(
  rule: FateRule,
  containerNames: readonly string[],
  endings: Readonly<Record<string, Ending | undefined>>,
): PodOutcome {
  const deciding = rule.sharedFate ? [rule.mainContainer] : containerNames;
  const ended: Ending[] = [];
  for (const name of deciding) {
    const ending = endings[name];
    if (!ending || restarts(rule.restartPolicy, ending)) return { kind: 'running' };
    ended.push(ending);
  }
  const failure = ended.find((ending) => !succeeded(ending));
  return { kind: 'ended', phase: failure ? 'Failed' : 'Succeeded', exitCode: failure?.exitCode ?? 0 };
}

/** Annotations that name the main container and choose the rule (DESIGN section 4). */
export const FATE_ANNOTATION = 'podledger.dev/fate';
export const DEFAULT_CONTAINER_ANNOTATION = 'kubectl.kubernetes.io/default-container';

/** The fate rule a pod is requested with. It is fixed then: editing the annotations later changes nothing. */
export function fateRuleOf(spec: PodSpec, annotations: Readonly<Record<string, string>>): FateRule {
  const named = annotations[DEFAULT_CONTAINER_ANNOTATION];
  const main = spec.containers.find(({ name }) => name === named) ?? spec.containers[0];
  return {
    restartPolicy: spec.restartPolicy,
    mainContainer: main?.name ?? '',
    sharedFate: annotations[FATE_ANNOTATION] !== 'independent',
  };
}
