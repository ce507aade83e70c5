import { containerNamed, isInitContainer, isSidecar } from '../pod/container-kinds.js';
import type { Container, ContainerRestartRule, PodSpec } from '../pod/pod-spec.js';

/** How a container ended, as far as its pod's fate depends on it. */
export interface Ending {
  readonly exitCode: number;
  /** Ended with its engine or host: see `Termination.infrastructure`. */
  readonly infrastructure?: boolean;
  /** Stopped only to be made anew: see `Termination.replaced`. */
  readonly replaced?: boolean;
  /** Stopped because a probe or a hook found it unfit: see `Termination.condemned`. */
  readonly condemned?: boolean;
  /** Its start failed: it never ran. */
  readonly startFailed?: boolean;
}

/** The parts of a spec that say what an end leads to. */
export type RestartSpec = Pick<PodSpec, 'containers' | 'initContainers' | 'restartPolicy'>;

/** What the end of a container leads to, for the container or for its pod. */
export type RestartAction = 'None' | ContainerRestartRule['action'];

/** Whether a policy has a container that ended run again. */
export function policyRestarts(
  policy: PodSpec['restartPolicy'],
  { exitCode, infrastructure, condemned }: Ending,
): boolean {
  switch (policy) {
    case 'Always':
      return true;
    case 'OnFailure':
      return exitCode !== 0 || infrastructure === true || condemned === true;
    case 'Never':
      return false;
  }
}

/** It did its work. What ended with its engine did not, whatever the code, nor what was killed for its health. */
export const isSuccess = ({ exitCode, infrastructure, replaced, condemned }: Ending): boolean =>
  exitCode === 0 && !infrastructure && !replaced && !condemned;

/**
 * The policy of one container: its own before its pod's. An init container that succeeded is never begun again, so that
 * Always means OnFailure there, unless it is its own and makes it a sidecar.
 */
export function restartPolicyOf(spec: RestartSpec, name: string): PodSpec['restartPolicy'] {
  const own = containerNamed(spec, name)?.restartPolicy;
  if (own !== undefined) return own;
  return spec.restartPolicy === 'Always' && isInitContainer(spec, name) ? 'OnFailure' : spec.restartPolicy;
}

/**
 * What follows from the end of a container. Rules on exit codes come before the policy (Kubernetes' KEP-5307 and KEP-5532);
 * they speak of what the process did, so not of an end that came from its engine or from us.
 */
export function restartAction(spec: RestartSpec, name: string, ending: Ending): RestartAction {
  if (ending.replaced) return 'Restart';
  const container = containerNamed(spec, name);
  const rule = ending.infrastructure ? undefined : ruleFor(container, ending.exitCode);
  if (rule) return rule.action;
  return policyRestarts(restartPolicyOf(spec, name), ending) ? 'Restart' : 'None';
}

/** Whether a container that ended is to run again. */
export const restarts = (spec: RestartSpec, name: string, ending: Ending): boolean =>
  restartAction(spec, name, ending) !== 'None';

function ruleFor(container: Container | undefined, exitCode: number): ContainerRestartRule | undefined {
  return container?.restartPolicyRules?.find(({ exitCodes }) => {
    if (!exitCodes) return false;
    const listed = (exitCodes.values ?? []).includes(exitCode);
    return exitCodes.operator === 'In' ? listed : !listed;
  });
}

/** The init containers that must end well before the app containers are begun. */
export const runsToCompletion = (spec: RestartSpec, name: string): boolean => {
  const container = containerNamed(spec, name);
  return container !== undefined && isInitContainer(spec, name) && !isSidecar(container);
};
