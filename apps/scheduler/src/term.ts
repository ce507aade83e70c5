import {
  type Clock,
  type ClusterState,
  type EventContext,
  type IdSource,
  LogUnavailable,
  type Recorded,
  StaleEpoch,
} from '#domain';
import type { CommandBus, StreamDecision } from '#eventlog';

/** The event that something is done about. */
export type Cause = Pick<Recorded, 'id' | 'correlationId'>;

/** Streams, and their versions, that a decision rests on. */
export type Footing = ReadonlyMap<string, number>;

/** Notes where streams stand while a decision is made, so that it is carried out only if they still do. */
export function footingOf(state: ClusterState, streams: Iterable<string>): Footing {
  return new Map([...streams].map((stream) => [stream, state.version(stream)]));
}

/** Something to record. */
export interface Intent {
  /** Given where a repeat in another term must be recognised; else drawn. */
  readonly commandId?: string;
  readonly cause?: Cause;
  /** What was decided rests on these; once one of them has moved, nothing is recorded. */
  readonly footing: Footing;
  /** Pure. Throws `DomainError` to refuse. */
  readonly decide: (state: ClusterState) => readonly StreamDecision[];
}

/** `moved`: the ground the decision stood on has shifted, so it has to be made anew. */
export type Outcome = 'recorded' | 'nothing' | 'moved';

/** The term has ended; whoever acts in it stops. */
export class TermOver extends Error {
  constructor() {
    super('the term of this scheduler is over');
    this.name = 'TermOver';
  }
}

export interface TermOptions {
  readonly epoch: number;
  readonly commands: CommandBus;
  readonly clock: Clock;
  readonly ids: IdSource;
  /** Called when the log says that a later scheduler has taken over. */
  readonly deposed: (currentEpoch: number) => void;
  readonly signal: AbortSignal;
}

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 2_000;

/** The time for which this scheduler is the active one. All that it records carries the epoch of its term. */
export class Term {
  constructor(private readonly options: TermOptions) {}

  get epoch(): number {
    return this.options.epoch;
  }

  get signal(): AbortSignal {
    return this.options.signal;
  }

  /**
   * Records a decision. When the outcome of an attempt is unknown the same command is repeated until it is known, for as long
   * as the term lasts: giving up and deciding anew could do the thing twice. Throws {@link TermOver}, and what `decide` throws.
   */
  async execute({ commandId, cause, footing, decide }: Intent): Promise<Outcome> {
    const { commands, clock, ids, epoch, signal } = this.options;
    const id = commandId ?? ids.uuid();
    const context = this.#context(cause);
    let moved = false;
    const holds = (state: ClusterState): boolean => {
      moved = [...footing].some(([stream, version]) => state.version(stream) !== version);
      return !moved;
    };
    for (let retryMs = FIRST_RETRY_MS; ; retryMs = Math.min(2 * retryMs, LAST_RETRY_MS)) {
      if (signal.aborted) throw new TermOver();
      try {
        const { changed } = await commands.execute({
          commandId: id,
          context,
          schedulerEpoch: epoch,
          decide: (state) => (holds(state) ? decide(state) : []),
          guards: () => [...footing.keys()],
        });
        return moved ? 'moved' : changed ? 'recorded' : 'nothing';
      } catch (error) {
        if (error instanceof StaleEpoch) {
          this.options.deposed(error.current);
          throw new TermOver();
        }
        if (!(error instanceof LogUnavailable)) throw error;
        await clock.sleep(retryMs, signal);
      }
    }
  }

  #context(cause: Cause | undefined): EventContext {
    const requestId = this.options.ids.uuid();
    return {
      actor: { kind: 'system', name: 'scheduler' },
      requestId,
      ...(cause && { causationId: cause.id }),
      correlationId: cause?.correlationId ?? requestId,
    };
  }
}
