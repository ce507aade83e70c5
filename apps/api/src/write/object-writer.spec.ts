import type { JsonObject } from '#domain';
import { ApiWorld, podNamed, type ApiReplica } from '../../../../test/support/api-world.js';
import { objectAt, textAt, textsAt, valueAt } from '../resources/wire-values.js';

describe('writing objects', () => {
  let world: ApiWorld;
  let api: ApiReplica;
  beforeEach(async () => {
    world = new ApiWorld();
    api = await world.replica();
  });
  afterEach(() => world.stop());

  const create = (object: JsonObject, namespace = 'default') => world.create(api, 'pods', namespace, object);
  const versionOf = (object: JsonObject | undefined) => textAt(object, 'metadata', 'resourceVersion');
  const head = () => world.state.head();

  describe('create', () => {
    it('fills in what is the server’s to say, and drops the client’s status', async () => {
      const { object } = await create(
        podNamed('web', { metadata: { name: 'web', uid: 'mine' }, status: { phase: 'Running' } }),
      );
      expect(object).toMatchObject({
        kind: 'Pod',
        metadata: { name: 'web', namespace: 'default', generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' },
        spec: { restartPolicy: 'Always', containers: [{ imagePullPolicy: 'IfNotPresent' }] },
        status: { phase: 'Pending' },
      });
      expect(textAt(object, 'metadata', 'uid')).not.toBe('mine');
    });

    it('records at whose wish, and which fields are whose', async () => {
      const { object } = await create(podNamed('web'));
      const [event] = await api.log.readStream('core/pods/default/web');
      expect(event).toMatchObject({ type: 'PodRequested', actor: { kind: 'user', name: 'tester' } });
      expect(valueAt(object, 'metadata', 'managedFields')).toMatchObject([
        { manager: 'tests', operation: 'Update', apiVersion: 'v1', fieldsV1: { 'f:spec': expect.anything() } },
      ]);
    });

    it('names an object after its prefix, and draws again when the name is taken', async () => {
      // Two names of five letters, and a uid for each.
      let drawn = 0;
      world.ids.random = () => (++drawn <= 12 ? 0 : 0.99);
      const generated = podNamed('', { metadata: { generateName: 'web-' } });
      const first = await create(generated);
      const second = await create(generated);
      expect(textAt(first.object, 'metadata', 'name')).toBe('web-bbbbb');
      expect(textAt(second.object, 'metadata', 'name')).toBe('web-99999');
      expect(textAt(second.object, 'metadata', 'generateName')).toBe('web-');
    });

    it('refuses a name that is taken, also when this replica has not heard of it yet', async () => {
      const other = await world.replica('api-2');
      await create(podNamed('web'));
      await expect(create(podNamed('web'))).rejects.toMatchObject({ reason: 'AlreadyExists' });
      await expect(world.create(other, 'pods', 'default', podNamed('web'))).rejects.toMatchObject({
        reason: 'AlreadyExists',
      });
    });

    it('of two creates of one name at once carries out one', async () => {
      const other = await world.replica('api-2');
      const outcomes = await Promise.allSettled([
        create(podNamed('web')),
        world.create(other, 'pods', 'default', podNamed('web')),
      ]);
      expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    });

    it('needs a namespace that is there and is not going', async () => {
      await expect(create(podNamed('web'), 'nowhere')).rejects.toMatchObject({
        reason: 'NotFound',
        message: 'namespaces "nowhere" not found',
      });
      await world.create(api, 'namespaces', '', { metadata: { name: 'shop' } });
      await world.remove(api, { definition: world.resource(api, 'namespaces'), namespace: '', name: 'shop' });
      await expect(create(podNamed('web'), 'shop')).rejects.toMatchObject({
        reason: 'Forbidden',
        faults: [{ reason: 'NamespaceTerminating' }],
      });
    });

    it.each([
      ['another namespace in the body', podNamed('web', { metadata: { name: 'web', namespace: 'other' } }), 400],
      ['a version', podNamed('web', { metadata: { name: 'web', resourceVersion: '5' } }), 400],
      ['an unknown field', podNamed('web', { spec: { containers: [{ name: 'a', image: 'b', imag: 'c' }] } }), 400],
      ['another kind', podNamed('web', { kind: 'Node' }), 400],
    ])('refuses %s and writes nothing', async (_, object, code) => {
      const before = head();
      await expect(create(object)).rejects.toMatchObject({ code });
      expect(head()).toBe(before);
    });

    it('names every field at fault', async () => {
      const containers = [
        { name: 'a', image: 'b', ports: [{ containerPort: -1 }] },
        { name: 'a', image: '' },
      ];
      const before = head();
      await expect(create(podNamed('web', { spec: { containers } }))).rejects.toMatchObject({
        reason: 'Invalid',
        faults: expect.arrayContaining([
          expect.objectContaining({ field: 'spec.containers[0].ports[0].containerPort' }),
          expect.objectContaining({ field: 'spec.containers[1].name', reason: 'FieldValueDuplicate' }),
          expect.objectContaining({ field: 'spec.containers[1].image', reason: 'FieldValueRequired' }),
        ]),
      });
      expect(head()).toBe(before);
    });

    it('only says what would be when it is a dry run', async () => {
      const before = head();
      const { object } = await world.create(api, 'pods', 'default', podNamed('web'), { dryRun: true });
      expect(object).toMatchObject({ metadata: { name: 'web' }, status: { phase: 'Pending' } });
      expect(versionOf(object)).toBeUndefined();
      expect(head()).toBe(before);
    });
  });

  describe('change', () => {
    beforeEach(() => create(podNamed('web', { metadata: { name: 'web', labels: { a: '1' } } })));
    const web = () => world.pod(api, 'web');
    const current = async () => {
      const object = await api.core.reader.get(web().definition, 'default', 'web');
      return web().definition.wire(object);
    };

    it('keeps the version, and the log, when nothing changes', async () => {
      const before = await current();
      const at = head();
      expect((await world.update(api, web(), before)).object).toEqual(before);
      expect((await world.patch(api, web(), { metadata: { labels: { a: '1' } } })).object).toEqual(before);
      expect(head()).toBe(at);
    });

    it('refuses a stale version, and takes none as "whatever it is"', async () => {
      const stale = await current();
      await world.patch(api, web(), { metadata: { labels: { b: '2' } } });
      await expect(world.update(api, web(), stale)).rejects.toMatchObject({ reason: 'Conflict' });
      const { resourceVersion: _, ...metadata } = objectAt(stale, 'metadata');
      const { object } = await world.update(api, web(), { ...stale, metadata });
      expect(textsAt(object, 'metadata', 'labels')).toEqual({ a: '1' });
    });

    it('applies patches that arrive together one after the other, none blindly', async () => {
      const other = await world.replica('api-2');
      await Promise.all(
        Array.from({ length: 8 }, (_, index) =>
          world.patch(index % 2 ? api : other, web(), { metadata: { labels: { [`l${index}`]: 'x' } } }),
        ),
      );
      expect(Object.keys(textsAt(await current(), 'metadata', 'labels'))).toHaveLength(9);
    });

    it('answers with what the write made, though others have written since', async () => {
      const answers = await Promise.all(
        ['x', 'y', 'z'].map((value) => world.patch(api, web(), { metadata: { labels: { a: value } } })),
      );
      expect(answers.map(({ object }) => textAt(object, 'metadata', 'labels', 'a'))).toEqual(['x', 'y', 'z']);
    });

    it('keeps the set of containers, and says so', async () => {
      const pod = await current();
      const spec = { ...objectAt(pod, 'spec'), containers: [{ name: 'other', image: 'busybox:1' }] };
      await expect(world.update(api, web(), { ...pod, spec })).rejects.toMatchObject({
        reason: 'Invalid',
        faults: [{ field: 'spec.containers', reason: 'FieldValueForbidden' }],
      });
    });

    it('is NotFound of what is not there, also where this replica still has it', async () => {
      const other = await world.replica('api-2');
      await world.remove(other, web(), 0);
      await expect(world.patch(api, web(), { metadata: { labels: { b: '2' } } })).rejects.toMatchObject({
        reason: 'NotFound',
      });
    });

    it('takes of a status only what clients may say', async () => {
      const status = { name: 'status', ...web().definition.subresources.find(({ name }) => name === 'status') };
      const target = { ...web(), subresource: status as NonNullable<ReturnType<typeof web>['subresource']> };
      const conditions = [{ type: 'Mine', status: 'True' }];
      const { object } = await world.patch(api, target, {
        spec: { nodeName: 'n1' },
        status: { phase: 'Running', conditions },
      });
      expect(object).toMatchObject({ status: { phase: 'Pending', conditions } });
      expect(valueAt(object, 'spec', 'nodeName')).toBeUndefined();
    });
  });

  describe('delete', () => {
    it('says Success of what went at once, and gives what is going', async () => {
      await create(podNamed('web'));
      expect((await world.remove(api, world.pod(api, 'web'))).object).toBeUndefined();
      await create(podNamed('bound', { spec: { nodeName: 'n1', containers: [{ name: 'a', image: 'b' }] } }));
      const { object } = await world.remove(api, world.pod(api, 'bound'));
      expect(object).toMatchObject({ metadata: { deletionGracePeriodSeconds: 30 } });
    });

    it('keeps an object with finalizers until the last is taken away', async () => {
      await create(podNamed('web', { metadata: { name: 'web', finalizers: ['example.com/hold'] } }));
      const held = await world.remove(api, world.pod(api, 'web'));
      expect(textAt(held.object, 'metadata', 'deletionTimestamp')).toBeDefined();
      const released = await world.patch(api, world.pod(api, 'web'), { metadata: { finalizers: null } });
      expect(released.object).toBeUndefined();
    });
  });

  describe('scale', () => {
    const set = {
      metadata: { name: 'web' },
      spec: {
        replicas: 2,
        selector: { matchLabels: { app: 'web' } },
        template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'a', image: 'b' }] } },
      },
    };
    const target = () => {
      const definition = world.resource(api, 'replicasets', 'apps');
      const subresource = definition.subresources.find(({ name }) => name === 'scale');
      if (!subresource) throw new Error('no scale');
      return { definition, namespace: 'default', name: 'web', subresource };
    };

    it('asks for a number of pods through the kind that all scalers know', async () => {
      await world.create(api, 'replicasets', 'default', set);
      const { object } = await world.patch(api, target(), { spec: { replicas: 5 } });
      expect(object).toMatchObject({ kind: 'Scale', spec: { replicas: 5 }, status: { selector: 'app=web' } });
      const events = await api.log.readStream('apps/replicasets/default/web');
      expect(events.at(-1)).toMatchObject({ type: 'ScaleRequested', data: { replicas: 5, previous: 2 } });
    });

    it('refuses a negative number', async () => {
      await world.create(api, 'replicasets', 'default', set);
      await expect(world.patch(api, target(), { spec: { replicas: -1 } })).rejects.toMatchObject({ reason: 'Invalid' });
    });
  });
});
