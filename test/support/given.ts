import { type EventEnvelope, type NewEvent, type Recorded, refOf } from '#domain';

/** When the history of a test begins: 2026-01-01T00:00:00Z. Each event comes a second after the one before. */
export const EPOCH = 1_767_225_600_000;

/** Events of one stream as the log would hold them, from revision and version 1 unless told otherwise. */
export function recorded<E extends NewEvent<string, unknown>>(
  stream: string,
  events: readonly E[],
  from: Partial<Pick<EventEnvelope, 'revision' | 'version' | 'time'>> = {},
): Recorded<E>[] {
  const { revision = 1, version = 1, time = EPOCH } = from;
  refOf(stream);
  return events.map((event, index) => ({
    ...event,
    id: `event-${revision + index}`,
    revision: revision + index,
    stream,
    version: version + index,
    time: time + index * 1000,
    schemaVersion: 1,
    actor: { kind: 'user', name: 'test' },
    requestId: 'request',
    correlationId: 'request',
    commandId: `command-${revision + index}`,
    commandLast: revision + index,
  }));
}

/** The three functions of a decider, for one stream. */
export interface Decider<Command, Event extends NewEvent<string, unknown>, State> {
  readonly stream: string;
  readonly decide: (command: Command, state: State | undefined) => Event[];
  readonly evolve: (state: State | undefined, event: Recorded<Event>) => State | undefined;
}

/** Given these events, when this command, then those events: `given(decider)(...events).when(command)`. */
export function given<Command, Event extends NewEvent<string, unknown>, State>(
  decider: Decider<Command, Event, State>,
) {
  return (...events: Event[]) => {
    const fold = (more: readonly Event[]): State | undefined =>
      recorded(decider.stream, more).reduce<State | undefined>(
        (state, event) => decider.evolve(state, event),
        undefined,
      );
    return {
      /** The state that the events lead to. Throws when there is none. */
      state(): State {
        const state = fold(events);
        if (state === undefined) throw new Error('the given events leave no object');
        return state;
      },
      when: (command: Command): Event[] => decider.decide(command, fold(events)),
      /** The state after the command's events as well; `undefined` when the object went. */
      after: (command: Command): State | undefined => fold([...events, ...decider.decide(command, fold(events))]),
    };
  };
}
