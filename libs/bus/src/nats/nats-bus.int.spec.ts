import { jest } from '@jest/globals';
import { messageBusContract, type BusHarness } from '../../../../test/contract/message-bus.contract.js';
import { TestNats } from '../../../../test/support/nats.js';
import { NatsBus } from './nats-bus.js';

// A busy machine may be slow to start a server; nothing here is a measurement.
jest.setTimeout(60_000);

const quiet = (): void => undefined;

/** Resolves when the bus is, or becomes, connected or not. */
async function connectionIs(bus: NatsBus, connected: boolean): Promise<void> {
  if (bus.connected === connected) return;
  await new Promise<void>((resolve) => {
    const end = bus.onConnection((now) => {
      if (now !== connected) return;
      end();
      resolve();
    });
  });
}

describe('the bus on NATS', () => {
  let nats: TestNats;
  beforeAll(async () => {
    nats = await TestNats.start();
  });
  afterAll(() => nats.stop());

  const connect = (name: string): Promise<NatsBus> => NatsBus.connect({ url: nats.url, name, report: quiet });

  messageBusContract(async (): Promise<BusHarness> => {
    const buses: NatsBus[] = [];
    return {
      connect: async (name) => {
        const bus = await connect(name);
        buses.push(bus);
        return bus;
      },
      settled: async () => {
        for (const bus of buses) await bus.link.connection.flush();
      },
      down: async () => {
        await nats.down();
        await Promise.all(buses.map((bus) => connectionIs(bus, false)));
      },
      up: async () => {
        await nats.up();
        await Promise.all(buses.map((bus) => connectionIs(bus, true)));
        for (const bus of buses) await bus.link.connection.flush();
      },
      stop: async () => {
        await Promise.all(buses.map((bus) => bus.link.connection.close()));
      },
    };
  });

  it('refuses a request that nobody can read, and lives on', async () => {
    const [client, server] = [await connect('client'), await connect('server')];
    server.respond('ask', 'group', async () => ({ ok: true }));
    await server.link.connection.flush();
    for (const bytes of ['not json', '[1]', 'null', Uint8Array.of(0xff, 0xfe)]) {
      const reply = await client.link.connection.request('ask', bytes);
      expect(reply.headers?.get('Podledger-Refusal')).toBe('BadRequest');
    }
    expect(await client.request('ask', {}, 5_000)).toEqual({ ok: true });
    await Promise.all([client.close(), server.close()]);
  });

  it('speaks on no subject but an inbox of the asker, whatever reply subject a request names', async () => {
    const [client, server] = [await connect('client'), await connect('server')];
    const handled: string[] = [];
    const overheard: string[] = [];
    server.respond('nodes.*.facts', 'group', async (message) => {
      handled.push(String(message['n']));
      return {};
    });
    for (const subject of ['events.>', 'nodes.*.assign', '_INBOX_b.>', '_INBOX_a.>']) {
      server.subscribe(subject, (_, on) => overheard.push(on));
    }
    await server.link.connection.flush();
    for (const [n, reply] of ['events.pod.Forged', 'nodes.b.assign', '_INBOX_b.x', '_INBOX_a.x'].entries()) {
      client.link.connection.publish('nodes.a.facts', JSON.stringify({ n }), { reply });
    }
    await client.link.connection.flush();
    await server.drain();
    expect(handled).toEqual(['3']);
    expect(overheard).not.toContain('events.pod.Forged');
    await Promise.all([client.close(), server.close()]);
  });

  it('handles and answers what it has received before it closes', async () => {
    const [client, server] = [await connect('client'), await connect('server')];
    let finish: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => {
      server.respond('ask', 'group', () => {
        resolve();
        return new Promise((answer) => (finish = () => answer({ done: true })));
      });
    });
    await server.link.connection.flush();
    const answer = client.request('ask', {}, 10_000);
    await begun;
    const closed = server.close();
    finish();
    expect(await answer).toEqual({ done: true });
    await closed;
    expect(server.connected).toBe(false);
    await client.close();
  });

  it('waits for a server that is not up yet, and gives up when told to', async () => {
    const late = await TestNats.start();
    await late.down();
    const abort = new AbortController();
    const told: string[] = [];
    const waiting = NatsBus.connect({
      url: late.url,
      name: 'early',
      report: (problem) => told.push(problem),
      signal: abort.signal,
    });
    const hopeless = NatsBus.connect({
      url: late.url,
      name: 'hopeless',
      report: () => abort.abort(new Error('enough')),
      signal: abort.signal,
    });
    await expect(hopeless).rejects.toThrow('enough');
    await expect(waiting).rejects.toThrow('enough');
    const patient = NatsBus.connect({ url: late.url, name: 'patient', report: quiet });
    await late.up();
    const bus = await patient;
    expect(bus.connected).toBe(true);
    expect(told).toEqual(['early waits for NATS']);
    await bus.close();
    await late.stop();
  });
});
