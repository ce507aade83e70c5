import {
  type ClusterState,
  type EventContext,
  type EventLog,
  LogUnavailable,
  type NewEvent,
  type Revision,
  type VersionConflict,
} from '#domain';
import type { ClusterProjection } from './cluster-projection.js';
import { handleCommand } from './handle-command.js';

/** What a command records in one stream. */
export interface StreamDecision {
  readonly stream: string;
  readonly events: readonly NewEvent<string, unknown>[];
}

export interface Command {
  /** One per request, reused when the outcome of an attempt is unknown. */
  readonly commandId: string;
  readonly context: EventContext;
  readonly schedulerEpoch?: number;
  /** Pure; called again on newer state after a conflict. Streams without events are left out. Throws to refuse. */
  readonly decide: (state: ClusterState) => readonly StreamDecision[];
  /** Streams that the decision read and does not write: they must not have moved. */
  readonly guards?: (state: ClusterState) => readonly string[];
}

export interface Executed {
  /** Revision of the command's last event; this replica's revision when there was nothing to record. */
  readonly revision: Revision;
  /** Whether anything was recorded (now, or by the first attempt of a repeated command). */
  readonly changed: boolean;
  readonly duplicate: boolean;
}

/** A conflict is decided again this often: beyond that the stream is contended as no client of ours would. */
const RETRIES = 10;
const APPLIED_MS = 10_000;

/** Decides commands on this replica's projection and appends what they decide. */
export class CommandBus {
  readonly #log: EventLog;
  readonly #projection: ClusterProjection;

  constructor({ log, projection }: { readonly log: EventLog; readonly projection: ClusterProjection }) {
    this.#log = log;
    this.#projection = projection;
  }

  /**
   * Carries a command out and waits until this replica shows the result, so that its answer can be read from the
   * projection. Throws what `decide` throws, `VersionConflict` when the retries are used up, `StaleEpoch`, and
   * `LogUnavailable` when the outcome is unknown.
   */
  async execute(command: Command): Promise<Executed> {
    const { commandId, context, schedulerEpoch, decide, guards } = command;
    // Versions of streams whose object went so long ago that the projection has forgotten them: the conflict tells.
    const forgotten = new Map<string, number>();
    const versionOf = (state: ClusterState, stream: string): number =>
      state.version(stream) || (forgotten.get(stream) ?? 0);
    const appended = await handleCommand<ClusterState>({
      log: this.#log,
      commandId,
      context,
      retries: RETRIES,
      ...(schedulerEpoch !== undefined && { schedulerEpoch }),
      load: (conflict) => this.#load(conflict, forgotten),
      decide: (state) => {
        const writes = decide(state)
          .filter(({ events }) => events.length > 0)
          .map(({ stream, events }) => ({ stream, expectedVersion: versionOf(state, stream), events }));
        if (writes.length === 0) return undefined;
        const written = new Set(writes.map(({ stream }) => stream));
        const guarded = [...new Set(guards?.(state) ?? [])].filter((stream) => !written.has(stream));
        return { writes, guards: guarded.map((stream) => ({ stream, version: versionOf(state, stream) })) };
      },
    });
    if (!appended) return { revision: this.#projection.revision, changed: false, duplicate: false };
    if (!(await this.#projection.waitFor(appended.last, APPLIED_MS))) {
      throw new LogUnavailable(
        `revision ${appended.last} is in the log but did not reach this replica in ${APPLIED_MS} ms`,
      );
    }
    return { revision: appended.last, changed: true, duplicate: appended.duplicate };
  }

  async #load(conflict: VersionConflict | undefined, forgotten: Map<string, number>): Promise<ClusterState> {
    if (conflict) {
      await this.#projection.catchUp();
      if (this.#projection.state.version(conflict.stream) === 0) forgotten.set(conflict.stream, conflict.actual);
    }
    return this.#projection.state;
  }
}
