import { ApiWorld, namesOf, podNamed, type ApiReplica } from '../../../../test/support/api-world.js';
import { RecentChanges } from './recent-changes.js';
import { History } from './history.js';
import { ObjectReader } from './object-reader.js';

describe('reading objects', () => {
  let world: ApiWorld;
  let api: ApiReplica;
  beforeEach(async () => {
    world = new ApiWorld();
    api = await world.replica();
  });
  afterEach(() => world.stop());

  const pods = () => world.resource(api, 'pods');
  const createPods = async (...names: string[]): Promise<void> => {
    for (const name of names) await world.create(api, 'pods', 'default', podNamed(name));
  };

  it('shows a replica what another has just written', async () => {
    const other = await world.replica('api-2');
    for (const name of ['a', 'b', 'c']) {
      await world.create(api, 'pods', 'default', podNamed(name));
      expect((await other.core.reader.get(pods(), 'default', name)).meta.name).toBe(name);
    }
  });

  it('gives all pages of a list as they were when the first was read', async () => {
    await createPods('a', 'b', 'c', 'd', 'e');
    const first = await api.core.reader.list(pods(), 'default', { limit: '2' });
    await world.remove(api, world.pod(api, 'd'), 0);
    await createPods('bb', 'f');
    const second = await api.core.reader.list(pods(), 'default', { limit: '2', continue: first.continue });
    const third = await api.core.reader.list(pods(), 'default', { limit: '2', continue: second.continue });
    expect([first, second, third].flatMap(({ objects }) => namesOf(objects))).toEqual(
      ['a', 'b', 'c', 'd', 'e'].map((name) => `default/${name}`),
    );
    expect([first.remaining, second.remaining, third.remaining]).toEqual([3, 1, undefined]);
    expect(third.continue).toBeUndefined();
    expect(new Set([first.revision, second.revision, third.revision]).size).toBe(1);
  });

  it('gives any past revision exactly, from memory or from the log', async () => {
    await createPods('a', 'b');
    await world.patch(api, world.pod(api, 'a'), { metadata: { labels: { x: '1' } } });
    await world.remove(api, world.pod(api, 'b'), 0);
    await createPods('b', 'c');
    const forgetful = new RecentChanges(api.projection, { capacity: 1 });
    const fromLog = new ObjectReader(api.projection, forgetful, new History(api.log), world.keys());
    for (let revision = 1; revision <= api.projection.revision; revision += 1) {
      const query = { resourceVersion: String(revision), resourceVersionMatch: 'Exact' };
      const [memory, log] = await Promise.all([
        api.core.reader.list(pods(), undefined, query),
        fromLog.list(pods(), undefined, query),
      ]);
      expect(memory.revision).toBe(revision);
      expect(memory.objects).toEqual(log.objects);
    }
    forgetful.stop();
  });

  it('selects by labels and by fields', async () => {
    await world.create(api, 'pods', 'default', podNamed('a', { metadata: { name: 'a', labels: { tier: 'front' } } }));
    await world.create(api, 'pods', 'default', podNamed('b', { metadata: { name: 'b', labels: { tier: 'back' } } }));
    const list = async (query: object): Promise<string[]> =>
      namesOf((await api.core.reader.list(pods(), undefined, query)).objects);
    expect(await list({ labelSelector: 'tier in (front)' })).toEqual(['default/a']);
    expect(await list({ labelSelector: 'tier!=front' })).toEqual(['default/b']);
    expect(await list({ fieldSelector: 'metadata.name=b,status.phase=Pending' })).toEqual(['default/b']);
    expect(await list({ fieldSelector: 'status.phase!=Pending' })).toEqual([]);
  });

  it.each([
    [{ resourceVersion: 'abc' }, 400],
    [{ resourceVersionMatch: 'Exact' }, 422],
    [{ resourceVersion: '0', resourceVersionMatch: 'Exact' }, 422],
    [{ resourceVersion: '1', resourceVersionMatch: 'Some' }, 422],
    [{ limit: '-1' }, 400],
    [{ continue: 'bm9uc2Vuc2U' }, 400],
    [{ fieldSelector: 'spec.bogus=1' }, 400],
    [{ labelSelector: 'a in (' }, 400],
  ])('refuses %j with %i', async (query, code) => {
    await expect(api.core.reader.list(pods(), undefined, query)).rejects.toMatchObject({ code });
  });

  it('refuses a continue token from the future', async () => {
    const token = Buffer.from(JSON.stringify({ v: 'podledger/1', rv: 10_000, start: '' })).toString('base64url');
    await expect(api.core.reader.list(pods(), undefined, { continue: token })).rejects.toMatchObject({ code: 400 });
  });

  it('waits three seconds for a revision that does not come, then says so', async () => {
    const waiting = api.core.reader.get(pods(), 'default', 'a', '9999').catch((error: unknown) => error);
    await world.clock.advance(3_100);
    expect(await waiting).toMatchObject({ code: 504, reason: 'Timeout' });
  });
});
