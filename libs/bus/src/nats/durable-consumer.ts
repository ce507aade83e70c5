import {
  AckPolicy,
  DeliverPolicy,
  headers,
  nanos,
  RetentionPolicy,
  StorageType,
  type ConsumerConfig,
  type ConsumerMessages,
  type JetStreamManager,
  type JsMsg,
} from 'nats';
import { DomainError, type JsonObject } from '#domain';
import { decodeMessage } from '../codec.js';
import { deadLetterSubject } from '../subjects.js';
import { jetStreamCode, jetStreamErrors } from './jetstream-errors.js';
import { eventsStream } from './nats-event-feed.js';
import type { NatsLink } from './nats-link.js';

/** A message that no later attempt can handle either: it goes to the dead letters instead of coming again. */
export class Unprocessable extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'Unprocessable';
  }
}

export interface DurableOptions {
  /** Name of the consumer; processes that share it share the work. */
  readonly durable: string;
  /** Subjects to be given: `events.pod.>`. */
  readonly subject: string;
  /** Messages being handled at a time, over all processes. `1` keeps the order, also when one has to come again. */
  readonly concurrency?: number;
  /** A message not heard of for so long is given to another process. Handlers that are at work say so. */
  readonly ackWaitMs?: number;
  /** Wait before a failed message comes again: doubles from `first` to `max`. */
  readonly backoffMs?: { readonly first: number; readonly max: number };
}

/** One delivery of a message. */
export interface Delivery {
  readonly subject: string;
  /** Position in the stream; not a revision. */
  readonly sequence: number;
  /** How often it has been given out, this time included. */
  readonly attempt: number;
}

export type HandleDelivery = (message: JsonObject, delivery: Delivery) => Promise<void>;

/** Stream that keeps what could not be handled, for people to look at. */
export const deadLetterStream = 'DEAD';

const defaults = { concurrency: 16, ackWaitMs: 30_000, backoffMs: { first: 1_000, max: 60_000 } };
const retryMs = 500;

/**
 * A durable pull consumer on EVENTS: at least once. A message is acknowledged after its handler is done; a handler that fails
 * gets it again after a growing wait; one that nobody can read, or that is {@link Unprocessable}, is kept in the dead letters.
 * When the stream was wiped, the consumer is made anew from the start of the window: handlers recognise events by their id.
 */
export class DurableConsumer {
  private readonly options: Required<DurableOptions>;
  private readonly inFlight = new Set<Promise<void>>();
  private readonly closing = new AbortController();
  private messages: ConsumerMessages | undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly link: NatsLink,
    options: DurableOptions,
    private readonly handle: HandleDelivery,
  ) {
    this.options = { ...defaults, ...options };
  }

  /** Resolves when messages flow for the first time; goes on, through wipes and restarts, until {@link close}. */
  async start(): Promise<void> {
    const flowing = new Promise<void>((resolve) => {
      this.running = this.run(resolve);
    });
    await Promise.race([flowing, this.running]);
  }

  /** Takes no more messages and waits for the handlers under way; their acknowledgements are sent. */
  async close(): Promise<void> {
    this.closing.abort();
    await this.messages?.close();
    await this.running;
    await Promise.all([...this.inFlight]);
    if (this.link.connected) await this.link.connection.flush().catch(() => undefined);
  }

  private async run(flowing: () => void): Promise<void> {
    let told = '';
    while (!this.closing.signal.aborted) {
      try {
        this.messages = await this.consume();
        flowing();
        told = '';
        await this.messages.closed();
      } catch (cause) {
        const problem = cause instanceof Error ? cause.message : String(cause);
        if (problem !== told) this.link.report(`consumer ${this.options.durable} waits`, cause);
        told = problem;
      }
      await this.pause(retryMs);
    }
  }

  private async consume(): Promise<ConsumerMessages> {
    const manager = await this.link.connection.jetstreamManager({ checkAPI: false });
    await this.ensure(manager);
    const consumer = await this.link.connection.jetstream().consumers.get(eventsStream, this.options.durable);
    const messages = await consumer.consume({
      max_messages: this.options.concurrency,
      expires: 10_000,
      abort_on_missing_resource: true,
      callback: (message) => this.take(message),
    });
    if (this.closing.signal.aborted) await messages.close();
    return messages;
  }

  private async ensure(manager: JetStreamManager): Promise<void> {
    const config = this.config();
    const exists: readonly (number | undefined)[] = [
      jetStreamErrors.consumerExists,
      jetStreamErrors.consumerAlreadyExists,
    ];
    try {
      await manager.consumers.add(eventsStream, config);
    } catch (cause) {
      if (!exists.includes(jetStreamCode(cause))) throw cause;
      await manager.consumers.update(eventsStream, this.options.durable, config);
    }
  }

  /** The server gives out no more than `max_ack_pending` unacknowledged messages, so what arrives is started at once. */
  private config(): Partial<ConsumerConfig> & { readonly durable_name: string } {
    return {
      durable_name: this.options.durable,
      filter_subject: this.options.subject,
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      ack_wait: nanos(this.options.ackWaitMs),
      max_ack_pending: this.options.concurrency,
      max_deliver: -1,
    };
  }

  private take(message: JsMsg): void {
    if (this.closing.signal.aborted) return message.nak();
    const work = this.process(message)
      .catch((cause: unknown) => this.link.report(`delivery ${message.seq} of ${this.options.durable} is open`, cause))
      .finally(() => this.inFlight.delete(work));
    this.inFlight.add(work);
  }

  private async process(message: JsMsg): Promise<void> {
    const attempt = message.info.redeliveryCount;
    const alive = setInterval(() => this.signOfLife(message), this.options.ackWaitMs / 3);
    try {
      const failure = await this.attempt(message, attempt);
      if (failure === undefined) return message.ack();
      if (failure instanceof Unprocessable) return await this.bury(message, failure);
      this.link.report(`handler of ${message.subject} failed, attempt ${attempt}`, failure);
      message.nak(this.backoffMs(attempt));
    } finally {
      clearInterval(alive);
    }
  }

  /** What the handler threw, if it did. */
  private async attempt(message: JsMsg, attempt: number): Promise<Error | undefined> {
    try {
      await this.handle(readable(message), { subject: message.subject, sequence: message.seq, attempt });
      return undefined;
    } catch (cause) {
      return cause instanceof Error ? cause : new Error('the handler failed', { cause });
    }
  }

  private signOfLife(message: JsMsg): void {
    try {
      message.working();
    } catch (cause) {
      this.link.report(`delivery ${message.seq} of ${this.options.durable} may be given to another`, cause);
    }
  }

  /** Kept first, given up after: a crash in between makes it come again. */
  private async bury(message: JsMsg, cause: Error): Promise<void> {
    const why = headers();
    why.set('Podledger-Subject', message.subject);
    why.set('Podledger-Sequence', String(message.seq));
    why.set('Podledger-Reason', cause.message.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 500));
    this.link.report(`${message.subject} went to the dead letters of ${this.options.durable}`, cause);
    const manager = await this.link.connection.jetstreamManager({ checkAPI: false });
    await manager.streams.add(deadLetters).catch((error: unknown) => {
      // It is there, with limits that somebody chose.
      if (jetStreamCode(error) !== jetStreamErrors.streamNameInUse) throw error;
    });
    await this.link.connection.jetstream().publish(deadLetterSubject(this.options.durable), message.data, {
      headers: why,
      msgID: `${this.options.durable} ${message.seq} ${message.info.timestampNanos}`,
    });
    message.term();
  }

  private backoffMs(attempt: number): number {
    const { first, max } = this.options.backoffMs;
    return Math.min(max, first * 2 ** Math.min(attempt - 1, 30));
  }

  private pause(ms: number): Promise<void> {
    const { signal } = this.closing;
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const timer = setTimeout(resolve, ms);
      signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
    });
  }
}

function readable(message: JsMsg): JsonObject {
  try {
    return decodeMessage(message.data);
  } catch (cause) {
    throw new Unprocessable(cause instanceof DomainError ? cause.message : 'unreadable', { cause });
  }
}

const deadLetters = {
  name: deadLetterStream,
  subjects: [deadLetterSubject('>')],
  retention: RetentionPolicy.Limits,
  storage: StorageType.File,
  max_bytes: 64 * 1024 * 1024,
  max_age: nanos(30 * 24 * 3_600_000),
};
