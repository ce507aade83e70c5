import type { StoredObject } from '../cluster/stored-object.js';
import type { NamespaceState } from '../namespace/namespace.js';

/** What is left to do about a namespace. */
export interface NamespaceEmptying {
  /** Objects to be told to go. */
  readonly remove: readonly StoredObject[];
  /** Nothing is left in it. */
  readonly finalize: boolean;
}

/**
 * A namespace that is being deleted is emptied, and finalized once empty; another is left alone. `contents` is all that must
 * go first: everything but Event objects.
 */
export function emptyNamespace(namespace: NamespaceState, contents: readonly StoredObject[]): NamespaceEmptying {
  if (!namespace.meta.deletion) return { remove: [], finalize: false };
  return { remove: contents.filter(({ meta }) => !meta.deletion), finalize: contents.length === 0 };
}
