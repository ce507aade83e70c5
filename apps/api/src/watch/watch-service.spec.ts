import { ApiWorld, podNamed, type ApiReplica } from '../../../../test/support/api-world.js';
import { History } from '../read/history.js';
import { selectionOf } from '../read/object-reader.js';
import { RecentChanges } from '../read/recent-changes.js';
import type { WatchEvent } from './watch-event.js';
import { WatchService, type WatchRequest } from './watch-service.js';

/** What a client keeps: the newest version of each object by name. */
function replay(events: readonly WatchEvent[], into = new Map<string, number>()): Map<string, number> {
  for (const event of events) {
    if (event.type === 'BOOKMARK') continue;
    const { name, resourceVersion } = event.object.meta;
    if (event.type === 'DELETED') into.delete(name);
    else into.set(name, resourceVersion);
  }
  return into;
}

const told = (events: readonly WatchEvent[]): string[] =>
  events.map((event) => (event.type === 'BOOKMARK' ? 'BOOKMARK' : `${event.type} ${event.object.meta.name}`));

describe('watching', () => {
  let world: ApiWorld;
  let api: ApiReplica;
  const closing: AbortController[] = [];
  beforeEach(async () => {
    world = new ApiWorld();
    api = await world.replica();
  });
  afterEach(async () => {
    for (const one of closing.splice(0)) one.abort();
    await world.stop();
  });

  /** Opens a watch of pods and collects what comes; `events` grows as it does. */
  async function watch(
    request: Partial<WatchRequest> & { labels?: string } = {},
    service: WatchService = api.core.watches,
  ): Promise<{ events: WatchEvent[]; ended: Promise<void>; abort: () => void }> {
    const { labels, ...rest } = request;
    const signal = new AbortController();
    closing.push(signal);
    const stream = await service.open(
      {
        selection: selectionOf(world.resource(api, 'pods'), undefined, { ...(labels && { labelSelector: labels }) }),
        initialEvents: rest.after === undefined,
        markInitialEventsEnd: false,
        bookmarks: false,
        ...rest,
      },
      signal.signal,
    );
    const events: WatchEvent[] = [];
    const ended = (async () => {
      for await (const batch of stream) events.push(...batch);
    })();
    await world.clock.advance(0);
    return { events, ended, abort: () => signal.abort() };
  }

  const create = (name: string, labels: Record<string, string> = {}) =>
    world.create(api, 'pods', 'default', podNamed(name, { metadata: { name, labels } }));
  const label = (name: string, labels: Record<string, string | null>) =>
    world.patch(api, world.pod(api, name), { metadata: { labels } });
  const remove = (name: string) => world.remove(api, world.pod(api, name), 0);

  it('sends what exists, then every change in order', async () => {
    await create('a');
    const { events } = await watch();
    await create('b');
    await label('a', { x: '1' });
    await remove('b');
    await world.clock.advance(0);
    expect(told(events)).toEqual(['ADDED a', 'ADDED b', 'MODIFIED a', 'DELETED b']);
  });

  it('gives a removed object its last state under a newer version', async () => {
    await create('a');
    const { events } = await watch();
    await remove('a');
    await world.clock.advance(0);
    const [added, deleted] = events;
    if (added?.type !== 'ADDED' || deleted?.type !== 'DELETED') throw new Error(told(events).join());
    expect(deleted.object.meta.uid).toBe(added.object.meta.uid);
    expect(deleted.object.meta.resourceVersion).toBe(api.projection.revision);
  });

  it('tells a selector what comes into view and what goes out of it', async () => {
    const { events } = await watch({ labels: 'tier=front' });
    await create('a', { tier: 'back' });
    await label('a', { tier: 'front' });
    await label('a', { tier: 'front', x: '1' });
    await label('a', { tier: 'back' });
    await remove('a');
    await world.clock.advance(0);
    expect(told(events)).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a']);
    expect(events[2]).toMatchObject({ object: { meta: { labels: { tier: 'front' } } } });
  });

  it('says nothing of a write that changes nothing', async () => {
    await create('a', { x: '1' });
    const { events } = await watch();
    await label('a', { x: '1' });
    await world.clock.advance(0);
    expect(told(events)).toEqual(['ADDED a']);
  });

  describe.each([
    ['from memory', 8_192],
    ['from the log, then from memory', 3],
    ['from the log', 1],
  ])('resumed from any revision %s', (_, capacity) => {
    it('goes on without a gap and without a repeat', async () => {
      const recent = new RecentChanges(api.projection, { capacity });
      const service = new WatchService(
        api.projection,
        recent,
        new History(api.log),
        world.clock,
        world.ids,
        world.keys(),
      );
      const { events: all } = await watch({ after: api.projection.revision });
      const start = api.projection.revision;
      for (const name of ['a', 'b', 'c']) await create(name);
      await label('a', { x: '1' });
      await remove('b');
      await create('b', { again: 'yes' });
      await remove('c');
      await world.clock.advance(0);
      const end = api.projection.revision;
      for (let revision = start; revision <= end; revision += 1) {
        const { events, abort, ended } = await watch({ after: revision }, service);
        const expected = all.filter(
          (event) => event.type !== 'BOOKMARK' && event.object.meta.resourceVersion > revision,
        );
        expect(events).toEqual(expected);
        abort();
        await ended;
      }
      recent.stop();
    });
  });

  it('gives two watchers on two replicas the same events in the same order', async () => {
    const other = await world.replica('api-2');
    const one = await watch();
    const two = await watch({}, other.core.watches);
    for (const name of ['a', 'b', 'c', 'd']) await create(name);
    await Promise.all(['a', 'b', 'c'].map(remove));
    await world.clock.advance(2_000);
    expect(two.events).toEqual(one.events);
    expect(replay(one.events)).toEqual(new Map([['d', expect.any(Number)]]));
  });

  it('serves a reader that has stopped reading from the log once memory has moved on', async () => {
    const recent = new RecentChanges(api.projection, { capacity: 2 });
    const service = new WatchService(
      api.projection,
      recent,
      new History(api.log),
      world.clock,
      world.ids,
      world.keys(),
    );
    const signal = new AbortController();
    closing.push(signal);
    const stream = await service.open(
      {
        selection: selectionOf(world.resource(api, 'pods'), undefined, {}),
        after: api.projection.revision,
        initialEvents: false,
        markInitialEventsEnd: false,
        bookmarks: false,
      },
      signal.signal,
    );
    const names = Array.from({ length: 20 }, (_, index) => `p${index}`);
    for (const name of names) await create(name);
    const seen: string[] = [];
    for await (const batch of stream) {
      seen.push(...told(batch));
      if (seen.length >= names.length) break;
    }
    expect(seen).toEqual(names.map((name) => `ADDED ${name}`));
    recent.stop();
  });

  it('marks the end of what exists for those that list by watching', async () => {
    await create('a');
    const { events } = await watch({ bookmarks: true, markInitialEventsEnd: true });
    expect(events.at(-1)).toEqual({ type: 'BOOKMARK', revision: api.projection.revision, initialEventsEnd: true });
  });

  it('sends a bookmark each minute and one before its end', async () => {
    const { events, ended } = await watch({ bookmarks: true, timeoutMs: 150_000 });
    await world.create(api, 'namespaces', '', { metadata: { name: 'shop' } });
    await world.clock.advance(151_000);
    await ended;
    expect(told(events)).toEqual(['BOOKMARK', 'BOOKMARK', 'BOOKMARK']);
    expect(events.at(-1)).toMatchObject({ revision: api.projection.revision });
  });

  it('ends after half an hour to an hour when nobody says when', async () => {
    const { ended } = await watch();
    let over = false;
    void ended.then(() => (over = true));
    await world.clock.advance(29 * 60_000);
    expect(over).toBe(false);
    await world.clock.advance(32 * 60_000);
    expect(over).toBe(true);
  });

  it('refuses a revision that does not come', async () => {
    const opening = watch({ after: 9_999 }).catch((error: unknown) => error);
    await world.clock.advance(3_100);
    expect(await opening).toMatchObject({ code: 504 });
  });
});
