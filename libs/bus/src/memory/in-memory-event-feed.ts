import { FeedMoved, NoAnswer, type EventEnvelope, type EventFeed, type NewEvent, type Revision } from '#domain';

type FeedEvent = EventEnvelope & NewEvent<string, unknown>;

/** One message of the stream; its event is a copy that nobody shares. */
export interface FeedMessage {
  readonly sequence: number;
  readonly subject: string;
  readonly event: FeedEvent;
}

/** What the simulation stands in for JetStream: the stream EVENTS of one cluster, shared by every {@link InMemoryEventFeed}. */
export class InMemoryEventStream {
  private contents:
    { readonly base: Revision; lastSequence: number; kept: FeedMessage[]; ids: Map<string, number> } | undefined;

  /** `maxMessages` bounds the window: the oldest go first. */
  constructor(private readonly maxMessages: number = Number.POSITIVE_INFINITY) {}

  /** What a consumer of the window would be given, oldest first. */
  get messages(): readonly FeedMessage[] {
    return this.contents?.kept ?? [];
  }

  /** The NATS store is deleted. */
  wipe(): void {
    this.contents = undefined;
  }

  /** @internal */
  inspect(): { readonly base: Revision; readonly lastSequence: number } | undefined {
    return this.contents && { base: this.contents.base, lastSequence: this.contents.lastSequence };
  }

  /** @internal */
  create(base: Revision): void {
    if (this.contents && this.contents.base !== base)
      throw new FeedMoved(`the stream exists with base ${this.contents.base}`);
    this.contents ??= { base, lastSequence: 0, kept: [], ids: new Map() };
  }

  /** @internal */
  add(expectedLast: number, subject: string, event: FeedEvent): void {
    if (!this.contents) throw new FeedMoved('there is no stream');
    const known = this.contents.ids.get(event.id);
    if (known === expectedLast + 1) return;
    if (known !== undefined || this.contents.lastSequence !== expectedLast) {
      throw new FeedMoved(`the stream is at ${this.contents.lastSequence}, not ${expectedLast}`);
    }
    const sequence = expectedLast + 1;
    this.contents.lastSequence = sequence;
    this.contents.ids.set(event.id, sequence);
    this.contents.kept.push({ sequence, subject, event: structuredClone(event) });
    if (this.contents.kept.length > this.maxMessages) this.contents.kept.shift();
  }
}

/** Asked before each step. `lost`: it never reaches the stream; `unanswered`: it does, and the acknowledgement is lost. */
export type FeedFault = () => 'lost' | 'unanswered' | undefined;

/** One relay's way to an {@link InMemoryEventStream}; same contract as `NatsEventFeed`. */
export class InMemoryEventFeed implements EventFeed {
  constructor(
    private readonly stream: InMemoryEventStream,
    private readonly fault: FeedFault = () => undefined,
  ) {}

  inspect(): Promise<{ readonly base: Revision; readonly lastSequence: number } | undefined> {
    return this.step(() => this.stream.inspect());
  }

  create(base: Revision): Promise<void> {
    return this.step(() => this.stream.create(base));
  }

  async publish(
    afterSequence: number,
    messages: readonly { readonly subject: string; readonly event: FeedEvent }[],
  ): Promise<void> {
    for (const [index, { subject, event }] of messages.entries()) {
      await this.step(() => this.stream.add(afterSequence + index, subject, event));
    }
  }

  private async step<T>(run: () => T): Promise<T> {
    await Promise.resolve();
    const fault = this.fault();
    if (fault === 'lost') throw new NoAnswer('the stream does not answer');
    const result = run();
    if (fault === 'unanswered') throw new NoAnswer('the acknowledgement was lost');
    return result;
  }
}
