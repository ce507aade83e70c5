import { DomainError, type AssignedPod } from '#domain';
import type { JsonObject } from '#domain';

/**
 * A pod as it arrived in an assignment. The control plane validated it when it was requested; what is looked at here is
 * what a node cannot do without. Throws `DomainError` (BadRequest).
 */
export function readAssignedPod(value: JsonObject): AssignedPod {
  if (isAssignedPod(value)) return value;
  throw new DomainError('BadRequest', 'an assigned pod must have its key, spec, labels, annotations and attempts');
}

function isAssignedPod(value: unknown): value is AssignedPod {
  if (!isObject(value)) return false;
  const { key, spec, labels, annotations, mainContainer, attempts, deletion } = value;
  return (
    isObject(key) &&
    [key['uid'], key['namespace'], key['name'], mainContainer].every((text) => typeof text === 'string') &&
    isObject(spec) &&
    Array.isArray(spec['containers']) &&
    typeof spec['terminationGracePeriodSeconds'] === 'number' &&
    isObject(labels) &&
    isObject(annotations) &&
    isObject(attempts) &&
    (deletion === undefined || (isObject(deletion) && typeof deletion['requestedAt'] === 'number'))
  );
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
