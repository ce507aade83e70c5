import { invariant } from '../errors.js';
import type { Recorded } from '../event.js';
import type { JsonObject } from '../json.js';
import { afterChange, afterDeletionRequest, newMeta } from '../meta/metadata.js';
import type { Change, Editable, ObjectMeta } from '../meta/object-meta.js';
import type { PlainEvent, PlainKind, PlainObjectState } from './plain-object.js';

/** What clients may edit of a plain object; its body stands in the place of a spec. */
export function editablePlain({ meta, body }: PlainObjectState): Editable {
  const { labels, annotations, ownerReferences, finalizers } = meta;
  return { labels, annotations, ownerReferences, finalizers, spec: body };
}

/** An object of a plain kind after one more event; `undefined` once deleted. */
export function evolvePlain<K extends PlainKind>(
  kind: K,
  object: Extract<PlainObjectState, { kind: K }> | undefined,
  event: Recorded<PlainEvent>,
): Extract<PlainObjectState, { kind: K }> | undefined;
export function evolvePlain(
  kind: PlainKind,
  object: PlainObjectState | undefined,
  event: Recorded<PlainEvent>,
): PlainObjectState | undefined {
  const { data } = event;
  if (data.change === 'Created') {
    return { kind, meta: withGeneration(kind, newMeta(data, event)), body: data.body };
  }
  invariant(object, `${event.type} at revision ${event.revision}, but ${event.stream} holds no ${kind}`);
  switch (data.change) {
    case 'Edited': {
      const changes = data.changes.map(treeChange);
      const { meta, spec } = afterChange(object.meta, editablePlain(object), {}, { ...data, changes });
      return moved(object, meta, spec, event);
    }
    case 'DeletionRequested': {
      const meta = afterDeletionRequest(object.meta, { ...data, gracePeriodSeconds: 0 }, event);
      return moved(object, meta, object.body, event);
    }
    case 'Deleted':
      return undefined;
  }
}

function moved(
  { kind }: PlainObjectState,
  meta: ObjectMeta,
  body: JsonObject,
  { revision }: Recorded<PlainEvent>,
): PlainObjectState {
  return { kind, meta: withGeneration(kind, { ...meta, resourceVersion: revision }), body };
}

/** Only kinds that Kubernetes gives a generation have one. Source: the strategies of its registries. */
const withGeneration = (kind: PlainKind, meta: ObjectMeta): ObjectMeta => ({
  ...meta,
  generation: kind === 'PriorityClass' ? 1 : 0,
});

/** Events name paths of the wire form (`data`, `k`); the shared rules know a body as `spec`. */
const treeChange = (change: Change): Change =>
  change.path[0] === 'metadata' ? change : { ...change, path: ['spec', ...change.path] };

/** The inverse of {@link treeChange}. */
export const wireChange = (change: Change): Change =>
  change.path[0] === 'spec' ? { ...change, path: change.path.slice(1) } : change;
