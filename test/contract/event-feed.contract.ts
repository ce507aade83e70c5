import { FeedMoved, NoAnswer, type EventEnvelope, type EventFeed, type NewEvent } from '#domain';

type FeedEvent = EventEnvelope & NewEvent<string, unknown>;

export interface FeedHarness {
  /** One relay's way to the one stream. */
  feed(): Promise<EventFeed>;
  /** The store is deleted and the server started anew. */
  wipe(): Promise<void>;
  /** Runs with the connection cut after some of the messages are in. */
  interrupted(feed: EventFeed, publish: () => Promise<void>): Promise<void>;
  /** What a consumer of the stream is given, oldest first. */
  contents(): Promise<{ sequence: number; subject: string; revision: number }[]>;
  stop(): Promise<void>;
}

const eventAt = (revision: number): FeedEvent => ({
  id: `event-${revision}`,
  revision,
  stream: 'core/pods/shop/web',
  version: revision,
  type: 'PodRequested',
  data: { revision },
  time: 0,
  schemaVersion: 1,
  actor: { kind: 'user', name: 'jane' },
  requestId: 'r',
  correlationId: 'r',
  commandId: `command-${revision}`,
  commandLast: revision,
});

const messages = (first: number, count: number): { subject: string; event: FeedEvent }[] =>
  Array.from({ length: count }, (_, n) => ({ subject: 'events.pod.PodRequested', event: eventAt(first + n) }));

/** What every `EventFeed` promises. */
export function eventFeedContract(start: () => Promise<FeedHarness>): void {
  let harness: FeedHarness;
  let feed: EventFeed;

  beforeEach(async () => {
    harness = await start();
    feed = await harness.feed();
  });
  afterEach(() => harness.stop());

  /** A consumer sees consecutive sequences, each holding the revision it stands for. */
  async function expectWindow(base: number, count: number): Promise<void> {
    const expected = Array.from({ length: count }, (_, n) => ({
      sequence: n + 1,
      subject: 'events.pod.PodRequested',
      revision: base + n + 1,
    }));
    expect(await harness.contents()).toEqual(expected);
    expect(await feed.inspect()).toEqual({ base, lastSequence: count });
  }

  it('has no stream until one is made, and then keeps its base', async () => {
    expect(await feed.inspect()).toBeUndefined();
    await feed.create(41);
    expect(await feed.inspect()).toEqual({ base: 41, lastSequence: 0 });
    await feed.publish(0, messages(42, 3));
    await feed.publish(3, messages(45, 2));
    await expectWindow(41, 5);
  });

  it('keeps a stream that is there from being made with another base', async () => {
    await feed.create(41);
    await expect(feed.create(7)).rejects.toThrow(FeedMoved);
    expect(await feed.inspect()).toEqual({ base: 41, lastSequence: 0 });
  });

  it('holds long batches in order', async () => {
    await feed.create(0);
    await feed.publish(0, messages(1, 1_000));
    await expectWindow(0, 1_000);
  });

  it('refuses to publish after a sequence that is not the last', async () => {
    await feed.create(0);
    await feed.publish(0, messages(1, 4));
    await expect(feed.publish(2, messages(13, 1))).rejects.toThrow(FeedMoved);
    await expect(feed.publish(9, messages(10, 1))).rejects.toThrow(FeedMoved);
    await expectWindow(0, 4);
  });

  it('takes a repetition of what is in, and holds it once', async () => {
    await feed.create(0);
    await feed.publish(0, messages(1, 4));
    await feed.publish(2, messages(3, 4));
    await expectWindow(0, 6);
  });

  it('lets two publishers neither interleave nor double', async () => {
    await feed.create(100);
    const other = await harness.feed();
    const attempts = await Promise.allSettled([
      feed.publish(0, messages(101, 300)),
      other.publish(0, messages(101, 200)),
    ]);
    for (const attempt of attempts) {
      if (attempt.status === 'rejected') expect(attempt.reason).toBeInstanceOf(FeedMoved);
    }
    const seen = await feed.inspect();
    await feed.publish(seen?.lastSequence ?? 0, messages(101 + (seen?.lastSequence ?? 0), 1));
    await expectWindow(100, (seen?.lastSequence ?? 0) + 1);
  });

  it('holds a prefix after a failure, from which the next attempt goes on', async () => {
    await feed.create(0);
    await harness.interrupted(feed, () => expect(feed.publish(0, messages(1, 3_000))).rejects.toThrow(NoAnswer));
    const held = (await feed.inspect())?.lastSequence ?? -1;
    expect(held).toBeGreaterThanOrEqual(0);
    expect(held).toBeLessThan(3_000);
    await expectWindow(0, held);
    await feed.publish(held, messages(held + 1, 3_000 - held));
    await expectWindow(0, 3_000);
  });

  it('sees a wiped stream as missing, and makes it anew with a later base', async () => {
    await feed.create(0);
    await feed.publish(0, messages(1, 5));
    await harness.wipe();
    await expect(feed.publish(5, messages(6, 1))).rejects.toThrow(FeedMoved);
    expect(await feed.inspect()).toBeUndefined();
    await feed.create(3);
    await feed.publish(0, messages(4, 4));
    await expectWindow(3, 4);
  });
}
