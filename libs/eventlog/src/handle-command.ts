import { type AppendCommand, type Appended, type EventContext, type EventLog, VersionConflict } from '#domain';

/** What a decider wants recorded. */
export type Decision = Pick<AppendCommand, 'writes' | 'guards'>;

export interface CommandHandling<State> {
  readonly log: Pick<EventLog, 'append'>;
  /** One per request: attempts share it, and so does a caller's repeat after an unknown outcome. */
  readonly commandId: string;
  readonly context: EventContext;
  /**
   * The state to decide on. After a conflict it is called again with that conflict, and must then return a state that is at
   * least as new: wait until the projection has `conflict.stream` at `conflict.actual`, or read the stream anew.
   */
  readonly load: (conflict?: VersionConflict) => Promise<State>;
  /** Pure. `undefined`: nothing to record. What it throws reaches the caller. */
  readonly decide: (state: State) => Decision | undefined;
  readonly schedulerEpoch?: number;
  /** How often a conflict is decided again. */
  readonly retries?: number;
}

/**
 * Load, decide, append. A command decided on stale state is decided again, never applied blindly; nothing else is repeated
 * here. Resolves to `undefined` when there was nothing to record. Throws what `decide` throws, the last `VersionConflict` when
 * the retries are used up, `StaleEpoch`, and `LogUnavailable` when the outcome is unknown.
 */
export async function handleCommand<State>(handling: CommandHandling<State>): Promise<Appended | undefined> {
  const { log, commandId, context, load, decide, schedulerEpoch, retries = 5 } = handling;
  let conflict: VersionConflict | undefined;
  for (let attempt = 0; ; attempt += 1) {
    const decision = decide(await load(conflict));
    if (!decision || decision.writes.length === 0) return undefined;
    try {
      return await log.append({
        commandId,
        context,
        ...decision,
        ...(schedulerEpoch === undefined ? {} : { schedulerEpoch }),
      });
    } catch (error) {
      if (!(error instanceof VersionConflict) || attempt >= retries) throw error;
      conflict = error;
    }
  }
}
