import { jest } from '@jest/globals';
import { Controller, Module, type INestMicroservice, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { DomainError, type JsonObject } from '#domain';
import { TestNats } from '../../../../test/support/nats.js';
import { deadLetterStream, Unprocessable } from '../nats/durable-consumer.js';
import { NatsBus } from '../nats/nats-bus.js';
import { eventsStream, NatsEventFeed } from '../nats/nats-event-feed.js';
import { connectNats, type NatsLink } from '../nats/nats-link.js';
import { DurableEvents } from './durable-events.decorator.js';
import { BusContext, NatsTransport } from './nats-transport.js';
import { RefusalFilter } from './refusal.filter.js';

// A busy machine may be slow to start a server; nothing here is a measurement.
jest.setTimeout(60_000);

/** What the handlers saw, and a way to wait for it. What each attempt does is the test's. */
class Scene {
  readonly seen: { n: unknown; attempt: number; subject: string }[] = [];
  act: (n: unknown, attempt: number) => Promise<void> = async () => undefined;
  private check: () => void = () => undefined;

  async handle(message: JsonObject, context: BusContext): Promise<void> {
    const attempt = context.delivery?.attempt ?? 0;
    this.seen.push({ n: message['n'], attempt, subject: context.subject });
    this.check();
    await this.act(message['n'], attempt);
  }

  until(enough: (seen: Scene['seen']) => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.check = () => enough(this.seen) && resolve();
      this.check();
    });
  }

  times(n: unknown): number {
    return this.seen.filter((each) => each.n === n).length;
  }
}

let scene: Scene;
const fast = { ackWaitMs: 1_000, backoffMs: { first: 50, max: 200 } };

@Controller()
class Requests {
  @MessagePattern('ask.*')
  ask(@Payload() message: JsonObject, @Ctx() context: BusContext): JsonObject {
    if (message['refuse'] === true) throw new DomainError('StaleNode', 'epoch 1 is over');
    return { ...message, subject: context.subject };
  }

  @EventPattern<string>('news.>')
  news(@Payload() message: JsonObject, @Ctx() context: BusContext): Promise<void> {
    return scene.handle(message, context);
  }
}

@Controller()
class Consumer {
  @DurableEvents('events.pod.>', { durable: 'pods', ...fast })
  pod(@Payload() message: JsonObject, @Ctx() context: BusContext): Promise<void> {
    return scene.handle(message, context);
  }
}

@Controller()
class OrderedConsumer {
  @DurableEvents('events.>', { durable: 'ordered', concurrency: 1, ...fast })
  any(@Payload() message: JsonObject, @Ctx() context: BusContext): Promise<void> {
    return scene.handle(message, context);
  }
}

describe('the Nest transport on NATS', () => {
  let nats: TestNats;
  let client: NatsBus;
  const applications: INestMicroservice[] = [];
  const links: NatsLink[] = [];
  const quiet = (): void => undefined;

  beforeEach(async () => {
    scene = new Scene();
    nats = await TestNats.start();
    client = await NatsBus.connect({ url: nats.url, name: 'client', report: quiet });
    links.push(client.link);
    await new NatsEventFeed(client.link).create(0);
  });
  afterEach(async () => {
    await Promise.all(applications.splice(0).map((application) => application.close()));
    await Promise.all(links.splice(0).map((link) => link.connection.close()));
    await nats.stop();
  });

  async function serve(...controllers: Type[]): Promise<{ application: INestMicroservice; link: NatsLink }> {
    class Root {}
    Module({ controllers })(Root);
    const link = await connectNats({ url: nats.url, name: 'application', report: quiet });
    links.push(link);
    const application = await NestFactory.createMicroservice(Root, {
      strategy: new NatsTransport({ link }),
      logger: false,
    });
    application.useGlobalFilters(new RefusalFilter());
    await application.listen();
    applications.push(application);
    return { application, link };
  }

  async function emit(subject: string, ...payloads: string[]): Promise<void> {
    for (const payload of payloads) await client.link.connection.jetstream().publish(subject, payload);
  }
  const numbered = (...numbers: number[]): string[] => numbers.map((n) => JSON.stringify({ n }));

  /** Resolves when the durable has nothing left to do. */
  async function settled(durable: string): Promise<void> {
    const manager = await client.link.connection.jetstreamManager();
    for (;;) {
      const { num_pending, num_ack_pending } = await manager.consumers.info(eventsStream, durable);
      if (num_pending === 0 && num_ack_pending === 0) return;
    }
  }

  it('answers requests, and refuses with the reason the handler gave', async () => {
    await serve(Requests);
    expect(await client.request('ask.pods', { n: 1 }, 5_000)).toEqual({ n: 1, subject: 'ask.pods' });
    await expect(client.request('ask.pods', { refuse: true }, 5_000)).rejects.toMatchObject({
      name: 'RemoteRefusal',
      reason: 'StaleNode',
      message: 'epoch 1 is over',
    });
  });

  it('passes on the news, and lives through a handler that throws', async () => {
    await serve(Requests);
    scene.act = () => Promise.reject(new Error('a faulty handler'));
    client.publish('news.a', { n: 1 });
    client.publish('news.b.c', { n: 2 });
    await scene.until((seen) => seen.length === 2);
    expect(scene.seen.map((each) => each.subject)).toEqual(['news.a', 'news.b.c']);
  });

  it('gives durable consumers what was published before they came, once', async () => {
    await emit('events.pod.PodRequested', ...numbered(1, 2, 3));
    await emit('events.node.NodeJoined', ...numbered(4));
    await serve(Consumer);
    await emit('events.pod.PodScheduled', ...numbered(5));
    await scene.until((seen) => seen.length >= 4);
    await settled('pods');
    expect(scene.seen.map((each) => each.n)).toEqual([1, 2, 3, 5]);
  });

  it('gives a message whose handler failed again, later and later, until it succeeds', async () => {
    const times: number[] = [];
    scene.act = async (_, attempt) => {
      times.push(performance.now());
      if (attempt < 4) throw new Error('not yet');
    };
    await serve(Consumer);
    await emit('events.pod.PodRequested', ...numbered(1));
    await scene.until((seen) => seen.length === 4);
    await settled('pods');
    expect(scene.seen.map((each) => each.attempt)).toEqual([1, 2, 3, 4]);
    const waits = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    for (const [index, atLeast] of [50, 100, 200].entries()) expect(waits[index]).toBeGreaterThanOrEqual(atLeast - 5);
  });

  it('keeps the order at concurrency 1, also past a failure', async () => {
    scene.act = async (n, attempt) => {
      if (n === 2 && attempt < 3) throw new Error('not yet');
    };
    await serve(OrderedConsumer);
    await emit('events.pod.PodRequested', ...numbered(1, 2, 3, 4));
    await scene.until((seen) => seen.some((each) => each.n === 4));
    expect(scene.seen.map((each) => each.n)).toEqual([1, 2, 2, 2, 3, 4]);
  });

  it('gives a message again when its process dies between handler and acknowledgement', async () => {
    const first = await serve(Consumer);
    scene.act = async (_, attempt) => {
      if (attempt === 1) await first.link.connection.close();
    };
    await emit('events.pod.PodRequested', ...numbered(1));
    await scene.until((seen) => seen.length === 1);
    await serve(Consumer);
    await scene.until((seen) => seen.length === 2);
    await settled('pods');
    expect(scene.seen.map((each) => each.attempt)).toEqual([1, 2]);
  });

  it('keeps a message from being given again while its handler is at work', async () => {
    let finish: () => void = () => undefined;
    scene.act = (n) => (n === 1 ? new Promise((resolve) => (finish = resolve)) : Promise.resolve());
    await serve(Consumer);
    await serve(Consumer);
    const manager = await client.link.connection.jetstreamManager();
    await emit('events.pod.PodRequested', ...numbered(1));
    await scene.until((seen) => seen.length === 1);
    const begun = performance.now();
    while (performance.now() - begun < 3 * fast.ackWaitMs) await manager.consumers.info(eventsStream, 'pods');
    finish();
    await settled('pods');
    expect(scene.seen).toHaveLength(1);
  });

  it('puts what nobody can read, or ever handle, into the dead letters and goes on', async () => {
    scene.act = async (n) => {
      if (n === 2) throw new Unprocessable('event of an unknown form');
    };
    await serve(OrderedConsumer);
    await emit('events.pod.PodRequested', 'no json', '[]', ...numbered(2, 3));
    await scene.until((seen) => seen.some((each) => each.n === 3));
    await settled('ordered');
    expect(scene.seen.map((each) => each.n)).toEqual([2, 3]);
    const manager = await client.link.connection.jetstreamManager();
    const { state } = await manager.streams.info(deadLetterStream);
    expect(state.messages).toBe(3);
    const letter = await manager.streams.getMessage(deadLetterStream, { seq: 3 });
    expect({ subject: letter.subject, data: letter.json(), why: letter.header.get('Podledger-Reason') }).toEqual({
      subject: 'dead.ordered',
      data: { n: 2 },
      why: 'event of an unknown form',
    });
  });

  it('waits at close for what is under way, acknowledges and answers it', async () => {
    const { application } = await serve(Consumer, Requests);
    const finish: (() => void)[] = [];
    scene.act = () => new Promise((resolve) => finish.push(resolve));
    await emit('events.pod.PodRequested', ...numbered(1));
    client.publish('news.a', { n: 2 });
    await scene.until((seen) => seen.length === 2);
    let closed = false;
    const closing = application.close().then(() => (closed = true));
    await emit('events.pod.PodRequested', ...numbered(3));
    await client.link.connection.flush();
    expect(closed).toBe(false);
    finish.forEach((run) => run());
    await closing;
    applications.splice(0);
    scene.act = async () => undefined;
    await serve(Consumer);
    await scene.until(() => scene.times(3) > 0);
    await settled('pods');
    expect([scene.times(1), scene.times(2), scene.times(3)]).toEqual([1, 1, 1]);
  });

  it('goes on by itself after the store was wiped and the stream made anew', async () => {
    await serve(Consumer);
    await emit('events.pod.PodRequested', ...numbered(1));
    await scene.until(() => scene.times(1) === 1);
    await nats.down('SIGKILL');
    await nats.wipe();
    await nats.up();
    const stands = new Promise<void>((resolve) => client.onConnection((connected) => connected && resolve()));
    if (!client.connected) await stands;
    await new NatsEventFeed(client.link).create(7);
    await emit('events.pod.PodRequested', ...numbered(8));
    await scene.until(() => scene.times(8) === 1);
    await settled('pods');
    expect(scene.seen.map((each) => each.n)).toEqual([1, 8]);
  });
});
