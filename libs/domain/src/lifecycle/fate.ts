import { initContainersOf } from '../pod/container-kinds.js';
import type { PodSpec } from '../pod/pod-spec.js';
import type { Dependencies, DependencyCondition } from './dependencies.js';
import { isSuccess, restarts, runsToCompletion, type Ending, type RestartSpec } from './restart-rule.js';

/** What decides a pod's fate besides what its containers do. */
export interface FateRule {
  readonly spec: RestartSpec;
  readonly mainContainer: string;
  readonly sharedFate: boolean;
  readonly dependencies: Dependencies;
}

/** How far the newest run of a container has come. A container without one has not begun. */
export interface RunState {
  readonly ending?: Ending;
}

export type PodOutcome =
  | { readonly kind: 'running' }
  | {
      readonly kind: 'ended';
      readonly phase: 'Succeeded' | 'Failed';
      readonly exitCode: number;
      /** Present where the end of a container does not say why. */
      readonly message?: string;
    };

/**
 * Whether a pod has ended for good, and how. An init container that failed and is not tried again fails it. Then under
 * shared fate its main container decides alone; else all containers must have ended, none to be run again, and one failure
 * fails the pod. Sidecars never count. A container that can never begin, because what it waits for will never be, has
 * failed. The API derives the phase from this and the node stops helpers by it: one rule, two readers.
 */
export function podOutcome(rule: FateRule, runs: Readonly<Record<string, RunState | undefined>>): PodOutcome {
  const { spec, sharedFate, mainContainer } = rule;
  for (const { name } of initContainersOf(spec)) {
    const ending = runs[name]?.ending;
    if (ending && runsToCompletion(spec, name) && !isSuccess(ending) && !restarts(spec, name, ending)) {
      return { kind: 'ended', phase: 'Failed', exitCode: ending.exitCode };
    }
  }
  const deciding = sharedFate ? [mainContainer] : spec.containers.map(({ name }) => name);
  const ended: Ending[] = [];
  let message: string | undefined;
  for (const name of deciding) {
    const ending = runs[name]?.ending;
    if (ending && !restarts(spec, name, ending)) ended.push(ending);
    else {
      const hindrance = hindranceOf(rule, runs, name);
      if (hindrance === undefined) return { kind: 'running' };
      message ??= hindrance;
    }
  }
  const failure = ended.find((ending) => !isSuccess(ending));
  const failed = failure !== undefined || message !== undefined;
  return {
    kind: 'ended',
    phase: failed ? 'Failed' : 'Succeeded',
    exitCode: failure?.exitCode ?? 0,
    ...(message !== undefined && { message }),
  };
}

/** Why a container that has not begun never will; `undefined` while it may. */
function hindranceOf(
  rule: FateRule,
  runs: Readonly<Record<string, RunState | undefined>>,
  name: string,
): string | undefined {
  if (runs[name]) return undefined;
  for (const [target, condition] of Object.entries(rule.dependencies[name] ?? {})) {
    const further = hindranceOf(rule, runs, target);
    if (further !== undefined) return further;
    const ending = runs[target]?.ending;
    if (ending && !restarts(rule.spec, target, ending) && !isMetBy(ending, condition)) {
      return `Container ${name} waits for container ${target} to be ${condition}, and that has ended with exit code ${ending.exitCode}`;
    }
  }
  return undefined;
}

/** Whether an end is what a dependent waits for. */
export function isMetBy(ending: Ending, condition: DependencyCondition): boolean {
  switch (condition) {
    case 'Started':
      return ending.startFailed !== true;
    case 'Healthy':
      return false;
    case 'Completed':
      return true;
    case 'Succeeded':
      return isSuccess(ending);
  }
}

/** Annotations that name the main container and choose the rule (DESIGN section 4). */
export const FATE_ANNOTATION = 'podledger.dev/fate';
export const DEFAULT_CONTAINER_ANNOTATION = 'kubectl.kubernetes.io/default-container';

/** What a pod's fate is fixed to when it is requested: editing the annotations later changes nothing. */
export function fateOf(
  spec: PodSpec,
  annotations: Readonly<Record<string, string>>,
): Pick<FateRule, 'mainContainer' | 'sharedFate'> {
  const named = annotations[DEFAULT_CONTAINER_ANNOTATION];
  const main = spec.containers.find(({ name }) => name === named) ?? spec.containers[0];
  return { mainContainer: main?.name ?? '', sharedFate: annotations[FATE_ANNOTATION] !== 'independent' };
}
