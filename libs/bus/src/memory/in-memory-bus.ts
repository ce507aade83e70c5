import { NoAnswer, RemoteRefusal, type JsonObject, type MessageBus, type Unsubscribe } from '#domain';
import { encodeMessage, isFault, maxPayloadBytes, refusalOf, tooLarge } from '../codec.js';
import type { Connection, Receive, ReplySink, Routing } from './routing.js';

type Handle = (message: JsonObject, subject: string) => Promise<JsonObject>;

/** A reply as it travels in memory. */
type Outcome =
  { readonly reply: JsonObject } | { readonly refusal: { readonly reason: string; readonly message: string } };

/** One connection to an `InMemoryBroker`: the same contract as `NatsBus`, in memory and with the time of a Clock. */
export class InMemoryBus implements MessageBus, Connection {
  /** Counts connections: what was sent to an earlier one is lost. @internal */
  session = 1;
  private reachable = true;
  private closed = false;
  private readonly listeners = new Set<(connected: boolean) => void>();
  private readonly waiting = new Set<(error: NoAnswer) => void>();
  private readonly inFlight = new Set<Promise<void>>();

  /** Made by `InMemoryBroker.connect`. */
  constructor(
    private readonly broker: Routing,
    readonly name: string,
    private serverUp: boolean,
  ) {}

  get connected(): boolean {
    return !this.closed && this.reachable && this.serverUp;
  }

  publish(subject: string, message: JsonObject): void {
    if (!this.connected) return;
    const text = encodeMessage(message);
    if (isTooLarge(text)) this.broker.report(`message on ${subject} dropped: it is over ${maxPayloadBytes} bytes`);
    else this.broker.route(this, subject, text);
  }

  subscribe(subject: string, handle: (message: JsonObject, subject: string) => void): Unsubscribe {
    return this.listen(subject, undefined, (message, on) => {
      try {
        handle(message, on);
      } catch (cause) {
        this.broker.report(`handler of ${on} failed`, cause);
      }
    });
  }

  async request(subject: string, message: JsonObject, timeoutMs: number): Promise<JsonObject> {
    if (!this.connected) throw new NoAnswer(`not connected: ${subject}`);
    const text = encodeMessage(message);
    if (isTooLarge(text)) throw new RemoteRefusal(tooLarge, `request on ${subject} is over ${maxPayloadBytes} bytes`);
    const outcome = await this.exchange(subject, text, timeoutMs);
    if ('refusal' in outcome) throw new RemoteRefusal(outcome.refusal.reason, outcome.refusal.message);
    return outcome.reply;
  }

  respond(subject: string, queue: string | undefined, handle: Handle): Unsubscribe {
    return this.listen(subject, queue, (message, on, reply) => {
      const work = this.answer(message, on, handle, reply).finally(() => this.inFlight.delete(work));
      this.inFlight.add(work);
    });
  }

  onConnection(changed: (connected: boolean) => void): Unsubscribe {
    this.listeners.add(changed);
    return () => this.listeners.delete(changed);
  }

  /** Cuts this connection alone, or restores it. */
  reach(reachable: boolean): void {
    this.change(() => (this.reachable = reachable));
  }

  /** Takes no more messages, waits for the handlers under way, then disconnects. */
  async close(): Promise<void> {
    this.broker.unsubscribe(this);
    await Promise.allSettled([...this.inFlight]);
    this.sever();
  }

  /** The process dies: nothing is waited for and no reply leaves. */
  sever(): void {
    this.broker.forget(this);
    this.change(() => (this.closed = true));
  }

  /** @internal */
  serverIs(up: boolean): void {
    this.change(() => (this.serverUp = up));
  }

  private listen(pattern: string, queue: string | undefined, receive: Receive): Unsubscribe {
    if (this.closed) return () => undefined;
    return this.broker.add({ to: this, pattern, queue, receive });
  }

  private exchange(subject: string, text: string, timeoutMs: number): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const settle = (run: () => void): void => {
        if (!this.waiting.delete(fail)) return;
        cancelTimer();
        run();
      };
      const fail = (error: NoAnswer): void => settle(() => reject(error));
      const cancelTimer = this.broker.clock.after(timeoutMs, () => {
        fail(new NoAnswer(`no answer on ${subject} within ${timeoutMs} ms`));
      });
      this.waiting.add(fail);
      const reached = this.broker.route(this, subject, text, (from, reply) => {
        this.broker.carry(from, this, '_INBOX', reply, (outcome) => settle(() => resolve(outcome as Outcome)));
      });
      if (reached === 0) fail(new NoAnswer(`nobody answers ${subject}`));
    });
  }

  private async answer(message: JsonObject, subject: string, handle: Handle, reply?: ReplySink): Promise<void> {
    const session = this.session;
    const text = encodeMessage(await this.outcomeOf(message, subject, handle));
    if (reply && this.connected && this.session === session) reply(this, text);
  }

  private async outcomeOf(message: JsonObject, subject: string, handle: Handle): Promise<Outcome> {
    try {
      const reply = await handle(message, subject);
      if (!isTooLarge(encodeMessage(reply))) return { reply };
      throw new RemoteRefusal(tooLarge, `the reply on ${subject} is over ${maxPayloadBytes} bytes`);
    } catch (cause) {
      if (isFault(cause)) this.broker.report(`request on ${subject} failed`, cause);
      const { reason, message: text } = refusalOf(cause);
      return { refusal: { reason, message: text } };
    }
  }

  private change(apply: () => void): void {
    const before = this.connected;
    apply();
    if (this.connected === before) return;
    if (!this.connected) {
      this.session += 1;
      for (const fail of [...this.waiting]) fail(new NoAnswer('the connection was lost'));
    }
    for (const listener of [...this.listeners]) listener(this.connected);
  }
}

const isTooLarge = (text: string): boolean => Buffer.byteLength(text) > maxPayloadBytes;
