import { ErrorCode, headers, NatsError, type Msg, type Subscription } from 'nats';
import { NoAnswer, RemoteRefusal, type JsonObject, type MessageBus, type Unsubscribe } from '#domain';
import { decodeMessage, encodeMessage, isFault, refusalHeader, refusalOf, tooLarge } from '../codec.js';
import { mayReplyTo } from '../subjects.js';
import { connectNats, type NatsLink, type NatsLinkOptions } from './nats-link.js';

type Handle = (message: JsonObject, subject: string) => Promise<JsonObject>;

/** Requests handled at a time; more are refused (TooManyRequests) instead of piling up. */
const maxInFlight = 2_048;

/** The news over core NATS: JSON messages, refusals in a header. */
export class NatsBus implements MessageBus {
  private readonly subscriptions = new Set<Subscription>();
  private readonly inFlight = new Set<Promise<void>>();

  constructor(readonly link: NatsLink) {}

  /** A bus on a connection of its own; throws as `connectNats` does. */
  static async connect(options: NatsLinkOptions): Promise<NatsBus> {
    return new NatsBus(await connectNats(options));
  }

  get connected(): boolean {
    return this.link.connected;
  }

  publish(subject: string, message: JsonObject): void {
    if (!this.connected) return;
    const text = encodeMessage(message);
    if (this.isTooLarge(text)) {
      this.link.report(`message on ${subject} dropped: it is over ${this.link.maxPayload} bytes`);
      return;
    }
    try {
      this.link.connection.publish(subject, text);
    } catch (cause) {
      this.link.report(`message on ${subject} dropped`, cause);
    }
  }

  subscribe(subject: string, handle: (message: JsonObject, subject: string) => void): Unsubscribe {
    return this.listen(subject, undefined, (message) => {
      try {
        handle(decodeMessage(message.data), message.subject);
      } catch (cause) {
        this.link.report(`message on ${message.subject} could not be handled`, cause);
      }
    });
  }

  async request(subject: string, message: JsonObject, timeoutMs: number): Promise<JsonObject> {
    const text = encodeMessage(message);
    if (this.connected && this.isTooLarge(text)) {
      throw new RemoteRefusal(tooLarge, `request on ${subject} is over ${this.link.maxPayload} bytes`);
    }
    return replyOf(subject, await this.exchange(subject, text, timeoutMs));
  }

  respond(subject: string, queue: string | undefined, handle: Handle): Unsubscribe {
    return this.listen(subject, queue, (message) => {
      if (message.reply !== undefined && !mayReplyTo(message.subject, message.reply)) {
        this.link.report(`request on ${message.subject} ignored: it wants its reply on ${message.reply}`);
        return;
      }
      const work = this.answer(message, handle).finally(() => this.inFlight.delete(work));
      this.inFlight.add(work);
    });
  }

  onConnection(changed: (connected: boolean) => void): Unsubscribe {
    return this.link.onConnection(changed);
  }

  /** Ends all subscriptions and waits until every message already received is handled and answered. The link stays. */
  async drain(): Promise<void> {
    await Promise.all([...this.subscriptions].map((subscription) => end(subscription)));
    this.subscriptions.clear();
    await Promise.all([...this.inFlight]);
    if (this.connected) await this.link.connection.flush().catch(() => undefined);
  }

  /** {@link drain}, then closes the link. */
  async close(): Promise<void> {
    await this.drain();
    await this.link.close();
  }

  private listen(subject: string, queue: string | undefined, take: (message: Msg) => void): Unsubscribe {
    const subscription = this.link.connection.subscribe(subject, {
      ...(queue === undefined ? {} : { queue }),
      callback: (error, message) => {
        if (error) this.link.report(`subscription to ${subject} ended`, error);
        else take(message);
      },
    });
    this.subscriptions.add(subscription);
    return () => {
      this.subscriptions.delete(subscription);
      void end(subscription);
    };
  }

  private async exchange(subject: string, text: string, timeoutMs: number): Promise<Msg> {
    try {
      return await this.link.untilLost(() => this.link.connection.request(subject, text, { timeout: timeoutMs }));
    } catch (cause) {
      if (cause instanceof NoAnswer) throw cause;
      const code = cause instanceof NatsError ? cause.code : undefined;
      if (code === ErrorCode.PermissionsViolation) throw new RemoteRefusal('Forbidden', `not permitted: ${subject}`);
      if (code === ErrorCode.NoResponders) throw new NoAnswer(`nobody answers ${subject}`);
      throw new NoAnswer(`no answer on ${subject} within ${timeoutMs} ms`, { cause });
    }
  }

  private async answer(message: Msg, handle: Handle): Promise<void> {
    try {
      if (this.inFlight.size >= maxInFlight) throw new RemoteRefusal('TooManyRequests', 'too many requests under way');
      const text = encodeMessage(await handle(decodeMessage(message.data), message.subject));
      if (this.isTooLarge(text)) throw new RemoteRefusal(tooLarge, `the reply is over ${this.link.maxPayload} bytes`);
      message.respond(text);
    } catch (cause) {
      if (isFault(cause)) this.link.report(`request on ${message.subject} failed`, cause);
      this.refuse(message, refusalOf(cause));
    }
  }

  private refuse(message: Msg, refusal: RemoteRefusal): void {
    const reason = headers();
    reason.set(refusalHeader, refusal.reason);
    try {
      message.respond(encodeMessage({ message: refusal.message }), { headers: reason });
    } catch (cause) {
      this.link.report(`the reply on ${message.subject} could not be sent`, cause);
    }
  }

  private isTooLarge(text: string): boolean {
    return Buffer.byteLength(text) > this.link.maxPayload;
  }
}

/** Messages under way are still delivered. On a connection that is gone there is nothing left to end. */
const end = (subscription: Subscription): Promise<void> => subscription.drain().catch(() => undefined);

function replyOf(subject: string, reply: Msg): JsonObject {
  let body: JsonObject;
  try {
    body = decodeMessage(reply.data);
  } catch (cause) {
    throw new NoAnswer(`unreadable answer on ${subject}`, { cause });
  }
  const reason = reply.headers?.get(refusalHeader);
  if (reason) throw new RemoteRefusal(reason, typeof body['message'] === 'string' ? body['message'] : reason);
  return body;
}
