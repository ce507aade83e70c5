import type { Kind, ObjectChange, Revision, StoredObject } from '#domain';

/** What one command did to one object as clients see it: `before` absent = it came, `after` absent = it went. */
export interface ObjectMove {
  readonly stream: string;
  readonly kind: Kind;
  readonly before?: StoredObject;
  readonly after?: StoredObject;
  /** The object's resourceVersion after the move; of a removal, the revision of the event that removed it. */
  readonly revision: Revision;
}

/**
 * A command's changes as one move per object, in order of revision: readers show a command whole, so of several events for
 * one object only the outcome is seen. Changes that moved no resourceVersion (pull progress, say) are left out.
 */
export function movesOf(changes: readonly ObjectChange[]): ObjectMove[] {
  const open = new Map<string, ObjectMove>();
  const done: ObjectMove[] = [];
  for (const { stream, kind, before, after, event } of changes) {
    const key = `${kind} ${stream}`;
    const earlier = open.get(key);
    const first = earlier ? earlier.before : before;
    const move: ObjectMove = {
      stream,
      kind,
      ...(first && { before: first }),
      ...(after && { after }),
      revision: after ? after.meta.resourceVersion : event.revision,
    };
    if (after) open.set(key, move);
    else {
      // It is gone: whatever comes under this name later in the same command is another object.
      open.delete(key);
      done.push(move);
    }
  }
  return [...done, ...open.values()].filter(isVisible).sort((a, b) => a.revision - b.revision);
}

function isVisible({ before, after }: ObjectMove): boolean {
  if (!before || !after) return before !== after;
  return before.meta.resourceVersion !== after.meta.resourceVersion;
}
