import { BaseRpcContext, Server, type CustomTransportStrategy, type MessageHandler } from '@nestjs/microservices';
import { isObservable, lastValueFrom } from 'rxjs';
import type { JsonObject, Unsubscribe } from '#domain';
import { controlPlaneQueue } from '../subjects.js';
import { DurableConsumer, type Delivery, type DurableOptions } from '../nats/durable-consumer.js';
import { NatsBus } from '../nats/nats-bus.js';
import type { NatsLink } from '../nats/nats-link.js';

export interface NatsTransportOptions {
  /** The connection; it is the caller's, who closes it after the application. */
  readonly link: NatsLink;
  /** Queue group of request handlers that name none. */
  readonly queue?: string;
}

/** Second argument of `@MessagePattern`: the queue group; `false` lets every process answer. */
export interface RequestExtras {
  readonly queue?: string | false;
}

/** Second argument of `@EventPattern`: with `durable`, a durable consumer on EVENTS; without, the news as it passes. */
export type EventExtras = Partial<Omit<DurableOptions, 'subject'>>;

/** What a handler is told besides the message: `@Ctx() context: BusContext`. */
export class BusContext extends BaseRpcContext<[subject: string, delivery: Delivery | undefined]> {
  get subject(): string {
    return this.args[0];
  }

  /** Of a durable consumer only. */
  get delivery(): Delivery | undefined {
    return this.args[1];
  }
}

/** Connection state, as Nest's transports tell it. */
export type BusStatus = 'connected' | 'disconnected';

type BusEvents = { status: (status: BusStatus) => void };

/**
 * Nest microservices over `nats`. Requests are answered with what the handler returns or refused with what it throws (use
 * `RefusalFilter`, or Nest hides the reason); durable events are acknowledged after their handler, see `DurableConsumer`.
 */
export class NatsTransport extends Server<BusEvents, BusStatus> implements CustomTransportStrategy {
  /** Failures of event handlers are ours to report: they decide between acknowledgement and another attempt. */
  override readonly propagatesEventHandlerErrors = true;
  private readonly bus: NatsBus;
  private readonly consumers: DurableConsumer[] = [];
  private readonly watching: Unsubscribe[] = [];
  private readonly inFlight = new Set<Promise<void>>();

  constructor(private readonly options: NatsTransportOptions) {
    super();
    this.bus = new NatsBus(options.link);
  }

  /** Subscribes all handlers; calls back when durable consumers have begun to flow or wait for the stream. */
  async listen(callback: (error?: unknown) => void): Promise<void> {
    try {
      this.watching.push(this.options.link.onConnection((connected) => this.tell(connected)));
      this.tell(this.options.link.connected);
      for (const [subject, handler] of this.messageHandlers) this.bind(subject, handler);
      for (const consumer of this.consumers) void consumer.start();
      await this.options.link.connection.flush();
      callback();
    } catch (error) {
      callback(error);
    }
  }

  /** Takes nothing more, waits for the handlers under way, and sends their replies and acknowledgements. */
  async close(): Promise<void> {
    await Promise.all([...this.consumers.map((consumer) => consumer.close()), this.bus.drain()]);
    await Promise.all([...this.inFlight]);
    for (const end of this.watching.splice(0)) end();
  }

  override on<Key extends keyof BusEvents>(_event: Key, callback: BusEvents[Key]): void {
    this.watching.push(this.options.link.onConnection((connected) => callback(statusOf(connected))));
  }

  override unwrap<T>(): T {
    return this.options.link.connection as T;
  }

  private bind(subject: string, handler: MessageHandler): void {
    if (!handler.isEventHandler) return this.bindRequest(subject, handler);
    const { durable, ...extras } = (handler.extras ?? {}) as EventExtras;
    if (durable === undefined) return this.bindNews(subject, handler);
    // Nest chains handlers of one pattern behind each other: one acknowledgement cannot speak for two consumers.
    if (handler.next) throw new Error(`two handlers for ${subject}: a durable consumer has one`);
    const take = async (message: JsonObject, delivery: Delivery): Promise<void> => {
      await this.run(handler, message, new BusContext([delivery.subject, delivery]));
    };
    this.consumers.push(new DurableConsumer(this.options.link, { ...extras, durable, subject }, take));
  }

  private bindRequest(subject: string, handler: MessageHandler): void {
    const { queue = this.options.queue ?? controlPlaneQueue } = (handler.extras ?? {}) as RequestExtras;
    this.bus.respond(subject, queue === false ? undefined : queue, async (message, on) => {
      const reply = await this.run(handler, message, new BusContext([on, undefined]));
      return (reply ?? {}) as JsonObject;
    });
  }

  private bindNews(subject: string, handler: MessageHandler): void {
    this.bus.subscribe(subject, (message, on) => {
      const work = this.run(handler, message, new BusContext([on, undefined]))
        .then(() => undefined)
        .catch((cause: unknown) => this.options.link.report(`handler of ${on} failed`, cause))
        .finally(() => this.inFlight.delete(work));
      this.inFlight.add(work);
    });
  }

  /** Runs a handler to its end, between Nest's hooks; throws what it threw. */
  private run(handler: MessageHandler, message: JsonObject, context: BusContext): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.runWithProcessingHooks(context, async (done) => {
        try {
          const result: unknown = await handler(message, context);
          resolve(isObservable(result) ? await lastValueFrom(result, { defaultValue: undefined }) : result);
        } catch (cause) {
          reject(cause);
        } finally {
          done();
        }
      });
    });
  }

  private tell(connected: boolean): void {
    this._status$.next(statusOf(connected));
  }
}

const statusOf = (connected: boolean): BusStatus => (connected ? 'connected' : 'disconnected');
