import { eventFeedContract, type FeedHarness } from '../../../../test/contract/event-feed.contract.js';
import { TestNats } from '../../../../test/support/nats.js';
import { connectNats, type NatsLink } from './nats-link.js';
import { eventsStream, NatsEventFeed } from './nats-event-feed.js';

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
});
