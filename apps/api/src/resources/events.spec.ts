import { ApiWorld, podNamed, type ApiReplica } from '../../../../test/support/api-world.js';
import type { Target } from '../write/object-writer.js';
import { objectAt, textAt } from './wire-values.js';

describe('Event objects seen through two groups', () => {
  let world: ApiWorld;
  let api: ApiReplica;
  beforeEach(async () => {
    world = new ApiWorld();
    api = await world.replica();
  });
  afterEach(() => world.stop());

  const target = (group: '' | 'events.k8s.io', name: string): Target => ({
    definition: world.resource(api, 'events', group),
    namespace: 'default',
    name,
  });
  const series = { count: 3, lastObservedTime: '2026-01-01T00:00:05.000000Z' };

  it('are edited through both, also those that were made before eventTime was asked for', async () => {
    const involvedObject = { kind: 'Pod', namespace: 'default', name: 'web' };
    await world.create(api, 'events', 'default', { metadata: { name: 'e' }, involvedObject, message: 'hello' });
    await world.patch(api, target('', 'e'), { message: 'hello again' });
    const { object } = await world.patch(api, target('events.k8s.io', 'e'), {
      series,
      metadata: { labels: { seen: 'yes' } },
    });
    expect(object).toMatchObject({
      apiVersion: 'events.k8s.io/v1',
      note: 'hello again',
      series,
      metadata: { labels: { seen: 'yes' } },
    });
    const read = await api.core.reader.get(target('', 'e').definition, 'default', 'e');
    expect(target('', 'e').definition.wire(read)).toMatchObject({ message: 'hello again', series, involvedObject });
  });

  it('that the log tells are edited through both as well', async () => {
    const spec = { nodeName: 'n1', containers: [{ name: 'app', image: 'busybox:1' }] };
    await world.create(api, 'pods', 'default', podNamed('web', { spec }));
    const page = await api.core.reader.list(target('', '').definition, 'default', {});
    const name = page.objects[0]?.meta.name ?? '';
    const annotated = await world.patch(api, target('events.k8s.io', name), {
      metadata: { annotations: { read: 'by me' } },
    });
    expect(textAt(annotated.object, 'reason')).toBe('Scheduled');
    expect(objectAt(annotated.object ?? {}, 'metadata', 'annotations')).toEqual({ read: 'by me' });
    const counted = await world.patch(api, target('', name), { count: 7 });
    expect(counted.object).toMatchObject({ count: 7, metadata: { annotations: { read: 'by me' } } });
  });

  it('do not change what they tell through the newer group', async () => {
    await world.create(api, 'events', 'default', {
      metadata: { name: 'e' },
      involvedObject: { namespace: 'default' },
      message: 'hello',
    });
    await expect(world.patch(api, target('events.k8s.io', 'e'), { note: 'else' })).rejects.toMatchObject({
      reason: 'Invalid',
      faults: [{ field: 'note' }],
    });
  });
});
