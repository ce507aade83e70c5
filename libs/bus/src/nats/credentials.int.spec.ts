import { jest } from '@jest/globals';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestNats } from '../../../../test/support/nats.js';
import {
  assignSubject,
  joinInboxPrefix,
  joinSubject,
  logsSubject,
  nodeInboxPrefix,
  nodeRequestSubject,
} from '../subjects.js';
import { controlPlaneCreds, credsFile, joinCreds, nodeUserJwt } from './credentials.js';
import { createNodeKey, loadNatsKeys, type NatsKeys } from './keys.js';
import { NatsBus } from './nats-bus.js';
import { eventsStream, NatsEventFeed } from './nats-event-feed.js';
import { CredentialsRefused } from './nats-link.js';
import { revokeNodeUsers } from './revocation.js';

// A busy machine may be slow to start a server; nothing here is a measurement.
jest.setTimeout(60_000);

const timeoutMs = 5_000;

describe('credentials on our own server', () => {
  let dir: string;
  let keys: NatsKeys;
  let nats: TestNats;
  let controlPlane: NatsBus;
  const buses: NatsBus[] = [];
  const problems: string[] = [];

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'podledger-keys-'));
    keys = await loadNatsKeys(dir);
    nats = await TestNats.start(keys);
    controlPlane = await connect('control-plane', controlPlaneCreds(keys, Date.now()));
    await new NatsEventFeed(controlPlane.link).create(0);
  });
  afterAll(async () => {
    await Promise.all(buses.map((bus) => bus.link.connection.close()));
    await nats.stop();
    await rm(dir, { recursive: true });
  });
  beforeEach(() => problems.splice(0));

  async function connect(name: string, creds: string, inboxPrefix?: string): Promise<NatsBus> {
    const report = (problem: string): number => problems.push(problem);
    const bus = await NatsBus.connect({ url: nats.url, name, creds, report, ...(inboxPrefix ? { inboxPrefix } : {}) });
    buses.push(bus);
    return bus;
  }

  function nodeCreds(node: string): { readonly publicKey: string; readonly creds: string } {
    const { publicKey, seed } = createNodeKey();
    return { publicKey, creds: credsFile(nodeUserJwt(keys, node, publicKey, Date.now()), seed) };
  }

  const joinNode = (node: string): Promise<NatsBus> => connect(node, nodeCreds(node).creds, nodeInboxPrefix(node));

  /** What the server says to a subscription: nothing, or that it is not permitted. */
  async function subscribing(bus: NatsBus, subject: string): Promise<string[]> {
    problems.splice(0);
    const end = bus.subscribe(subject, () => undefined);
    await bus.link.connection.flush();
    end();
    return problems.filter((problem) => problem.startsWith('subscription to'));
  }

  /** Whether something published by one reaches the control plane, told from a message that surely does. */
  async function reaches(from: NatsBus, subject: string, surely: string): Promise<boolean> {
    const seen: string[] = [];
    const done = new Promise<void>((resolve) => {
      controlPlane.subscribe(surely, () => resolve());
    });
    controlPlane.subscribe(subject, () => seen.push(subject));
    await controlPlane.link.connection.flush();
    from.publish(subject, {});
    from.publish(surely, {});
    await done;
    return seen.length > 0;
  }

  it('lets nobody in without them', async () => {
    await expect(NatsBus.connect({ url: nats.url, name: 'stranger' })).rejects.toThrow(CredentialsRefused);
    const foreign = await mkdtemp(join(tmpdir(), 'podledger-keys-'));
    const others = controlPlaneCreds(await loadNatsKeys(foreign), Date.now());
    await expect(NatsBus.connect({ url: nats.url, name: 'other cluster', creds: others })).rejects.toThrow(
      CredentialsRefused,
    );
    await rm(foreign, { recursive: true });
  });

  it('are made once, kept for the owner only, and the same for all who load them', async () => {
    const fresh = join(dir, 'fresh');
    const loaded = await Promise.all(Array.from({ length: 5 }, () => loadNatsKeys(fresh)));
    expect(new Set(loaded.map((each) => each.operator)).size).toBe(1);
    expect(loaded[0]?.operator).not.toBe(keys.operator);
    expect((await stat(join(fresh, 'nats-keys.json'))).mode & 0o777).toBe(0o600);
  });

  it('let a node ask on its own subjects and answer what it is asked, replies by its own inbox', async () => {
    const node = await joinNode('rack-1.example.org');
    controlPlane.respond('nodes.*.sync', 'control-plane', async (message, subject) => ({ ...message, subject }));
    node.respond(logsSubject('rack-1.example.org'), undefined, async () => ({ lines: 3 }));
    const assigned = new Promise((resolve) => node.subscribe(assignSubject('rack-1.example.org'), resolve));
    await Promise.all([controlPlane.link.connection.flush(), node.link.connection.flush()]);

    const reply = await node.request(nodeRequestSubject('rack-1.example.org', 'sync'), { epoch: 4 }, timeoutMs);
    expect(reply).toEqual({ epoch: 4, subject: 'nodes.rack-1_example_org.sync' });
    for (let n = 0; n < 3; n++) {
      expect(await controlPlane.request(logsSubject('rack-1.example.org'), {}, timeoutMs)).toEqual({ lines: 3 });
    }
    controlPlane.publish(assignSubject('rack-1.example.org'), { revision: 8 });
    expect(await assigned).toEqual({ revision: 8 });
  });

  it("keep a node from hearing another's assignments, requests and replies", async () => {
    const node = await joinNode('a');
    for (const subject of [
      assignSubject('b'),
      logsSubject('b'),
      'nodes.b.facts',
      'nodes.*.assign',
      'nodes.>',
      '>',
      'join',
      'events.>',
      `${nodeInboxPrefix('b')}.>`,
      '_INBOX.>',
      `${joinInboxPrefix}.>`,
    ]) {
      expect({ subject, refused: await subscribing(node, subject) }).toEqual({
        subject,
        refused: [expect.any(String)],
      });
    }
    expect(await subscribing(node, `${nodeInboxPrefix('a')}.mine`)).toEqual([]);
  });

  it('keep a node from speaking for another, for the log or for the control plane', async () => {
    const node = await joinNode('a');
    const surely = nodeRequestSubject('a', 'heartbeat');
    for (const subject of [
      nodeRequestSubject('b', 'facts'),
      assignSubject('b'),
      assignSubject('a'),
      'events.pod.PodRequested',
      'streams.b.1',
      'join',
      'dead.x',
    ]) {
      expect({ subject, arrived: await reaches(node, subject, surely) }).toEqual({ subject, arrived: false });
    }
    await expect(node.request(nodeRequestSubject('b', 'facts'), {}, timeoutMs)).rejects.toMatchObject({
      reason: 'Forbidden',
    });
    const feed = new NatsEventFeed(controlPlane.link);
    expect(await feed.inspect()).toEqual({ base: 0, lastSequence: 0 });
  });

  it('keep a node from JetStream', async () => {
    const node = await joinNode('a');
    for (const api of [
      `CONSUMER.CREATE.${eventsStream}`,
      `STREAM.INFO.${eventsStream}`,
      `STREAM.DELETE.${eventsStream}`,
    ]) {
      await expect(node.request(`$JS.API.${api}`, {}, timeoutMs)).rejects.toMatchObject({ reason: 'Forbidden' });
    }
  });

  it('let a machine that joins do nothing but ask to', async () => {
    const joiner = await connect('joiner', joinCreds(keys, Date.now()), joinInboxPrefix);
    controlPlane.respond(joinSubject, 'control-plane', async () => ({ jwt: 'token' }));
    await controlPlane.link.connection.flush();
    expect(await joiner.request(joinSubject, { token: 't' }, timeoutMs)).toEqual({ jwt: 'token' });
    await expect(joiner.request(nodeRequestSubject('a', 'sync'), {}, timeoutMs)).rejects.toMatchObject({
      reason: 'Forbidden',
    });
    for (const subject of [joinSubject, assignSubject('a'), '_INBOX.>', 'events.>']) {
      expect(await subscribing(joiner, subject)).toHaveLength(1);
    }
  });

  it('are refused for what is no node name or no public key', () => {
    const { publicKey } = createNodeKey();
    for (const name of ['*', '>', 'a.>', 'A', 'a_b', '', 'a b', `${'a'.repeat(300)}`]) {
      expect(() => nodeUserJwt(keys, name, publicKey, 0)).toThrow('not a node name');
    }
    for (const key of ['', 'U', 'nonsense', createNodeKey().seed, publicKey.slice(1)]) {
      expect(() => nodeUserJwt(keys, 'a', key, 0)).toThrow('not the public key');
    }
  });

  it('cut a node off at once when they are revoked, for good, and nobody else', async () => {
    const revoked = nodeCreds('gone');
    const gone = await connect('gone', revoked.creds, nodeInboxPrefix('gone'));
    const stays = await joinNode('stays');
    controlPlane.respond('nodes.*.heartbeat', 'control-plane', async () => ({ known: true }));
    await controlPlane.link.connection.flush();
    expect(await gone.request(nodeRequestSubject('gone', 'heartbeat'), {}, timeoutMs)).toEqual({ known: true });

    const refused = new Promise<void>((resolve) => gone.link.onRefused(resolve));
    const lost = new Promise((resolve) => gone.onConnection(resolve));
    const revoke = (key: string): Promise<void> => revokeNodeUsers({ dir, url: nats.url, now: Date.now() }, [key]);
    await revoke(revoked.publicKey);
    expect(await lost).toBe(false);
    await refused;
    expect(gone.connected).toBe(false);
    // It is told, and told once, however often it is refused.
    await new Promise<void>((resolve) => gone.link.onRefused(resolve));
    expect(problems.filter((problem) => problem.includes('AUTHORIZATION_VIOLATION'))).toHaveLength(1);
    expect(await stays.request(nodeRequestSubject('stays', 'heartbeat'), {}, timeoutMs)).toEqual({ known: true });
    expect(controlPlane.connected).toBe(true);

    const second = nodeCreds('second');
    await revoke(second.publicKey);
    await revoke(second.publicKey);
    for (const { creds } of [revoked, second]) {
      await expect(connect('again', creds)).rejects.toThrow(CredentialsRefused);
    }
    // A server with an empty store learns of it from what is kept beside the keys.
    const anew = await TestNats.start(await loadNatsKeys(dir));
    await expect(NatsBus.connect({ url: anew.url, name: 'again', creds: revoked.creds })).rejects.toThrow(
      CredentialsRefused,
    );
    await anew.stop();
    expect(await readFile(join(dir, 'nats-keys.json'), 'utf8')).toContain(revoked.publicKey);
  });

  it('hold through a restart of the server, revocations included', async () => {
    const revoked = nodeCreds('gone-2');
    await revokeNodeUsers({ dir, url: nats.url, now: Date.now() }, [revoked.publicKey]);
    await nats.down();
    const back = new Promise<void>((resolve) => controlPlane.onConnection((connected) => connected && resolve()));
    await nats.up();
    await back;
    await expect(connect('again', revoked.creds)).rejects.toThrow(CredentialsRefused);
    expect((await joinNode('new')).connected).toBe(true);
  });
});
