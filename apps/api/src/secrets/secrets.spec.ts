import type { JsonObject, StoredObject } from '#domain';
import { ApiWorld, type ApiReplica } from '../../../../test/support/api-world.js';
import { selectionOf } from '../read/object-reader.js';
import { objectAt, textAt, textsAt } from '../resources/wire-values.js';
import type { Target } from '../write/object-writer.js';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const planted = 'correct horse battery staple';
const secret = (name: string, over: JsonObject = {}): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, annotations: { note: planted } },
  data: { password: base64(planted) },
  ...over,
});

describe('secrets', () => {
  let world: ApiWorld;
  let api: ApiReplica;
  beforeEach(async () => {
    world = new ApiWorld();
    api = await world.replica();
  });
  afterEach(() => world.stop());

  const definition = () => world.resource(api, 'secrets');
  const target = (name = 'db'): Target => ({ definition: definition(), namespace: 'default', name });
  const create = (object: JsonObject, dryRun = false) => world.create(api, 'secrets', 'default', object, { dryRun });
  const read = async (name = 'db'): Promise<JsonObject> =>
    definition().wire(await api.core.reader.get(definition(), 'default', name));
  const at = async (revision: number): Promise<JsonObject[]> => {
    const query = { resourceVersion: String(revision), resourceVersionMatch: 'Exact' };
    const { objects } = await api.core.reader.list(definition(), 'default', query);
    return objects.map((object) => definition().wire(object));
  };
  const stored = (name = 'db'): StoredObject | undefined =>
    api.projection.state.get(definition().streamOf('default', name));
  const keys = (): number => world.vaultState.keys.size;
  /** Everything the log holds, and a snapshot of what follows from it. */
  const everything = async (): Promise<string> =>
    JSON.stringify([await api.log.readAfter(0, 10_000), api.projection.state.toSnapshot()]);

  it('are shown as they were written, and are ciphertext in the log and in every state', async () => {
    const { object } = await create(secret('db', { stringData: { user: 'bob' } }));
    const expected = { password: base64(planted), user: base64('bob') };
    expect(textsAt(object, 'data')).toEqual(expected);
    expect(object).not.toHaveProperty('stringData');
    const shown = await read();
    expect(textsAt(shown, 'data')).toEqual(expected);
    expect(textAt(shown, 'metadata', 'annotations', 'note')).toBe(planted);
    const kept = await everything();
    for (const clear of [planted, base64(planted), base64('bob')]) expect(kept).not.toContain(clear);
    expect(stored()).toMatchObject({ body: { type: 'Opaque', keys: ['password', 'user'] }, meta: { annotations: {} } });
  });

  it('name who owns which field, as if they were clear', async () => {
    await create(secret('db', { stringData: { user: 'bob' } }));
    const [entry] = stored()?.meta.managedFields ?? [];
    expect(objectAt(entry, 'fieldsV1', 'f:data')).toEqual({ '.': {}, 'f:password': {}, 'f:user': {} });
    expect(objectAt(entry, 'fieldsV1', 'f:metadata', 'f:annotations')).toHaveProperty('f:note');
    await world.patch(api, target(), { data: { more: base64('x') } }, { fieldManager: 'other' });
    const other = stored()?.meta.managedFields.find(({ manager }) => manager === 'other');
    expect(objectAt(other, 'fieldsV1')).toEqual({ 'f:data': { 'f:more': {} } });
  });

  it('are edited as if they were clear; what did not change stays as it was sealed', async () => {
    await create(secret('db'));
    const before = stored();
    const labelled = await world.patch(api, target(), { metadata: { labels: { a: 'b' } } });
    expect(textsAt(labelled.object, 'data')).toEqual({ password: base64(planted) });
    expect(stored()).toMatchObject({ body: before?.kind === 'Secret' ? before.body : {} });
    await world.patch(api, target(), { metadata: { annotations: { note: null, other: 'x' } }, data: { more: 'eA==' } });
    const shown = await read();
    expect(textsAt(shown, 'data')).toEqual({ password: base64(planted), more: 'eA==' });
    expect(textsAt(shown, 'metadata', 'annotations')).toEqual({ other: 'x' });
  });

  it('move no version when an edit changes nothing', async () => {
    await create(secret('db'));
    const { revision } = api.projection;
    await world.patch(api, target(), { data: { password: base64(planted) } });
    await world.update(api, target(), await read());
    expect(api.projection.revision).toBe(revision);
  });

  it('that are immutable keep their data, and any secret its type', async () => {
    await create(secret('db', { immutable: true }));
    const refusal = expect.stringContaining('field is immutable when `immutable` is set');
    await expect(world.patch(api, target(), { data: { password: 'eA==' } })).rejects.toMatchObject({
      message: refusal,
    });
    await expect(world.patch(api, target(), { immutable: false })).rejects.toMatchObject({ message: refusal });
    await expect(world.patch(api, target(), { type: 'other' })).rejects.toThrow('field is immutable');
    await world.patch(api, target(), { metadata: { labels: { still: 'mine' } } });
    expect(stored()?.meta.labels).toEqual({ still: 'mine' });
  });

  it('are tried out without leaving a key', async () => {
    const { object } = await create(secret('db'), true);
    expect(textsAt(object, 'data')).toEqual({ password: base64(planted) });
    expect(keys()).toBe(0);
    await create(secret('db'));
    const patched = await world.patch(api, target(), { data: { b: 'eA==' } }, { dryRun: true });
    expect(textsAt(patched.object, 'data')).toEqual({ password: base64(planted), b: 'eA==' });
    expect(textsAt(await read(), 'data')).toEqual({ password: base64(planted) });
  });

  it('that are refused leave no key', async () => {
    await create(secret('db'));
    await expect(create(secret('db'))).rejects.toThrow('secrets "db" already exists');
    await expect(world.create(api, 'secrets', 'nowhere', secret('x'))).rejects.toThrow(
      'namespaces "nowhere" not found',
    );
    expect(keys()).toBe(1);
  });

  it('are erased with their key when they are deleted: history keeps the names, and nobody reads the rest', async () => {
    await create(secret('db'));
    await create(secret('other'));
    const { revision } = api.projection;
    expect((await at(revision)).map((object) => textsAt(object, 'data'))).toEqual([
      { password: base64(planted) },
      { password: base64(planted) },
    ]);
    await world.remove(api, target());
    await world.clock.advance(0);
    expect(keys()).toBe(1);
    const [erased, other] = await at(revision);
    expect(erased).toMatchObject({
      metadata: { name: 'db', annotations: { 'podledger.dev/erased': 'true' } },
      data: { password: '' },
    });
    expect(textsAt(other, 'data')).toEqual({ password: base64(planted) });
  });

  it('that come under the name of an erased one are others', async () => {
    await create(secret('db'));
    await world.remove(api, target());
    await create(secret('db', { data: { password: base64('new') } }));
    await world.clock.advance(0);
    expect(textsAt(await read(), 'data')).toEqual({ password: base64('new') });
    expect(keys()).toBe(1);
  });

  it('are watched clear', async () => {
    await create(secret('db'));
    const signal = new AbortController();
    const selection = selectionOf(definition(), undefined, {});
    const ways = { initialEvents: true, markInitialEventsEnd: false, bookmarks: true, timeoutMs: 1_000 };
    const events = await api.core.watches.open({ definition: definition(), selection, ...ways }, signal.signal);
    const seen: JsonObject[] = [];
    const ended = (async () => {
      for await (const batch of events)
        for (const event of batch)
          seen.push(event.type === 'BOOKMARK' ? {} : textsAt(definition().wire(event.object), 'data'));
    })();
    await world.clock.advance(0);
    await world.patch(api, target(), { data: { more: 'eA==' } });
    await world.clock.advance(1_000);
    await ended;
    expect(seen).toEqual([{ password: base64(planted) }, { password: base64(planted), more: 'eA==' }, {}]);
  });

  it('whose key is gone while they live can be deleted, and not edited', async () => {
    await create(secret('db'));
    world.vaultState.keys.clear();
    expect(await read()).toMatchObject({ metadata: { annotations: { 'podledger.dev/erased': 'true' } } });
    await expect(world.patch(api, target(), { data: { a: 'eA==' } })).rejects.toThrow('its key is destroyed');
    await world.remove(api, target());
    expect(stored()).toBeUndefined();
  });

  it('that a crash left no trace of lose their key after a while, and those that live keep it', async () => {
    await create(secret('db'));
    await world.vault().obtain('of-a-request-that-died');
    await world.clock.advance(9 * 60_000);
    expect(keys()).toBe(2);
    await world.clock.advance(15 * 60_000);
    expect(keys()).toBe(1);
    expect(textsAt(await read(), 'data')).toEqual({ password: base64(planted) });
  });

  it('lose their key whichever replica deletes them', async () => {
    await create(secret('db'));
    const other = await world.replica('api-2');
    await other.core.writer.remove(
      target(),
      { dryRun: false, request: { preconditions: {}, propagation: 'Background', reason: 'Requested' } },
      world.request(),
    );
    await world.clock.advance(1_000);
    expect(keys()).toBe(0);
  });
});
