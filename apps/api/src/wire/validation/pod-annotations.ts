import {
  BACK_OFF_ANNOTATION,
  backOffProblem,
  DEPENDS_ON_ANNOTATION,
  dependencyProblems,
  FATE_ANNOTATION,
  type FieldFault,
} from '#domain';
import type { PodSpec } from '../wire-objects.js';
import { invalid, oneOf } from './faults.js';

const fates = ['independent', 'shared'];

/** What is wrong with the annotations of a pod or template by which its containers' fate and order are chosen. */
export function podAnnotationFaults(
  annotations: Readonly<Record<string, string>> = {},
  { containers = [], initContainers = [] }: PodSpec,
  path: string,
): FieldFault[] {
  const dependsOn = annotations[DEPENDS_ON_ANNOTATION];
  const backOff = annotations[BACK_OFF_ANNOTATION];
  const lists = { containers: containers.map(named), initContainers: initContainers.map(named) };
  const edges = dependsOn === undefined ? [] : dependencyProblems(dependsOn, lists);
  const waits = backOff === undefined ? undefined : backOffProblem(backOff);
  return [
    ...oneOf(`${path}[${FATE_ANNOTATION}]`, annotations[FATE_ANNOTATION], fates),
    ...edges.map((problem) => invalid(`${path}[${DEPENDS_ON_ANNOTATION}]`, dependsOn, problem)),
    ...(waits === undefined ? [] : [invalid(`${path}[${BACK_OFF_ANNOTATION}]`, backOff, waits)]),
  ];
}

const named = ({ name = '', restartPolicy }: { readonly name?: string; readonly restartPolicy?: string }) => ({
  name,
  ...(restartPolicy !== undefined && { restartPolicy }),
});
