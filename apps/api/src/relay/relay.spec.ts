import { InMemoryEventFeed, InMemoryEventStream, type FeedFault } from '#bus';
import { ClusterProjection, InMemoryEventLog, LogState } from '#eventlog';
import { InMemoryBroker } from '#bus';
import { ManualClock } from '../../../../test/support/manual-clock.js';
import { SeededIds } from '../../../../test/support/seeded-ids.js';
import { AssignmentPublisher } from './assignment-publisher.js';
import { Relay } from './relay.js';

describe('the relay', () => {
  let clock: ManualClock;
  let ids: SeededIds;
  let state: LogState;
  let stream: InMemoryEventStream;
  const endings: AbortController[] = [];
  beforeEach(() => {
    clock = new ManualClock();
    ids = new SeededIds();
    state = new LogState(clock, ids);
    stream = new InMemoryEventStream();
  });
  afterEach(() => {
    for (const ending of endings.splice(0)) ending.abort();
  });

  /** A relay of its own process; `stop` ends it in good order. */
  function start(holder: string, { fault, windowEvents }: { fault?: FeedFault; windowEvents?: number } = {}) {
    const log = new InMemoryEventLog({ clock, ids, state });
    const projection = new ClusterProjection({ log, clock });
    const bus = new InMemoryBroker({ clock, ids }).connect(holder);
    const relay = new Relay({
      log,
      feed: new InMemoryEventFeed(stream, fault),
      clock,
      publishers: [new AssignmentPublisher(projection, bus, 'cluster')],
      holder,
      ...(windowEvents !== undefined && { windowEvents }),
    });
    const ending = new AbortController();
    endings.push(ending);
    const running = relay.run(ending.signal);
    return {
      stop: () => {
        ending.abort();
        return running;
      },
    };
  }

  let commands = 0;
  function happen(count: number): void {
    for (let index = 0; index < count; index += 1) {
      commands += 1;
      state.append({
        commandId: `c${commands}`,
        context: { actor: { kind: 'user', name: 'tester' }, requestId: 'r', correlationId: 'r' },
        writes: [
          {
            stream: `core/namespaces//n${commands}`,
            expectedVersion: 0,
            events: [
              {
                type: 'NamespaceRequested',
                data: {
                  uid: `u${commands}`,
                  labels: {},
                  annotations: {},
                  ownerReferences: [],
                  finalizers: [],
                  fieldManager: 't',
                  managedFields: [],
                },
              },
            ],
          },
        ],
      });
    }
  }
  const revisions = (): number[] => stream.messages.map(({ event }) => event.revision);
  const upTo = (last: number, first = 1): number[] =>
    Array.from({ length: last - first + 1 }, (_, index) => first + index);

  it('publishes every event in order and once, under its kind and type', async () => {
    happen(3);
    start('a');
    await clock.advance(100);
    happen(1_200);
    await clock.advance(2_000);
    expect(revisions()).toEqual(upTo(1_203));
    expect(stream.messages[0]?.subject).toBe('events.namespace.NamespaceRequested');
  });

  it('is one at a time, and goes on where the last one stopped', async () => {
    happen(5);
    const first = start('a');
    await clock.advance(100);
    start('b');
    happen(5);
    await clock.advance(1_500);
    expect(revisions()).toEqual(upTo(10));
    await first.stop();
    happen(5);
    await clock.advance(5_000);
    expect(revisions()).toEqual(upTo(15));
  });

  it('loses and repeats nothing when acknowledgements are lost', async () => {
    let step = 0;
    start('a', { fault: () => (++step % 7 === 0 ? 'unanswered' : step % 11 === 0 ? 'lost' : undefined) });
    for (let round = 0; round < 20; round += 1) {
      happen(3);
      await clock.advance(1_000);
    }
    await clock.advance(60_000);
    expect(revisions()).toEqual(upTo(60));
  });

  it('makes a wiped stream anew, without an event to wake it, beginning with the newest of the log', async () => {
    start('a', { windowEvents: 4 });
    happen(10);
    await clock.advance(1_000);
    stream.wipe();
    await clock.advance(10_000);
    expect(revisions()).toEqual(upTo(10, 7));
    happen(2);
    await clock.advance(1_000);
    expect(revisions()).toEqual(upTo(12, 7));
  });
});
