import {
  DomainError,
  type Clock,
  type ClusterState,
  type EventContext,
  type NewEvent,
  type Recorded,
  type StoredObject,
} from '#domain';
import type { ClusterProjection, CommandBus } from '#eventlog';
import type { RecentChanges } from '../read/recent-changes.js';
import { untilLatest } from '../read/revisions.js';
import type { Decided, ResourceDefinition } from '../resources/resource.js';
import { StatusError } from '../status-error.js';
import { WireError } from '../wire/index.js';

/** One command on one object. */
export interface Intent {
  readonly definition: ResourceDefinition;
  readonly stream: string;
  readonly commandId: string;
  readonly context: EventContext;
  readonly dryRun: boolean;
  /** Pure; called again on newer state. */
  readonly decide: (state: ClusterState, current: StoredObject | undefined) => Decided;
  /** Streams that must not have moved, though they are not written. */
  readonly guards?: readonly string[];
}

/** Carries decisions out, and gives the object as they left it. */
export class Committer {
  constructor(
    private readonly projection: ClusterProjection,
    private readonly recent: RecentChanges,
    private readonly commands: CommandBus,
    private readonly clock: Clock,
  ) {}

  /**
   * The object after the command, `undefined` when it is gone. A command is decided on what this replica has. Where that
   * leads to a refusal or to no change, it may be for want of news: then it is decided once more on what the log has.
   */
  async commit(intent: Intent): Promise<StoredObject | undefined> {
    const seen = this.projection.revision;
    try {
      const outcome = await this.attempt(intent);
      if (outcome.changed) return outcome.object;
      await untilLatest(this.projection);
      if (this.projection.revision === seen) return outcome.object;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      await untilLatest(this.projection);
      if (this.projection.revision === seen) throw error;
    }
    return (await this.attempt(intent)).object;
  }

  private async attempt(intent: Intent): Promise<{ changed: boolean; object: StoredObject | undefined }> {
    const { stream, commandId, context, dryRun, decide, guards } = intent;
    if (dryRun) return { changed: false, object: this.preview(intent) };
    const { revision, changed } = await this.commands.execute({
      commandId,
      context,
      decide: (state) => [{ stream, events: decide(state, state.get(stream)) }],
      ...(guards && { guards: () => guards }),
    });
    // By now others may have written: the answer is what this command made of the object.
    const past = changed && this.recent.covers(revision);
    return { changed, object: past ? this.recent.getAt(revision, stream) : this.projection.state.get(stream) };
  }

  /** What the object would be; nothing is recorded. Its resourceVersion stays. */
  private preview({ definition, stream, commandId, context, decide }: Intent): StoredObject | undefined {
    const { state } = this.projection;
    const current = state.get(stream);
    const envelope = {
      ...context,
      id: '',
      revision: current?.meta.resourceVersion ?? 1,
      stream,
      version: 1,
      time: this.clock.now(),
      schemaVersion: 1,
      commandId,
      commandLast: 0,
    };
    return decide(state, current).reduce<StoredObject | undefined>(
      (object, event) => definition.evolve(object, { ...envelope, ...(event as NewEvent) } satisfies Recorded),
      current,
    );
  }
}

/** The request was understood and refused, on the state it was decided on. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof DomainError || error instanceof StatusError || error instanceof WireError;
