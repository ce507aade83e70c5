import { DomainError, type FieldFault } from '#domain';

/** The 422 that names every field at fault by its path, in Kubernetes' words. */
export function invalidObject(kind: string, name: string, faults: readonly FieldFault[]): DomainError {
  return new DomainError('Invalid', invalidMessage(kind, name, faults), faults);
}

/** `Pod "x" is invalid: spec.containers[0].image: Required value`; several faults as a list in brackets. */
export function invalidMessage(kind: string, name: string, faults: readonly FieldFault[]): string {
  const lines = faults.map(({ field, message }) => `${field}: ${message}`);
  const text = lines.length === 1 ? (lines[0] ?? '') : `[${lines.join(', ')}]`;
  return `${kind} ${JSON.stringify(name)} is invalid: ${text}`;
}
