import {
  decideNamespace,
  decidePlain,
  namespaceStream,
  priorityClassStream,
  SYSTEM_NAMESPACES,
  SYSTEM_PRIORITY_CLASSES,
  type IdSource,
  type NewEvent,
  type RequestedMeta,
} from '#domain';
import type { CommandBus } from '#eventlog';
import { systemContext } from './write/request-context.js';

interface SystemObject {
  readonly commandId: string;
  readonly stream: string;
  readonly decide: (meta: RequestedMeta) => readonly NewEvent<string, unknown>[];
}

const objects: readonly SystemObject[] = [
  ...SYSTEM_NAMESPACES.map((name): SystemObject => ({
    commandId: `system-namespace/${name}`,
    stream: namespaceStream(name),
    decide: (meta) => decideNamespace({ type: 'RequestNamespace', name, meta }, undefined),
  })),
  ...SYSTEM_PRIORITY_CLASSES.map(({ name, body }): SystemObject => ({
    commandId: `system-priority-class/${name}`,
    stream: priorityClassStream(name),
    decide: (meta) => decidePlain({ type: 'RequestPlainObject', kind: 'PriorityClass', name, meta, body }, undefined),
  })),
];

/** What is there from the beginning: each made once in the life of a cluster, by whoever comes first. */
export async function makeSystemObjects(commands: CommandBus, ids: IdSource): Promise<void> {
  for (const { commandId, stream, decide } of objects) {
    const meta = {
      uid: ids.uuid(),
      labels: {},
      annotations: {},
      ownerReferences: [],
      finalizers: [],
      fieldManager: 'podledger-api',
      managedFields: [],
    };
    await commands.execute({
      commandId,
      context: systemContext(commandId),
      // One that was deleted stays deleted.
      decide: (state) => (state.version(stream) > 0 ? [] : [{ stream, events: decide(meta) }]),
    });
  }
}
