import { DomainError, NoAnswer, RemoteRefusal, type JsonObject, type MessageBus } from '#domain';

/** One implementation of the bus, with a network that can fail. */
export interface BusHarness {
  /** A new connection; the harness closes it. */
  connect(name: string): Promise<MessageBus>;
  /** Returns when subscriptions made so far are in force everywhere. */
  settled(): Promise<void>;
  /** The server goes down; returns when every connection knows. */
  down(): Promise<void>;
  /** It comes back; returns when every connection stands again. */
  up(): Promise<void>;
  stop(): Promise<void>;
}

/** Collects what arrives, and lets a test wait for a number of messages. */
class Inbox {
  readonly received: { message: JsonObject; subject: string }[] = [];
  private waiting: { count: number; resolve: () => void }[] = [];

  readonly take = (message: JsonObject, subject: string): void => {
    this.received.push({ message, subject });
    this.waiting = this.waiting.filter(({ count, resolve }) => {
      if (this.received.length < count) return true;
      resolve();
      return false;
    });
  };

  async until(count: number): Promise<void> {
    if (this.received.length < count) await new Promise<void>((resolve) => this.waiting.push({ count, resolve }));
  }
}

const patient = 10_000;

/** What every `MessageBus` promises. */
export function messageBusContract(start: () => Promise<BusHarness>): void {
  let harness: BusHarness;
  let client: MessageBus;
  let server: MessageBus;

  beforeEach(async () => {
    harness = await start();
    client = await harness.connect('client');
    server = await harness.connect('server');
  });
  afterEach(() => harness.stop());

  /** A message published last, on its own subject, arrives after all before it on the same connection. */
  async function flushed(to: MessageBus): Promise<void> {
    const inbox = new Inbox();
    const end = to.subscribe('test.flush', inbox.take);
    await harness.settled();
    client.publish('test.flush', {});
    await inbox.until(1);
    end();
  }

  describe('publishing', () => {
    it('reaches every subscriber, in the order of publishing', async () => {
      const [one, two] = [new Inbox(), new Inbox()];
      server.subscribe('news.a', one.take);
      client.subscribe('news.a', two.take);
      await harness.settled();
      for (let n = 0; n < 50; n++) client.publish('news.a', { n });
      await Promise.all([one.until(50), two.until(50)]);
      const numbers = Array.from({ length: 50 }, (_, n) => ({ message: { n }, subject: 'news.a' }));
      expect(one.received).toEqual(numbers);
      expect(two.received).toEqual(numbers);
    });

    it('matches * with one token and > with one or more', async () => {
      const [star, rest] = [new Inbox(), new Inbox()];
      server.subscribe('nodes.*.facts', star.take);
      server.subscribe('nodes.>', rest.take);
      await harness.settled();
      for (const subject of ['nodes.a.facts', 'nodes.a.b.facts', 'nodes', 'nodes.a', 'other.a.facts']) {
        client.publish(subject, {});
      }
      await flushed(server);
      expect(star.received.map((r) => r.subject)).toEqual(['nodes.a.facts']);
      expect(rest.received.map((r) => r.subject)).toEqual(['nodes.a.facts', 'nodes.a.b.facts', 'nodes.a']);
    });

    it('gives each receiver an object of its own', async () => {
      const [one, two] = [new Inbox(), new Inbox()];
      server.subscribe('copy', one.take);
      client.subscribe('copy', two.take);
      await harness.settled();
      const sent = { list: [1, { deep: true }], gone: undefined };
      client.publish('copy', sent);
      await Promise.all([one.until(1), two.until(1)]);
      expect(one.received[0]?.message).toStrictEqual({ list: [1, { deep: true }] });
      expect(one.received[0]?.message['list']).not.toBe(two.received[0]?.message['list']);
      expect(one.received[0]?.message['list']).not.toBe(sent.list);
    });

    it('stops at a subscription that has ended, and goes on past a handler that throws', async () => {
      const [ended, steady] = [new Inbox(), new Inbox()];
      const end = server.subscribe('topic', ended.take);
      server.subscribe('topic', () => {
        throw new Error('a faulty handler');
      });
      server.subscribe('topic', steady.take);
      await harness.settled();
      end();
      await harness.settled();
      client.publish('topic', { n: 1 });
      client.publish('topic', { n: 2 });
      await steady.until(2);
      expect(ended.received).toEqual([]);
    });
  });

  describe('requests', () => {
    it('are answered by one member of a queue group', async () => {
      const answered: string[] = [];
      const third = await harness.connect('third');
      for (const [name, bus] of Object.entries({ server, third })) {
        bus.respond('ask', 'group', async (message) => {
          answered.push(name);
          return { ...message, by: name };
        });
      }
      await harness.settled();
      const replies = await Promise.all(Array.from({ length: 40 }, (_, n) => client.request('ask', { n }, patient)));
      expect(replies.map((reply) => reply['n'])).toEqual(Array.from({ length: 40 }, (_, n) => n));
      expect(answered).toHaveLength(40);
      expect(new Set(answered)).toEqual(new Set(['server', 'third']));
    });

    it('are handled concurrently', async () => {
      let release: () => void = () => undefined;
      const second = new Promise<void>((resolve) => (release = resolve));
      server.respond('ask.*', 'group', async (_, subject) => {
        if (subject === 'ask.first') await second;
        else release();
        return { subject };
      });
      await harness.settled();
      const first = client.request('ask.first', {}, patient);
      expect(await client.request('ask.second', {}, patient)).toEqual({ subject: 'ask.second' });
      expect(await first).toEqual({ subject: 'ask.first' });
    });

    it('fail at once when nobody listens', async () => {
      await expect(client.request('nobody', {}, patient)).rejects.toThrow(NoAnswer);
    });

    it('fail when the answer does not come in time', async () => {
      server.respond('slow', undefined, () => new Promise(() => undefined));
      await harness.settled();
      await expect(client.request('slow', {}, 50)).rejects.toThrow(NoAnswer);
    });

    it('bring back why the handler refused', async () => {
      server.respond('refuse.domain', undefined, () => Promise.reject(new DomainError('StaleNode', 'epoch 3 is over')));
      server.respond('refuse.remote', undefined, () => Promise.reject(new RemoteRefusal('Gone', 'not here')));
      await harness.settled();
      const refusals = ['refuse.domain', 'refuse.remote'].map((subject) =>
        client.request(subject, {}, patient).catch((error: unknown) => error),
      );
      expect(await Promise.all(refusals)).toEqual([
        expect.objectContaining({ name: 'RemoteRefusal', reason: 'StaleNode', message: 'epoch 3 is over' }),
        expect.objectContaining({ name: 'RemoteRefusal', reason: 'Gone', message: 'not here' }),
      ]);
    });

    it('tell of a fault in the handler without its details', async () => {
      server.respond('faulty', undefined, () => Promise.reject(new Error('password of the database is hunter2')));
      await harness.settled();
      const error = await client.request('faulty', {}, patient).catch((cause: unknown) => cause);
      expect(error).toMatchObject({ name: 'RemoteRefusal', reason: 'InternalError' });
      expect(String(error)).not.toContain('hunter2');
    });

    it('of several hundred KB pass, and those over the limit are refused with a reason', async () => {
      server.respond('big', undefined, async (message) => ({ size: String(message['text']).length }));
      server.respond('big.reply', undefined, async () => ({ text: 'x'.repeat(9 * 1024 * 1024) }));
      await harness.settled();
      const text = 'x'.repeat(900 * 1024);
      expect(await client.request('big', { text }, patient)).toEqual({ size: text.length });
      const tooLarge = { name: 'RemoteRefusal', reason: 'RequestEntityTooLarge' };
      await expect(client.request('big', { text: 'x'.repeat(9 * 1024 * 1024) }, patient)).rejects.toMatchObject(
        tooLarge,
      );
      await expect(client.request('big.reply', {}, patient)).rejects.toMatchObject(tooLarge);
    });
  });

  describe('while the server is away', () => {
    it('says so, drops what is published and fails what is asked', async () => {
      const inbox = new Inbox();
      const seen: boolean[] = [];
      client.onConnection((connected) => seen.push(connected));
      server.subscribe('news', inbox.take);
      server.respond('never', undefined, () => new Promise(() => undefined));
      await harness.settled();
      const underWay = client.request('never', {}, 600_000).catch((error: unknown) => error);
      await harness.down();

      expect(client.connected).toBe(false);
      client.publish('news', { lost: true });
      await expect(client.request('never', {}, patient)).rejects.toThrow(NoAnswer);
      expect(await underWay).toBeInstanceOf(NoAnswer);

      await harness.up();
      expect(client.connected).toBe(true);
      expect(seen).toEqual([false, true]);
      client.publish('news', { lost: false });
      await inbox.until(1);
      expect(inbox.received.map((r) => r.message)).toEqual([{ lost: false }]);
    });

    it('keeps subscriptions, also those made meanwhile', async () => {
      server.respond('before', 'group', async () => ({ ok: 1 }));
      await harness.settled();
      await harness.down();
      server.respond('meanwhile', 'group', async () => ({ ok: 2 }));
      await harness.up();
      expect(await client.request('before', {}, patient)).toEqual({ ok: 1 });
      expect(await client.request('meanwhile', {}, patient)).toEqual({ ok: 2 });
    });
  });
}
