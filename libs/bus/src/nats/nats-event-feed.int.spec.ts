import { jest } from '@jest/globals';
import type { JsonObject } from '#domain';
import { eventFeedContract, type FeedHarness } from '../../../../test/contract/event-feed.contract.js';
import { TestNats } from '../../../../test/support/nats.js';
import { connectNats, type NatsLink } from './nats-link.js';
import { eventsStream, NatsEventFeed } from './nats-event-feed.js';

// A busy machine may be slow to start a server; nothing here is a measurement.
jest.setTimeout(60_000);

const quiet = (): void => undefined;

async function stands(link: NatsLink): Promise<void> {
  if (link.connected) return;
  await new Promise<void>((resolve) => link.onConnection((connected) => connected && resolve()));
}

async function startFeeds(): Promise<FeedHarness & { readonly link: NatsLink; readonly nats: TestNats }> {
  const nats = await TestNats.start();
  const links: NatsLink[] = [];
  const connect = async (): Promise<NatsLink> => {
    const made = await connectNats({ url: nats.url, name: 'feed', report: quiet });
    links.push(made);
    return made;
  };
  const link = await connect();
  const restarted = async (change: () => Promise<void>): Promise<void> => {
    await nats.down('SIGKILL');
    await change();
    await nats.up();
    await Promise.all(links.map(stands));
  };
  return {
    link,
    nats,
    feed: async () => new NatsEventFeed(await connect()),
    wipe: () => restarted(() => nats.wipe()),
    interrupted: async (_feed, publish) => {
      const manager = await link.connection.jetstreamManager();
      const published = publish();
      while ((await manager.streams.info(eventsStream)).state.last_seq < 1) await Promise.resolve();
      await restarted(() => published);
    },
    contents: async () => {
      const consumer = await link.connection.jetstream().consumers.get(eventsStream);
      const { num_pending: count } = await consumer.info(true);
      const seen: { sequence: number; subject: string; revision: number }[] = [];
      if (count === 0) return seen;
      for await (const message of await consumer.fetch({ max_messages: count, expires: 5_000 })) {
        seen.push({
          sequence: message.seq,
          subject: message.subject,
          revision: message.json<{ revision: number }>().revision,
        });
      }
      return seen;
    },
    stop: async () => {
      await Promise.all(links.map((each) => each.connection.close()));
      await nats.stop();
    },
  };
}

describe('the event feed on JetStream', () => {
  eventFeedContract(startFeeds);

  const eventAt = (revision: number, data: JsonObject = {}): Parameters<NatsEventFeed['publish']>[1][number] => ({
    subject: 'events.pod.PodRequested',
    event: {
      id: `event-${revision}`,
      revision,
      stream: 'core/pods/shop/web',
      version: revision,
      type: 'PodRequested',
      data,
      time: 0,
      schemaVersion: 1,
      actor: { kind: 'user', name: 'jane' },
      requestId: 'r',
      correlationId: 'r',
      commandId: 'c',
      commandLast: revision,
    },
  });

  it('takes a stream that a stranger wrote into for none, and replaces it', async () => {
    const harness = await startFeeds();
    const feed = await harness.feed();
    await feed.create(10);
    await feed.publish(0, [eventAt(11)]);
    await harness.link.connection.jetstream().publish('events.pod.PodRequested', 'not from the log');
    expect(await feed.inspect()).toBeUndefined();
    await feed.create(10);
    await feed.publish(0, [eventAt(11), eventAt(12)]);
    expect((await harness.contents()).map(({ revision }) => revision)).toEqual([11, 12]);
    await harness.stop();
  });

  it('is not stopped by one event over the limit of the server: it goes without its data', async () => {
    const harness = await startFeeds();
    const feed = await harness.feed();
    await feed.create(0);
    await feed.publish(0, [eventAt(1), eventAt(2, { text: 'x'.repeat(8 * 1024 * 1024) }), eventAt(3)]);
    expect((await harness.contents()).map(({ revision }) => revision)).toEqual([1, 2, 3]);
    const manager = await harness.link.connection.jetstreamManager();
    expect((await manager.streams.getMessage(eventsStream, { seq: 2 })).json()).toMatchObject({
      data: {},
      truncated: true,
    });
    await harness.stop();
  });

  it('keeps only the newest when the window is full, under the sequences they had', async () => {
    const harness = await startFeeds();
    const feed = new NatsEventFeed(harness.link, { maxBytes: 4_096, maxAgeMs: 0 });
    await feed.create(100);
    await feed.publish(
      0,
      Array.from({ length: 50 }, (_, n) => eventAt(101 + n)),
    );
    const kept = await harness.contents();
    expect(kept.length).toBeLessThan(50);
    expect(kept.at(-1)).toMatchObject({ sequence: 50, revision: 150 });
    expect(kept.map(({ revision, sequence }) => revision - sequence)).toEqual(kept.map(() => 100));
    expect(await feed.inspect()).toEqual({ base: 100, lastSequence: 50 });
    await harness.stop();
  });
});
