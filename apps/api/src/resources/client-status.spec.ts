import { decideNode, nodeStream, type JsonObject } from '#domain';
import { ApiWorld, type ApiReplica } from '../../../../test/support/api-world.js';
import { aNodeDescription } from '../../../../test/support/builders.js';
import type { Target } from '../write/object-writer.js';
import { objectAt, objectsAt, textAt, textsAt } from './wire-values.js';

const condition = (type: string, status = 'True'): JsonObject => ({
  type,
  status,
  reason: 'Told',
  message: 'by a client',
});

describe('/status of what has a derived status', () => {
  let world: ApiWorld;
  let api: ApiReplica;
  beforeEach(async () => {
    world = new ApiWorld();
    api = await world.replica();
    const joined = {
      type: 'RegisterNode',
      name: 'n1',
      uid: 'uid-n1',
      podCIDR: '10.1.0.0/24',
      description: aNodeDescription(),
      streamVersion: 0,
    } as const;
    await api.commands.execute({
      commandId: 'join',
      context: { actor: { kind: 'node', name: 'n1' }, requestId: 'join', correlationId: 'join' },
      decide: (state) => [{ stream: nodeStream('n1'), events: decideNode(joined, state.node('n1')) }],
    });
  });
  afterEach(() => world.stop());

  const target = (plural: string, name: string): Target => {
    const definition = world.resource(api, plural);
    const subresource = definition.subresources.find((one) => one.name === 'status');
    if (!subresource) throw new Error(`${plural} have no status`);
    return { definition, namespace: '', name, subresource };
  };
  const conditions = (object: JsonObject | undefined): (string | undefined)[] =>
    objectsAt(object ?? {}, 'status', 'conditions').map((one) => `${textAt(one, 'type')}=${textAt(one, 'status')}`);
  const derived = {
    namespaces: [],
    nodes: ['MemoryPressure=Unknown', 'DiskPressure=Unknown', 'PIDPressure=Unknown', 'Ready=False'],
  };

  const vain = {
    namespaces: { spec: { finalizers: ['example.com/mine'] }, status: { phase: 'Terminating' } },
    nodes: { spec: { unschedulable: true }, status: { conditions: [condition('Ready')] } },
  };

  describe.each([
    ['namespaces', 'default'],
    ['nodes', 'n1'],
  ] as const)('of %s', (plural, name) => {
    it('takes conditions, annotations and labels of clients by PATCH and PUT, and says who owns them', async () => {
      const patched = await world.patch(api, target(plural, name), {
        metadata: { annotations: { patched: 'yes' } },
        status: { conditions: [condition('Patched')] },
      });
      expect(conditions(patched.object)).toEqual([...derived[plural], 'Patched=True']);
      expect(textsAt(patched.object ?? {}, 'metadata', 'annotations')).toMatchObject({ patched: 'yes' });
      expect(objectsAt(patched.object ?? {}, 'metadata', 'managedFields').at(-1)).toMatchObject({
        manager: 'tests',
        operation: 'Update',
        subresource: 'status',
        fieldsV1: { 'f:status': { 'f:conditions': { 'k:{"type":"Patched"}': {} } } },
      });
      const { object: before = {} } = patched;
      const updated = await world.update(api, target(plural, name), {
        ...before,
        status: { ...objectAt(before, 'status'), conditions: [condition('Updated', 'False')] },
      });
      expect(conditions(updated.object)).toEqual([...derived[plural], 'Updated=False']);
    });

    it('changes neither the spec nor what is derived, and then records nothing', async () => {
      const events = () => api.log.readStream(target(plural, name).definition.streamOf('', name));
      const before = await events();
      const { spec, status } = vain[plural];
      const { object } = await world.patch(api, target(plural, name), vain[plural]);
      expect(object).not.toMatchObject({ spec });
      expect(object).not.toMatchObject({ status });
      expect(await events()).toEqual(before);
    });

    it('is a conflict on what is not the newest', async () => {
      const stale = { metadata: { resourceVersion: '1' }, status: { conditions: [condition('Late')] } };
      await world.patch(api, target(plural, name), { status: { conditions: [condition('First')] } });
      await expect(world.patch(api, target(plural, name), stale)).rejects.toMatchObject({ reason: 'Conflict' });
    });
  });
});
