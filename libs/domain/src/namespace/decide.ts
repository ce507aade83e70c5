import { DomainError } from '../errors.js';
import { alreadyExists, changedData, checkPreconditions, notFound } from '../meta/metadata.js';
import { editableNamespace } from './evolve.js';
import type { NamespaceCommand, NamespaceEvent, NamespaceState } from './namespace.js';

/** Namespaces that are always there. */
export const SYSTEM_NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'] as const;

/** What a command makes happen to a namespace; nothing when it is already so. Throws `DomainError` when it is refused. */
export function decideNamespace(command: NamespaceCommand, namespace: NamespaceState | undefined): NamespaceEvent[] {
  if (command.type === 'RequestNamespace') {
    if (namespace) throw alreadyExists('Namespace', command.name);
    const labels = { ...command.meta.labels, 'kubernetes.io/metadata.name': command.name };
    return [{ type: 'NamespaceRequested', data: { ...command.meta, labels } }];
  }
  if (!namespace) throw notFound('Namespace', '');
  switch (command.type) {
    case 'ChangeNamespace': {
      checkPreconditions('Namespace', namespace.meta, command.preconditions);
      const desired = { ...command.desired, spec: {} };
      const status = command.status && { current: namespace.clientStatus ?? {}, desired: command.status };
      const data = changedData(namespace.meta, editableNamespace(namespace), { ...command, desired }, status);
      if (!data) return [];
      return [{ type: 'NamespaceChanged', data }, ...gone(namespace, namespace.specFinalizers, desired.finalizers)];
    }
    case 'DeleteNamespace':
      checkPreconditions('Namespace', namespace.meta, command.preconditions);
      if (
        (SYSTEM_NAMESPACES as readonly string[]).includes(namespace.meta.name) &&
        namespace.meta.name !== 'kube-node-lease'
      ) {
        throw new DomainError(
          'Forbidden',
          `namespaces "${namespace.meta.name}" is forbidden: this namespace may not be deleted`,
        );
      }
      return namespace.meta.deletion ? [] : [{ type: 'NamespaceDeletionRequested', data: {} }];
    case 'FinalizeNamespace':
      if (namespace.meta.uid !== command.uid || !namespace.meta.deletion) return [];
      return [
        ...(namespace.specFinalizers.length > 0 ? [{ type: 'NamespaceEmptied' as const, data: {} }] : []),
        ...gone(namespace, [], namespace.meta.finalizers),
      ];
  }
}

function gone(
  { meta }: NamespaceState,
  specFinalizers: readonly string[],
  finalizers: readonly string[],
): NamespaceEvent[] {
  const goes = meta.deletion && specFinalizers.length === 0 && finalizers.length === 0;
  return goes ? [{ type: 'NamespaceDeleted', data: { uid: meta.uid } }] : [];
}

/** Refuses to make `what` in a namespace that is not there or is going. Guard the namespace's stream with the same command. */
export function refuseInNamespace(namespace: NamespaceState | undefined, name: string, what = 'object'): void {
  if (!namespace) throw notFound('Namespace', name);
  if (!namespace.meta.deletion) return;
  const message = `unable to create new content in namespace ${name} because it is being terminated`;
  throw new DomainError('Forbidden', `${what} is forbidden: ${message}`, [
    { field: 'metadata.namespace', reason: 'NamespaceTerminating', message: `namespace ${name} is being terminated` },
  ]);
}
