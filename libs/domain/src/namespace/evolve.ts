import { invariant } from '../errors.js';
import type { Recorded } from '../event.js';
import { afterChange, afterDeletionRequest, newMeta } from '../meta/metadata.js';
import type { Editable } from '../meta/object-meta.js';
import type { NamespaceEvent, NamespaceState } from './namespace.js';

/** What clients may edit of a namespace: its metadata. `spec.finalizers` only falls, through `/finalize`. */
export function editableNamespace(namespace: NamespaceState): Editable {
  const { labels, annotations, ownerReferences, finalizers } = namespace.meta;
  return { labels, annotations, ownerReferences, finalizers, spec: {} };
}

/** A namespace after one more event; `undefined` once deleted. */
export function evolveNamespace(
  namespace: NamespaceState | undefined,
  event: Recorded<NamespaceEvent>,
): NamespaceState | undefined {
  if (event.type === 'NamespaceRequested') {
    return { kind: 'Namespace', meta: newMeta(event.data, event), specFinalizers: ['kubernetes'] };
  }
  invariant(namespace, `${event.type} at revision ${event.revision}, but ${event.stream} holds no namespace`);
  const after = step(namespace, event);
  return after && { ...after, meta: { ...after.meta, resourceVersion: event.revision } };
}

function step(
  namespace: NamespaceState,
  event: Recorded<Exclude<NamespaceEvent, { type: 'NamespaceRequested' }>>,
): NamespaceState | undefined {
  switch (event.type) {
    case 'NamespaceChanged': {
      const { clientStatus = {}, ...rest } = namespace;
      const { meta, status } = afterChange(namespace.meta, editableNamespace(namespace), clientStatus, event.data);
      return { ...rest, meta, ...(Object.keys(status).length > 0 && { clientStatus: status }) };
    }
    case 'NamespaceDeletionRequested':
      return {
        ...namespace,
        meta: afterDeletionRequest(namespace.meta, { propagation: 'Background', gracePeriodSeconds: 0 }, event),
      };
    case 'NamespaceEmptied':
      return { ...namespace, specFinalizers: [] };
    case 'NamespaceDeleted':
      return undefined;
  }
}
