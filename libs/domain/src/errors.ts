import type { JsonObject } from './json.js';

/** Why a command was refused, in Kubernetes' `Status.reason` vocabulary. */
export type RefusalReason =
  'AlreadyExists' | 'BadRequest' | 'Conflict' | 'Forbidden' | 'Invalid' | 'NotFound' | 'TooManyRequests' | 'StaleNode';

/** One field at fault, as in `Status.details.causes`: `reason` is Kubernetes' `FieldValue*` code. */
export interface FieldFault {
  readonly field: string;
  readonly reason:
    | 'FieldValueRequired'
    | 'FieldValueInvalid'
    | 'FieldValueDuplicate'
    | 'FieldValueNotSupported'
    | 'FieldValueForbidden'
    | 'FieldValueNotFound'
    | 'FieldValueTooLong'
    | 'FieldValueTooMany'
    | 'NamespaceTerminating';
  readonly message: string;
}

/** A command was understood and refused; nothing was written. The facts name what was expected and what was found. */
export class DomainError extends Error {
  constructor(
    readonly reason: RefusalReason,
    message: string,
    readonly faults: readonly FieldFault[] = [],
    readonly facts: JsonObject = {},
  ) {
    super(message);
    this.name = 'DomainError';
  }
}

/** An invariant of ours is broken. Nobody catches this to carry on: the process stops and is started anew from the log. */
export class BrokenInvariant extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BrokenInvariant';
  }
}

/** Throws {@link BrokenInvariant} unless the condition holds; also in production. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new BrokenInvariant(message);
}
