import {
  DiscardPolicy,
  ErrorCode,
  NatsError,
  nanos,
  RetentionPolicy,
  StorageType,
  type JetStreamManager,
  type PubAck,
  type StreamConfig,
} from 'nats';
import { FeedMoved, NoAnswer, type EventEnvelope, type EventFeed, type NewEvent, type Revision } from '#domain';
import { decodeMessage } from '../codec.js';
import { allEventsSubject } from '../subjects.js';
import { jetStreamCode, jetStreamErrors } from './jetstream-errors.js';
import type { NatsLink } from './nats-link.js';

type FeedEvent = EventEnvelope & NewEvent<string, unknown>;

/** Name of the stream that holds the window of the log. */
export const eventsStream = 'EVENTS';

export interface FeedWindow {
  /** Oldest messages go when the stream is larger, in bytes. */
  readonly maxBytes: number;
  /** And when they are older, in milliseconds; `0` keeps them whatever their age. */
  readonly maxAgeMs: number;
}

const defaultWindow: FeedWindow = { maxBytes: 256 * 1024 * 1024, maxAgeMs: 7 * 24 * 3_600_000 };

/** Publishes unacknowledged at a time: where JetStream's throughput stops growing. */
const maxInFlight = 256;
const timeoutMs = 5_000;

/**
 * The EVENTS stream on JetStream. Every publish names the sequence it follows, so what the stream holds is always a
 * contiguous part of the log, whoever else publishes and wherever an attempt broke off.
 */
export class NatsEventFeed implements EventFeed {
  private manager: JetStreamManager | undefined;

  constructor(
    private readonly link: NatsLink,
    private readonly window: FeedWindow = defaultWindow,
  ) {}

  /** A stream that does not hold what its base says (a stranger wrote into it) counts as none: {@link create} replaces it. */
  async inspect(): Promise<{ readonly base: Revision; readonly lastSequence: number } | undefined> {
    return this.ask(async (manager) => {
      const info = await orUndefined(manager.streams.info(eventsStream), jetStreamErrors.streamNotFound);
      const base = info && baseOf(info.config.description);
      if (!info || base === undefined) return undefined;
      const lastSequence = info.state.last_seq;
      return (await this.isWindow(manager, base, lastSequence)) ? { base, lastSequence } : undefined;
    });
  }

  async create(base: Revision): Promise<void> {
    const seen = await this.inspect();
    if (seen?.base === base) return;
    if (seen) throw new FeedMoved(`another relay made the stream, with base ${seen.base}`);
    const made = await this.ask(async (manager) => {
      await orUndefined(manager.streams.delete(eventsStream), jetStreamErrors.streamNotFound);
      return orUndefined(manager.streams.add(streamConfig(base, this.window)), jetStreamErrors.streamNameInUse);
    });
    if (!made) throw new FeedMoved('another relay made the stream');
  }

  async publish(
    afterSequence: number,
    messages: readonly { readonly subject: string; readonly event: FeedEvent }[],
  ): Promise<void> {
    const pending = messages.entries();
    let failure: unknown;
    // Each lane takes the next message when its last one is acknowledged; the shared iterator keeps them in order.
    const lane = async (): Promise<void> => {
      for (const [index, message] of pending) {
        try {
          await this.publishOne(afterSequence + index, message.subject, message.event);
        } catch (cause) {
          failure ??= cause;
        }
        if (failure !== undefined) return;
      }
    };
    await Promise.all(Array.from({ length: Math.min(maxInFlight, messages.length) }, lane));
    if (failure !== undefined) throw failure;
  }

  private async publishOne(after: number, subject: string, event: FeedEvent): Promise<void> {
    const ack = await this.send(after, subject, event);
    // A repeat of what is already in is acknowledged with its first sequence: right where it belongs, or the stream is another.
    if (ack.seq !== after + 1) throw new FeedMoved(`event ${event.id} is at ${ack.seq}, not ${after + 1}`);
  }

  private async send(after: number, subject: string, event: FeedEvent): Promise<PubAck> {
    try {
      return await this.link.untilLost(() =>
        this.link.connection.jetstream().publish(subject, this.encode(event), {
          msgID: event.id,
          timeout: timeoutMs,
          expect: { streamName: eventsStream, lastSequence: after },
        }),
      );
    } catch (cause) {
      if (isMoved(cause)) throw new FeedMoved(`the stream is not at ${after}: ${textOf(cause)}`);
      throw unanswered(cause);
    }
  }

  /** One event over the server's limit must not stop the feed: it goes without its data, which the log has. */
  private encode(event: FeedEvent): string {
    const text = JSON.stringify(event);
    const headerAllowance = 1_024;
    if (Buffer.byteLength(text) + headerAllowance <= this.link.maxPayload) return text;
    return JSON.stringify({ ...event, data: {}, truncated: true });
  }

  private async isWindow(manager: JetStreamManager, base: Revision, lastSequence: number): Promise<boolean> {
    if (lastSequence === 0) return true;
    const last = await orUndefined(
      manager.streams.getMessage(eventsStream, { seq: lastSequence }),
      jetStreamErrors.noMessageFound,
    );
    if (!last) return true;
    try {
      return decodeMessage(last.data)['revision'] === base + lastSequence;
    } catch {
      return false;
    }
  }

  /** Runs a request to the JetStream API; whatever keeps it from being answered is {@link NoAnswer}. */
  private async ask<T>(run: (manager: JetStreamManager) => Promise<T>): Promise<T> {
    try {
      return await this.link.untilLost(async () => {
        this.manager ??= await this.link.connection.jetstreamManager({ checkAPI: false, timeout: timeoutMs });
        return run(this.manager);
      });
    } catch (cause) {
      throw unanswered(cause);
    }
  }
}

const movedCodes: ReadonlySet<number | undefined> = new Set([
  jetStreamErrors.wrongLastSequence,
  jetStreamErrors.streamNotFound,
  jetStreamErrors.streamNotMatching,
]);

/** Also when nobody listens on the subject: the stream is gone, or JetStream is not up, and `inspect` tells which. */
const isMoved = (cause: unknown): boolean =>
  movedCodes.has(jetStreamCode(cause)) || (cause instanceof NatsError && cause.code === ErrorCode.NoResponders);

const textOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

const unanswered = (cause: unknown): NoAnswer =>
  cause instanceof NoAnswer ? cause : new NoAnswer(`JetStream: ${textOf(cause)}`, { cause });

/** The answer, or `undefined` when the server says this one thing. */
async function orUndefined<T>(answer: Promise<T>, code: number): Promise<T | undefined> {
  try {
    return await answer;
  } catch (cause) {
    if (jetStreamCode(cause) === code) return undefined;
    throw cause;
  }
}

function baseOf(description: string | undefined): Revision | undefined {
  const digits = /^base=(\d+)$/.exec(description ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}

const streamConfig = (base: Revision, window: FeedWindow): Partial<StreamConfig> & { readonly name: string } => ({
  name: eventsStream,
  description: `base=${base}`,
  subjects: [allEventsSubject],
  retention: RetentionPolicy.Limits,
  storage: StorageType.File,
  discard: DiscardPolicy.Old,
  max_bytes: window.maxBytes,
  max_age: nanos(window.maxAgeMs),
  num_replicas: 1,
});
