import { DomainError } from '../errors.js';
import { qualified } from '../meta/kinds.js';
import { alreadyExists, changedData, checkPreconditions, notFound } from '../meta/metadata.js';
import { editablePlain, wireChange } from './evolve.js';
import type { PlainChange, PlainCommand, PlainEvent, PlainKind, PlainObjectState } from './plain-object.js';
import { isSystemPriorityClass } from './priority-class.js';

type Command<Type extends PlainCommand['type']> = Extract<PlainCommand, { type: Type }>;

/** What a command makes happen to a plain object; nothing when it is already so. Throws `DomainError` when it is refused. */
export function decidePlain(command: PlainCommand, object: PlainObjectState | undefined): PlainEvent[] {
  const { kind } = command;
  if (command.type === 'RequestPlainObject') {
    if (object) throw alreadyExists(kind, command.name);
    return [eventOf(kind, { change: 'Created', ...command.meta, body: command.body })];
  }
  if (!object) throw notFound(kind, '');
  checkPreconditions(kind, object.meta, command.preconditions);
  return command.type === 'ChangePlainObject' ? change(command, object) : remove(command, object);
}

function change(command: Command<'ChangePlainObject'>, object: PlainObjectState): PlainEvent[] {
  const data = changedData(object.meta, editablePlain(object), command);
  if (!data) return [];
  const edited = eventOf(object.kind, { change: 'Edited', ...data, changes: data.changes.map(wireChange) });
  const goes = object.meta.deletion && command.desired.finalizers.length === 0;
  return goes ? [edited, gone(object)] : [edited];
}

/** In the background it goes at once; else it waits for the garbage reconcile, or for foreign finalizers. */
function remove({ propagation }: Command<'DeletePlainObject'>, object: PlainObjectState): PlainEvent[] {
  const { kind, meta } = object;
  if (kind === 'PriorityClass' && isSystemPriorityClass(meta.name)) {
    const why = 'this is a system priority class and cannot be deleted';
    throw new DomainError('Forbidden', `${qualified(kind, meta.name)} is forbidden: ${why}`);
  }
  if (meta.deletion) return [];
  if (propagation === 'Background' && meta.finalizers.length === 0) return [gone(object)];
  return [eventOf(kind, { change: 'DeletionRequested', propagation })];
}

const gone = ({ kind, meta }: PlainObjectState): PlainEvent => eventOf(kind, { change: 'Deleted', uid: meta.uid });

const eventOf = (kind: PlainKind, data: PlainChange): PlainEvent => ({ type: `${kind}Changed`, data });
