import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { type AppendCommand, type JsonObject, LogUnavailable } from '#domain';
import { freshDatabase, type TestDatabase } from '../../../../test/support/postgres.js';
import { PostgresProxy } from '../../../../test/support/postgres-proxy.js';
import { systemClock } from '../../../../test/support/system-clock.js';
import { EventCodec } from '../event-codec.js';
import { migrate } from './migrate.js';
import { PostgresEventLog, type PostgresEventLogOptions } from './postgres-event-log.js';

const ids = { uuid: randomUUID, random: Math.random };
const stream = 'core/pods/shop/web';

const write = (commandId: string, expectedVersion: number, data: JsonObject = {}): AppendCommand => ({
  commandId,
  context: { actor: { kind: 'system', name: 'test' }, requestId: commandId, correlationId: commandId },
  writes: [{ stream, expectedVersion, events: [{ type: 'Noted', data }] }],
});

describe('the log in Postgres', () => {
  let database: TestDatabase;
  let appUrl: string;
  let closing: { close(): Promise<void> }[];

  beforeEach(async () => {
    closing = [];
    database = await freshDatabase();
    ({ appUrl } = await migrate(database.ownerUrl, { appRole: 'podledger_app', appPassword: 'secret' }));
  });
  afterEach(async () => {
    for (const each of closing.reverse()) await each.close();
    await database.drop();
  });

  function open(options: Partial<PostgresEventLogOptions> = {}): PostgresEventLog {
    const log = new PostgresEventLog({ url: appUrl, clock: systemClock, ids, ...options });
    closing.push(log);
    return log;
  }

  async function openProxy(): Promise<PostgresProxy> {
    const proxy = await PostgresProxy.open(appUrl);
    closing.push(proxy);
    return proxy;
  }

  describe('whose connection is cut', () => {
    it('writes a command once when the answer to its COMMIT is lost, and still answers', async () => {
      const proxy = await openProxy();
      const log = open({ url: proxy.url });
      proxy.lose('answer', 'append');
      expect(await log.append(write('c1', 0))).toEqual({ first: 1, last: 1, duplicate: true });
      expect(proxy.cuts).toBe(1);
      expect(await log.readAfter(0, 10)).toHaveLength(1);
    });

    it('writes a command once when it never arrived, and still answers', async () => {
      const proxy = await openProxy();
      const log = open({ url: proxy.url });
      proxy.lose('question', 'append');
      expect(await log.append(write('c1', 0))).toEqual({ first: 1, last: 1, duplicate: false });
      expect(proxy.cuts).toBe(1);
      expect(await log.readAfter(0, 10)).toHaveLength(1);
    });

    it('writes every command once under repeated cuts at COMMIT with many at once', async () => {
      const proxy = await openProxy();
      const log = open({ url: proxy.url });
      proxy.lose('answer', 'append', 5);
      const commands = Array.from({ length: 300 }, (_, index) => write(`c${index}`, 0)).map((command, index) => ({
        ...command,
        writes: command.writes.map((one) => ({ ...one, stream: `${stream}-${index}` })),
      }));
      const appended = await Promise.all(commands.map((command) => log.append(command)));
      expect(proxy.cuts).toBe(5);
      expect(appended.map(({ first }) => first).sort((a, b) => a - b)).toEqual(
        Array.from({ length: 300 }, (_, index) => index + 1),
      );
      const events = await log.readAfter(0, 1_000);
      expect(new Set(events.map(({ commandId }) => commandId)).size).toBe(300);
      expect(events).toHaveLength(300);
    });

    it('says that the outcome is unknown when it stays cut, and answers the repeat with the first revisions', async () => {
      const proxy = await openProxy();
      const log = open({ url: proxy.url, appendTimeoutMs: 300 });
      proxy.lose('answer', 'append', Infinity);
      await expect(log.append(write('c1', 0))).rejects.toBeInstanceOf(LogUnavailable);
      proxy.lose('answer', 'append', 0);
      expect(await log.append(write('c1', 0))).toEqual({ first: 1, last: 1, duplicate: true });
      expect(await log.append(write('c2', 1))).toEqual({ first: 2, last: 2, duplicate: false });
    });

    it('calls a read that cannot reach the database unavailable, and reads again when it can', async () => {
      const proxy = await openProxy();
      const log = open({ url: proxy.url, queryTimeoutMs: 1_000, appendTimeoutMs: 200 });
      await log.append(write('c1', 0));
      proxy.cutAll();
      for (const call of [
        () => log.head(),
        () => log.readAfter(0, 1),
        () => log.readStream(stream),
        () => log.loadSnapshot('x', 1),
        () => log.saveSnapshot({ name: 'x', format: 1, revision: 1, state: {} }),
        () => log.acquireLease('x', 'me', 1_000),
        () => log.clusterId(),
        () => log.append(write('c2', 1)),
      ])
        await expect(call()).rejects.toBeInstanceOf(LogUnavailable);
      proxy.restore();
      expect(await log.head()).toBe(1);
      expect(await log.loadSnapshot('x', 1)).toBeUndefined();
      expect(await log.clusterId()).toMatch(/-/);
    });

    it('hears of growth again after its listening connection was lost', async () => {
      const proxy = await openProxy();
      const listening = open({ url: proxy.url });
      const writer = open();
      let heard = (): void => undefined;
      listening.onGrowth(() => heard());
      const nextHint = (): Promise<void> => new Promise((resolve) => (heard = resolve));
      await nextHint();
      proxy.cutAll();
      const afterwards = nextHint();
      proxy.restore();
      await afterwards;
      const hint = nextHint();
      await writer.append(write('c1', 0));
      await hint;
      expect(await listening.head()).toBe(1);
    });

    it('refuses what waits, and what comes later, when it is closed', async () => {
      const log = open();
      await log.head();
      const waiting = log.append(write('c1', 0));
      await log.close();
      closing.pop();
      await expect(waiting).rejects.toBeInstanceOf(LogUnavailable);
      await expect(log.append(write('c2', 0))).rejects.toBeInstanceOf(LogUnavailable);
    });
  });

  it('fails only the command that the database cannot take', async () => {
    const log = open();
    const tooLong = write('c1', 0);
    // An index entry of more than a third of a page: a limit that only the database knows.
    const stranger = `core/pods/shop/${Array.from({ length: 200 }, () => randomUUID()).join('')}`;
    const outcomes = await Promise.allSettled([
      log.append(write('c0', 0)),
      log.append({ ...tooLong, writes: tooLong.writes.map((one) => ({ ...one, stream: stranger })) }),
      log.append(write('c2', 1)),
    ]);
    expect(outcomes).toMatchObject([
      { status: 'fulfilled', value: { first: 1 } },
      { status: 'rejected', reason: expect.any(pg.DatabaseError) },
      { status: 'fulfilled', value: { first: 2 } },
    ]);
  });

  it('lifts events of an older schema version on reading, and leaves them as they were written', async () => {
    const rename = {
      type: 'Noted',
      from: 1,
      up: ({ message, ...rest }: JsonObject) => ({ ...rest, text: message ?? '' }),
    };
    await open().append(write('c1', 0, { message: 'hello' }));
    const newer = open({ codec: new EventCodec([rename]) });
    await newer.append(write('c2', 1, { text: 'again' }));
    const events = await newer.readStream(stream);
    expect(events.map(({ data, schemaVersion }) => [data, schemaVersion])).toEqual([
      [{ text: 'hello' }, 2],
      [{ text: 'again' }, 2],
    ]);
    const owner = new pg.Client({ connectionString: database.ownerUrl });
    await owner.connect();
    const { rows } = await owner.query('select schema_version, data::text from podledger.events order by revision');
    await owner.end();
    expect(rows).toEqual([
      { schema_version: 1, data: '{"message":"hello"}' },
      { schema_version: 2, data: '{"text":"again"}' },
    ]);
  });
});
