import type { JsonObject } from '#domain';
import type { ChangeOf } from './resource.js';
import { objectsAt } from './wire-values.js';

/**
 * What a write through `/status` keeps of an object whose status is derived: conditions that nobody derives. The rest of the
 * status says what happened, whatever a client writes there.
 */
export function ownConditions({ after }: ChangeOf, derived: readonly string[]): JsonObject {
  const conditions = objectsAt(after, 'status', 'conditions').filter(
    ({ type }) => typeof type !== 'string' || !derived.includes(type),
  );
  return conditions.length > 0 ? { conditions } : {};
}
