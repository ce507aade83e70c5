import { jest } from '@jest/globals';
import { TestNats } from '../../../../test/support/nats.js';
import { DurableConsumer, type DurableOptions } from './durable-consumer.js';
import { eventsStream, NatsEventFeed } from './nats-event-feed.js';
import { connectNats, type NatsLink } from './nats-link.js';

// A busy machine may be slow to start a server; nothing here is a measurement.
jest.setTimeout(60_000);

describe('a durable consumer', () => {
  let nats: TestNats;
  let link: NatsLink;
  const consumers: DurableConsumer[] = [];

  beforeEach(async () => {
    nats = await TestNats.start();
    link = await connectNats({ url: nats.url, name: 'consumer', report: () => undefined });
  });
  afterEach(async () => {
    await Promise.all(consumers.splice(0).map((consumer) => consumer.close()));
    await link.close();
    await nats.stop();
  });

  function consumer(
    options: Partial<DurableOptions>,
    handle: () => Promise<void> = async () => undefined,
  ): DurableConsumer {
    const made = new DurableConsumer(link, { durable: 'd', subject: 'events.>', ...options }, handle);
    consumers.push(made);
    return made;
  }

  it('waits for a stream that nobody has made yet', async () => {
    const started = consumer({}).start();
    await new NatsEventFeed(link).create(0);
    await started;
    const manager = await link.connection.jetstreamManager();
    expect((await manager.consumers.info(eventsStream, 'd')).config.filter_subject).toBe('events.>');
  });

  it('can be closed while it waits', async () => {
    const waiting = consumer({});
    const started = waiting.start();
    await waiting.close();
    await started;
  });

  it('takes over from one of the same name with other options', async () => {
    await new NatsEventFeed(link).create(0);
    const first = consumer({ concurrency: 4, ackWaitMs: 5_000 });
    await first.start();
    await first.close();
    await consumer({ concurrency: 9, ackWaitMs: 7_000 }).start();
    const manager = await link.connection.jetstreamManager();
    expect((await manager.consumers.info(eventsStream, 'd')).config).toMatchObject({
      max_ack_pending: 9,
      ack_wait: 7_000_000_000,
    });
  });

  it('has no more messages in hand than it was told, over all processes', async () => {
    await new NatsEventFeed(link).create(0);
    let inHand = 0;
    let most = 0;
    let handled = 0;
    let done: () => void = () => undefined;
    const all = new Promise<void>((resolve) => (done = resolve));
    const handle = async (): Promise<void> => {
      most = Math.max(most, ++inHand);
      await link.connection.flush();
      inHand -= 1;
      if (++handled === 200) done();
    };
    for (let n = 0; n < 200; n++) await link.connection.jetstream().publish('events.pod.X', '{}');
    await Promise.all([consumer({ concurrency: 3 }, handle).start(), consumer({ concurrency: 3 }, handle).start()]);
    await all;
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(3);
  });
});
