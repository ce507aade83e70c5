import type { Clock, IdSource } from '#domain';
import { messageBusContract, type BusHarness } from '../../../../test/contract/message-bus.contract.js';
import { InMemoryBroker, type Deliver } from './in-memory-broker.js';

/** Time that moves only when told. */
class ManualClock implements Clock {
  private time = 0;
  private timers: { at: number; run: () => void }[] = [];

  now(): number {
    return this.time;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.time + ms, run };
    this.timers.push(timer);
    return () => (this.timers = this.timers.filter((other) => other !== timer));
  }

  advance(ms: number): void {
    this.time += ms;
    const due = this.timers.filter((timer) => timer.at <= this.time);
    this.timers = this.timers.filter((timer) => timer.at > this.time);
    for (const timer of due) timer.run();
  }
}

const realClock: Clock = {
  now: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** A fixed sequence: the same choices in every run. */
function fixedIds(): IdSource {
  let state = 7;
  return {
    uuid: () => `id-${state}`,
    random: () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647,
  };
}

const quiet = (): void => undefined;

describe('the bus in memory', () => {
  messageBusContract(async (): Promise<BusHarness> => {
    const broker = new InMemoryBroker({ clock: realClock, ids: fixedIds(), report: quiet });
    const buses: { close(): Promise<void>; sever(): void }[] = [];
    return {
      connect: async (name) => {
        const bus = broker.connect(name);
        buses.push(bus);
        return bus;
      },
      settled: async () => undefined,
      down: async () => broker.outage(true),
      up: async () => broker.outage(false),
      stop: async () => buses.forEach((bus) => bus.sever()),
    };
  });

  function withHook(deliver: Deliver): { broker: InMemoryBroker; clock: ManualClock } {
    const clock = new ManualClock();
    return { broker: new InMemoryBroker({ clock, ids: fixedIds(), deliver, report: quiet }), clock };
  }

  it('takes the time of a request from its clock', async () => {
    const { broker, clock } = withHook(() => undefined);
    const [client, server] = [broker.connect('client'), broker.connect('server')];
    server.respond('ask', undefined, async () => ({}));
    const answer = client.request('ask', {}, 5_000).catch((error: unknown) => String(error));
    clock.advance(4_999);
    clock.advance(1);
    expect(await answer).toContain('within 5000 ms');
  });

  it('lets a hook see, hold, repeat and reorder what travels, replies included', async () => {
    const seen: string[] = [];
    const held: (() => void)[] = [];
    const { broker } = withHook((from, to, subject, message, run) => {
      seen.push(`${from}>${to} ${subject} ${JSON.stringify(message)}`);
      held.push(run);
    });
    const [client, server] = [broker.connect('client'), broker.connect('server')];
    const received: unknown[] = [];
    server.subscribe('news', (message) => received.push(message['n']));
    client.publish('news', { n: 1 });
    client.publish('news', { n: 2 });
    for (const run of held.splice(0).reverse()) {
      run();
      run();
    }
    expect(received).toEqual([2, 2, 1, 1]);

    server.respond('ask', undefined, async () => ({ n: 3 }));
    const reply = client.request('ask', {}, 1_000);
    held.splice(0).forEach((run) => run());
    await new Promise((resolve) => setImmediate(resolve));
    held.splice(0).forEach((run) => run());
    expect(await reply).toEqual({ n: 3 });
    expect(seen).toEqual([
      'client>server news {"n":1}',
      'client>server news {"n":2}',
      'client>server ask {}',
      'server>client _INBOX {"reply":{"n":3}}',
    ]);
  });

  it('loses what was under way to a connection that broke, though it came back', () => {
    const held: (() => void)[] = [];
    const { broker } = withHook((_from, _to, _subject, _message, run) => held.push(run));
    const [client, server] = [broker.connect('client'), broker.connect('server')];
    const received: unknown[] = [];
    server.subscribe('news', (message) => received.push(message));
    client.publish('news', { lost: true });
    server.reach(false);
    server.reach(true);
    client.publish('news', { lost: false });
    held.forEach((run) => run());
    expect(received).toEqual([{ lost: false }]);
  });

  it('waits at close for the handlers under way, and answers them; a severed one answers nothing', async () => {
    for (const [end, expected] of [
      ['close', { done: true }],
      ['sever', 'NoAnswer'],
    ] as const) {
      const { broker, clock } = withHook((_from, _to, _subject, _message, run) => run());
      const [client, server] = [broker.connect('client'), broker.connect('server')];
      let finish: () => void = () => undefined;
      server.respond('ask', undefined, () => new Promise((resolve) => (finish = () => resolve({ done: true }))));
      const answer = client.request('ask', {}, 1_000).catch((error: Error) => error.name);
      const ended = server[end]();
      finish();
      await ended;
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(1_000);
      expect(await answer).toEqual(expected);
      await expect(client.request('ask', {}, 1_000)).rejects.toThrow('nobody answers');
    }
  });
});
