import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type AppendCommand,
  BrokenInvariant,
  type EventContext,
  type EventLog,
  type Growth,
  type NewEvent,
  type Recorded,
  type Revision,
  StaleEpoch,
  VersionConflict,
} from '#domain';

/** One log under test, and what only its implementation can do to it. */
export interface EventLogUnderTest {
  /** Another handle on the same log, as another process would have. */
  connect(): EventLog;
  /** Lets the clock that leases run by pass this many milliseconds. */
  elapse(ms: number): Promise<void>;
  close(): Promise<void>;
}

const context: EventContext = {
  actor: { kind: 'user', name: 'ann' },
  requestId: 'request-1',
  correlationId: 'request-1',
};

let made = 0;
const freshName = (what: string): string => `${what}-${(made += 1)}`;
const freshStream = (): string => `core/pods/shop/${freshName('web')}`;

const happened = (type: string, data: NewEvent['data'] = {}): NewEvent => ({ type, data });

/** A command that writes `count` events to one stream. */
function write(stream: string, expectedVersion: number, count = 1, more: Partial<AppendCommand> = {}): AppendCommand {
  const events = Array.from({ length: count }, (_, index) => happened('Noted', { index }));
  return { commandId: freshName('command'), context, writes: [{ stream, expectedVersion, events }], ...more };
}

/** Reads on until `revision`, page by page, as a reader that started from the beginning would. */
async function readUntil(log: EventLog, revision: Revision, pageSize: number): Promise<Recorded[]> {
  const seen: Recorded[] = [];
  for (let position = 0; position < revision; position = seen.length) {
    const page = await log.readAfter(position, pageSize);
    seen.push(...page);
  }
  return seen;
}

const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => {
      throw new Error('expected a rejection');
    },
    (error: unknown) => error,
  );

/** What every log promises, see the port in `libs/domain/src/ports.ts`. */
export function describeEventLog(name: string, open: () => Promise<EventLogUnderTest>): void {
  describe(`${name} keeps the contract of the log`, () => {
    let underTest: EventLogUnderTest;
    let log: EventLog;
    beforeAll(async () => {
      underTest = await open();
      log = underTest.connect();
    });
    afterAll(() => underTest.close());

    describe('appending', () => {
      let stream: string;
      beforeEach(() => {
        stream = freshStream();
      });

      it('numbers events consecutively, across commands and streams', async () => {
        const head = await log.head();
        const other = freshStream();
        const first = await log.append(write(stream, 0, 2));
        const second = await log.append({
          commandId: freshName('command'),
          context,
          writes: [
            { stream, expectedVersion: 2, events: [happened('Noted')] },
            { stream: other, expectedVersion: 0, events: [happened('Noted'), happened('Noted')] },
          ],
        });
        expect(first).toEqual({ first: head + 1, last: head + 2, duplicate: false });
        expect(second).toEqual({ first: head + 3, last: head + 5, duplicate: false });
        expect(await log.head()).toBe(head + 5);
        const events = await log.readAfter(head, 10);
        expect(events.map((event) => [event.revision - head, event.stream, event.version])).toEqual([
          [1, stream, 1],
          [2, stream, 2],
          [3, stream, 3],
          [4, other, 1],
          [5, other, 2],
        ]);
      });

      it('gives back what was written, with its context', async () => {
        const data = {
          text: 'line\nbreak, "quote", back\\slash, \u0000, ü, 💡',
          nested: { list: [1, 2.5, null, true], empty: {} },
          __proto: 'own',
          z: 1,
          a: 2,
        };
        const command: AppendCommand = {
          commandId: freshName('command'),
          context: {
            actor: { kind: 'node', name: 'n"1, {x}' },
            requestId: 'r\n1',
            causationId: 'cause',
            correlationId: 'NULL',
          },
          writes: [{ stream, expectedVersion: 0, events: [happened('ContainerExited', data)] }],
        };
        const { first } = await log.append(command);
        const [event] = await log.readStream(stream);
        expect(event).toEqual({
          type: 'ContainerExited',
          data,
          id: expect.stringMatching(/^[0-9a-f-]{36}$/),
          revision: first,
          stream,
          version: 1,
          time: expect.any(Number),
          schemaVersion: 1,
          commandId: command.commandId,
          commandLast: first,
          ...command.context,
        });
        expect(Object.keys(event?.data ?? {})).toEqual(Object.keys(data));
      });

      it('leaves out a causation that there was not', async () => {
        await log.append(write(stream, 0));
        const [event] = await log.readStream(stream);
        expect(event).not.toHaveProperty('causationId');
      });

      it('marks every event with the last revision of its command', async () => {
        const { first, last } = await log.append(write(stream, 0, 3));
        const events = await log.readAfter(first - 1, 3);
        expect(events.map(({ commandLast }) => commandLast)).toEqual([last, last, last]);
      });

      it('never lets time run backwards', async () => {
        for (let version = 0; version < 20; version += 1) await log.append(write(stream, version));
        const times = (await log.readStream(stream)).map(({ time }) => time);
        expect(times).toEqual([...times].sort((a, b) => a - b));
        expect(times.every(Number.isInteger)).toBe(true);
      });

      it('refuses a stream that is at another version, and names it', async () => {
        await log.append(write(stream, 0, 2));
        const error = await rejection(log.append(write(stream, 1)));
        expect(error).toBeInstanceOf(VersionConflict);
        expect(error).toMatchObject({ stream, expected: 1, actual: 2 });
      });

      it('lets one of two who create the same stream win', async () => {
        const outcomes = await Promise.allSettled([log.append(write(stream, 0)), log.append(write(stream, 0))]);
        expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
        expect(await log.readStream(stream)).toHaveLength(1);
      });

      it('writes nothing of a command when one of its streams has moved', async () => {
        const moved = freshStream();
        await log.append(write(moved, 0));
        const head = await log.head();
        const refused: AppendCommand = {
          commandId: freshName('command'),
          context,
          writes: [
            { stream, expectedVersion: 0, events: [happened('Noted')] },
            { stream: moved, expectedVersion: 0, events: [happened('Noted')] },
          ],
        };
        expect(await rejection(log.append(refused))).toMatchObject({ stream: moved, expected: 0, actual: 1 });
        expect(await log.head()).toBe(head);
        expect(await log.readStream(stream)).toEqual([]);
        // The id of a refused command is not spent.
        const again = await log.append({ ...refused, writes: refused.writes.slice(0, 1) });
        expect(again).toEqual({ first: head + 1, last: head + 1, duplicate: false });
      });

      it('refuses a command whose guarded stream has moved, and accepts it where the guard holds', async () => {
        const guarded = freshStream();
        await log.append(write(guarded, 0));
        const stale = write(stream, 0, 1, { guards: [{ stream: guarded, version: 0 }] });
        expect(await rejection(log.append(stale))).toMatchObject({ stream: guarded, expected: 0, actual: 1 });
        const unborn = freshStream();
        const guards = [
          { stream: guarded, version: 1 },
          { stream: unborn, version: 0 },
        ];
        await log.append(write(stream, 0, 1, { guards }));
        expect(await log.readStream(stream)).toHaveLength(1);
        expect(await log.readStream(unborn)).toEqual([]);
        // A guard is no write: the guarded stream has not moved.
        await log.append(write(guarded, 1));
      });

      it('answers a command id it knows with the first revisions, whatever has happened since', async () => {
        const command = write(stream, 0, 2);
        const first = await log.append(command);
        await log.append(write(stream, 2));
        expect(await log.append(command)).toEqual({ ...first, duplicate: true });
        expect(await log.readStream(stream)).toHaveLength(3);
      });

      it('answers one command sent twice at once with the same revisions', async () => {
        const command = write(stream, 0);
        const outcomes = await Promise.all([log.append(command), log.append(command), log.append(command)]);
        const [{ first, last }] = outcomes;
        expect(outcomes).toEqual(expect.arrayContaining([{ first, last, duplicate: false }]));
        expect(outcomes.filter(({ duplicate }) => duplicate)).toEqual([
          { first, last, duplicate: true },
          { first, last, duplicate: true },
        ]);
        expect(await log.readStream(stream)).toHaveLength(1);
      });

      it('fails no command for the conflict of another at the same time', async () => {
        const taken = freshStream();
        await log.append(write(taken, 0));
        const streams = Array.from({ length: 10 }, freshStream);
        const outcomes = await Promise.allSettled(
          streams.flatMap((free) => [log.append(write(free, 0)), log.append(write(taken, 0))]),
        );
        expect(outcomes.map(({ status }) => status)).toEqual(streams.flatMap(() => ['fulfilled', 'rejected']));
        for (const free of streams) expect(await log.readStream(free)).toHaveLength(1);
      });

      it('takes commands at the same time that build on one another', async () => {
        const outcomes = await Promise.all([
          log.append(write(stream, 0, 2)),
          log.append(write(stream, 2, 1)),
          log.append(write(stream, 3, 3)),
        ]);
        expect(outcomes.map(({ first, last }) => last - first + 1)).toEqual([2, 1, 3]);
        expect((await log.readStream(stream)).map(({ version }) => version)).toEqual([1, 2, 3, 4, 5, 6]);
      });

      it.each<[string, Partial<AppendCommand>]>([
        ['without writes', { writes: [] }],
        ['with a write of no events', { writes: [{ stream: 'core/pods/shop/x', expectedVersion: 0, events: [] }] }],
        ['without an id', { commandId: '' }],
        ['with an id of more than 200 characters', { commandId: 'x'.repeat(201) }],
        ['with a version that is no count', { writes: write('core/pods/shop/x', -1).writes }],
        [
          'that writes a stream twice',
          { writes: [...write('core/pods/shop/x', 0).writes, ...write('core/pods/shop/x', 1).writes] },
        ],
        ['with a name no database can hold', { writes: write('core/pods/shop/\0', 0).writes }],
        ['with half a character in its name', { writes: write('core/pods/shop/\ud83d', 0).writes }],
        [
          'with data that is no object',
          {
            writes: [{ stream: 'core/pods/shop/x', expectedVersion: 0, events: [{ type: 'Noted', data: undefined }] }],
          },
        ],
      ])('refuses a command %s, and takes the one beside it', async (_what, wrong) => {
        const head = await log.head();
        const [refused, beside] = await Promise.allSettled([
          log.append({ ...write(stream, 0), ...wrong }),
          log.append(write(stream, 0)),
        ]);
        expect(refused).toMatchObject({ status: 'rejected', reason: expect.any(BrokenInvariant) });
        expect(beside).toMatchObject({ status: 'fulfilled', value: { first: head + 1, last: head + 1 } });
      });
    });

    describe('reading', () => {
      it('skips nothing under 16 concurrent writers', async () => {
        const start = await log.head();
        const writers = 16;
        const commands = 25;
        const handles = Array.from({ length: writers }, () => underTest.connect());
        let writing = true;
        const reader = (async () => {
          const seen: Revision[] = [];
          let position = start;
          while (writing || position < (await log.head())) {
            for (const { revision } of await log.readAfter(position, 100)) seen.push((position = revision));
          }
          return seen;
        })();
        await Promise.all(
          handles.map(async (handle) => {
            const stream = freshStream();
            for (let n = 0; n < commands; n += 1) await handle.append(write(stream, n * 2, 2));
          }),
        );
        writing = false;
        const seen = await reader;
        expect(seen).toEqual(Array.from({ length: writers * commands * 2 }, (_, index) => start + 1 + index));
      });

      it('pages without a gap, and ends at the head', async () => {
        const head = await log.head();
        const paged = await readUntil(log, head, 7);
        expect(paged.map(({ revision }) => revision)).toEqual(Array.from({ length: head }, (_, index) => index + 1));
        expect(await log.readAfter(head, 10)).toEqual([]);
        expect(await log.readAfter(head + 1_000, 10)).toEqual([]);
      });

      it('reads a stream after a version', async () => {
        const stream = freshStream();
        await log.append(write(stream, 0, 5));
        expect((await log.readStream(stream, 3)).map(({ version }) => version)).toEqual([4, 5]);
        expect(await log.readStream(stream, 5)).toEqual([]);
        expect(await log.readStream(freshStream())).toEqual([]);
      });

      it('lets every handle see what another has appended', async () => {
        const other = underTest.connect();
        const stream = freshStream();
        const { last } = await other.append(write(stream, 0));
        expect(await log.head()).toBe(last);
        expect(await log.readStream(stream)).toEqual(await other.readStream(stream));
      });

      it('wakes those who wait for growth, on every handle, until they leave', async () => {
        const other = underTest.connect();
        const woken = { here: 0, there: 0 };
        let noticed = (): void => undefined;
        const leaveHere = log.onGrowth(() => {
          woken.here += 1;
          noticed();
        });
        const leaveThere = other.onGrowth(() => {
          woken.there += 1;
          noticed();
        });
        const both = new Promise<void>((resolve) => {
          noticed = () => {
            if (woken.here > 0 && woken.there > 0) resolve();
          };
        });
        await log.append(write(freshStream(), 0));
        await both;
        leaveHere();
        const before = woken.here;
        const thereAgain = new Promise<void>((resolve) => (noticed = resolve));
        await log.append(write(freshStream(), 0));
        await thereAgain;
        expect(woken.here).toBe(before);
        leaveThere();
      });
    });

    describe('news of growth', () => {
      it('says what this handle has appended, as reading gives it, before the append is answered', async () => {
        const told: Recorded[] = [];
        const leave = log.onGrowth(({ events = [] }) => told.push(...events));
        const head = await log.head();
        const stream = freshStream();
        const other = freshStream();
        const data = { text: 'ü, \ud83d\udca1, \ud83d', left: undefined, whole: { a: [1, null] } };
        const events = [happened('Noted', data), happened('Noted')];
        const writes = [
          { stream, expectedVersion: 0, events },
          { stream: other, expectedVersion: 0, events },
        ];
        const caused = { ...context, causationId: 'cause', actor: { kind: 'node', name: 'n"1, {x}' } } as const;
        const first = log.append({ commandId: freshName('command'), context: caused, writes });
        const repeated = write(stream, 2, 3);
        const outcomes = await Promise.allSettled([
          first,
          log.append(repeated),
          log.append(write(stream, 1)),
          log.append(repeated),
          log.append(write(stream, 5)),
        ]);
        expect(outcomes.map(({ status }) => status)).toEqual([
          'fulfilled',
          'fulfilled',
          'rejected',
          'fulfilled',
          'fulfilled',
        ]);
        expect(told).toEqual(await log.readAfter(head, 100));
        expect(told).toHaveLength(8);
        leave();
      });

      it('says whole commands at consecutive revisions, up to the head that it names', async () => {
        const news: Growth[] = [];
        const leave = log.onGrowth((one) => news.push(one));
        const before = await log.head();
        await Promise.all(Array.from({ length: 100 }, () => log.append(write(freshStream(), 0, 2))));
        leave();
        const told = news.filter(({ events }) => events);
        for (const { head, events = [] } of told) {
          expect(events.at(-1)).toMatchObject({ revision: head, commandLast: head });
          const [first] = events;
          expect(events.map(({ revision }) => revision - (first?.revision ?? 0))).toEqual([...events.keys()]);
        }
        const revisions = told.flatMap(({ events = [] }) => events.map(({ revision }) => revision - before));
        expect(revisions).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
      });
    });

    describe('leases', () => {
      const ttlMs = 150;

      it('belong to one at a time, who may renew', async () => {
        const name = freshName('lease');
        expect(await log.acquireLease(name, 'a', ttlMs)).toEqual({ name, holder: 'a', epoch: 1 });
        expect(await log.acquireLease(name, 'b', ttlMs)).toBeUndefined();
        expect(await log.acquireLease(name, 'a', ttlMs)).toEqual({ name, holder: 'a', epoch: 1 });
      });

      it('go to another once they expire, under a new epoch', async () => {
        const name = freshName('lease');
        await log.acquireLease(name, 'a', ttlMs);
        await underTest.elapse(ttlMs + 50);
        expect(await log.acquireLease(name, 'b', 60_000)).toEqual({ name, holder: 'b', epoch: 2 });
        expect(await log.acquireLease(name, 'a', ttlMs)).toBeUndefined();
      });

      it('go to another at once when released, and only their holder can do that', async () => {
        const name = freshName('lease');
        await log.acquireLease(name, 'a', 60_000);
        await log.releaseLease(name, 'b');
        expect(await log.acquireLease(name, 'b', 60_000)).toBeUndefined();
        await log.releaseLease(name, 'a');
        expect(await log.acquireLease(name, 'b', 60_000)).toEqual({ name, holder: 'b', epoch: 2 });
      });

      it('go to one of many who ask at once', async () => {
        const name = freshName('lease');
        const asked = await Promise.all(
          Array.from({ length: 8 }, (_, index) => log.acquireLease(name, `holder-${index}`, 60_000)),
        );
        expect(asked.filter((lease) => lease !== undefined)).toHaveLength(1);
      });

      it('fence off the scheduler of an epoch that is over, not those who are no scheduler', async () => {
        const old = await log.acquireLease('scheduler', freshName('scheduler'), ttlMs);
        const schedulerEpoch = old?.epoch ?? -1;
        const stream = freshStream();
        const before = write(stream, 0, 1, { schedulerEpoch });
        const written = await log.append(before);
        await underTest.elapse(ttlMs + 50);
        const next = await log.acquireLease('scheduler', freshName('scheduler'), 60_000);
        expect(next?.epoch).toBe(schedulerEpoch + 1);
        const error = await rejection(log.append(write(stream, 1, 1, { schedulerEpoch })));
        expect(error).toBeInstanceOf(StaleEpoch);
        expect(error).toMatchObject({ epoch: schedulerEpoch, current: schedulerEpoch + 1 });
        // What was written in time is still answered: the repeat of a command is no new command.
        expect(await log.append(before)).toEqual({ ...written, duplicate: true });
        await log.append(write(stream, 1, 1, { schedulerEpoch: schedulerEpoch + 1 }));
        await log.append(write(stream, 2));
      });
    });

    describe('snapshots', () => {
      const state = (label: string) => ({ label, pods: { a: { n: 1 }, __proto__x: [1, null] }, list: ['x'], none: {} });

      it('come back as they were, the newest first', async () => {
        const name = freshName('projection');
        for (const revision of [10, 20])
          await log.saveSnapshot({ name, format: 1, revision, state: state(`at ${revision}`) });
        expect(await log.loadSnapshot(name, 1)).toEqual({ name, format: 1, revision: 20, state: state('at 20') });
        expect(await log.loadSnapshot(name, 1, 19)).toEqual({ name, format: 1, revision: 10, state: state('at 10') });
        expect(await log.loadSnapshot(name, 1, 20)).toMatchObject({ revision: 20 });
        expect(await log.loadSnapshot(name, 1, 9)).toBeUndefined();
      });

      it('are not given to a reader of another format or name', async () => {
        const name = freshName('projection');
        await log.saveSnapshot({ name, format: 1, revision: 5, state: null });
        expect(await log.loadSnapshot(name, 2)).toBeUndefined();
        expect(await log.loadSnapshot(freshName('projection'), 1)).toBeUndefined();
        expect(await log.loadSnapshot(name, 1)).toEqual({ name, format: 1, revision: 5, state: null });
      });

      it('may be saved twice, and grow thinner with age', async () => {
        const name = freshName('projection');
        for (let revision = 1; revision <= 40; revision += 1) {
          await log.saveSnapshot({ name, format: 1, revision, state: [revision] });
          await log.saveSnapshot({ name, format: 1, revision, state: [revision] });
        }
        const kept: Revision[] = [];
        for (let atMost = 40; atMost > 0;) {
          const found = await log.loadSnapshot(name, 1, atMost);
          if (!found) break;
          expect(found.state).toEqual([found.revision]);
          kept.push(found.revision);
          atMost = found.revision - 1;
        }
        expect(kept[0]).toBe(40);
        expect(kept.length).toBeGreaterThan(3);
        expect(kept.length).toBeLessThanOrEqual(7);
      });
    });

    it('has one cluster id, on every handle', async () => {
      const id = await log.clusterId();
      expect(id).toMatch(/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/);
      expect(await underTest.connect().clusterId()).toBe(id);
    });
  });
}
