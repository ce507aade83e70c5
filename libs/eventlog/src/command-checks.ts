import { type AppendCommand, invariant } from '#domain';

/** Longest command id in characters: the port promises it, the `commands` table is keyed by it. */
export const MAX_COMMAND_ID_LENGTH = 200;

const isVersion = (version: number): boolean => Number.isSafeInteger(version) && version >= 0;

/** What no text column of the log can hold: NUL, and half of a surrogate pair. JSON payloads escape both and may contain them. */
const UNSTORABLE = /[\0\p{Surrogate}]/u;
const isStorable = (text: string): boolean => !UNSTORABLE.test(text);

/**
 * Refuses a command that no log can take, before it reaches one: no events, a stream written twice, a version that is not
 * a count. Throws `BrokenInvariant`: such a command is a mistake of its author, never the outcome of a race.
 */
export function checkCommand(command: AppendCommand): void {
  const { commandId, context, writes, guards = [], schedulerEpoch } = command;
  invariant(
    commandId.length > 0 && commandId.length <= MAX_COMMAND_ID_LENGTH && isStorable(commandId),
    `a command id has 1 to ${MAX_COMMAND_ID_LENGTH} characters, well-formed and without NUL`,
  );
  const named = (what: string): string => `command ${commandId}: ${what}`;
  invariant(writes.length > 0, named('writes nothing'));
  const written = new Set<string>();
  for (const { stream, expectedVersion, events } of writes) {
    invariant(events.length > 0, named(`no event for ${stream}`));
    invariant(stream.length > 0 && isStorable(stream), named('a stream has a name, well-formed and without NUL'));
    invariant(!written.has(stream), named(`writes ${stream} twice`));
    invariant(isVersion(expectedVersion), named(`${stream} cannot be at version ${expectedVersion}`));
    invariant(
      events.every(({ type }) => type.length > 0 && isStorable(type)),
      named(`an event of ${stream} has no type`),
    );
    written.add(stream);
  }
  for (const { stream, version } of guards)
    invariant(stream.length > 0 && isStorable(stream) && isVersion(version), named(`guards ${stream} at ${version}`));
  invariant(
    schedulerEpoch === undefined || isVersion(schedulerEpoch),
    named(`scheduler epoch ${String(schedulerEpoch)} is not a count`),
  );
  const texts = [
    context.actor.name,
    context.requestId,
    context.correlationId,
    ...(context.causationId === undefined ? [] : [context.causationId]),
  ];
  invariant(texts.every(isStorable), named('its context contains NUL or half a character'));
}
