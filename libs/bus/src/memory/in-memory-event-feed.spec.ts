import { eventFeedContract, type FeedHarness } from '../../../../test/contract/event-feed.contract.js';
import { InMemoryEventFeed, InMemoryEventStream, type FeedFault } from './in-memory-event-feed.js';

describe('the event feed in memory', () => {
  eventFeedContract(async (): Promise<FeedHarness> => {
    const stream = new InMemoryEventStream();
    let fault: FeedFault = () => undefined;
    return {
      feed: async () => new InMemoryEventFeed(stream, () => fault()),
      wipe: async () => stream.wipe(),
      interrupted: async (_feed, publish) => {
        let steps = 0;
        fault = () => (++steps > 250 ? 'unanswered' : undefined);
        await publish();
        fault = () => undefined;
      },
      contents: async () =>
        stream.messages.map(({ sequence, subject, event }) => ({ sequence, subject, revision: event.revision })),
      stop: async () => undefined,
    };
  });

  it('drops the oldest when the window is full', async () => {
    const stream = new InMemoryEventStream(2);
    const feed = new InMemoryEventFeed(stream);
    await feed.create(10);
    await feed.publish(
      0,
      [11, 12, 13].map((revision) => ({ subject: 'events.pod.X', event: eventOf(revision) })),
    );
    expect(stream.messages.map((message) => message.sequence)).toEqual([2, 3]);
    expect(await feed.inspect()).toEqual({ base: 10, lastSequence: 3 });
  });
});

const eventOf = (revision: number): Parameters<InMemoryEventFeed['publish']>[1][number]['event'] => ({
  id: `e${revision}`,
  revision,
  stream: 'core/pods/a/b',
  version: 1,
  type: 'X',
  data: {},
  time: 0,
  schemaVersion: 1,
  actor: { kind: 'system', name: 's' },
  requestId: '',
  correlationId: '',
  commandId: '',
  commandLast: revision,
});
