import type { Kind, Revision, StoredObject } from '#domain';
import type { ObjectMove } from '../read/object-moves.js';

/** One line of a watch. A bookmark has no object, only how far the watch has come. */
export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: StoredObject }
  | { readonly type: 'BOOKMARK'; readonly revision: Revision; readonly initialEventsEnd: boolean };

/** Which objects a list or a watch is about. */
export interface Selection {
  readonly kind: Kind;
  /** Absent: all namespaces. */
  readonly namespace?: string;
  /** Labels and fields; called only with objects of the kind and namespace. */
  readonly matches: (object: StoredObject) => boolean;
}

export function isSelected({ kind, namespace, matches }: Selection, object: StoredObject): boolean {
  return object.kind === kind && (namespace === undefined || object.meta.namespace === namespace) && matches(object);
}

/** An object as it was, under the revision at which it went, or went out of view. */
export function atRevision<S extends StoredObject>(object: S, resourceVersion: Revision): S {
  return { ...object, meta: { ...object.meta, resourceVersion } };
}

/**
 * What one move is to a watcher: an object that starts to match the selection comes, one that stops to match goes. An object
 * of the same name but another uid is another object: the old one goes and the new one comes.
 */
export function watchEventsOf(selection: Selection, { kind, before, after, revision }: ObjectMove): WatchEvent[] {
  if (kind !== selection.kind) return [];
  const was = before !== undefined && isSelected(selection, before);
  const is = after !== undefined && isSelected(selection, after);
  const replaced = before !== undefined && after !== undefined && before.meta.uid !== after.meta.uid;
  const gone: WatchEvent[] =
    was && (!is || replaced) ? [{ type: 'DELETED', object: atRevision(before, revision) }] : [];
  if (!is) return gone;
  return [...gone, { type: was && !replaced ? 'MODIFIED' : 'ADDED', object: after }];
}
