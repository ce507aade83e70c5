import type { JsonObject, ManagedFieldsEntry } from '#domain';
import fc from 'fast-check';
import { ownershipAfter, ownershipDelta, type Writer } from './managed-fields.js';

const gvk = { group: '', version: 'v1', kind: 'Pod' };
const by = (manager: string, more: Partial<Writer> = {}): Writer => ({
  manager,
  apiVersion: 'v1',
  time: '2024-01-01T00:00:00Z',
  ...more,
});

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'd', uid: 'u', labels: { app: 'web' }, finalizers: ['example.com/a'] },
  spec: {
    containers: [
      {
        name: 'app',
        image: 'i',
        command: ['x', 'y'],
        env: [{ name: 'A', value: '1' }],
        ports: [{ containerPort: 80 }],
        resources: { limits: { cpu: '1' } },
      },
    ],
    nodeSelector: { disk: 'ssd' },
    volumes: [{ name: 'v', emptyDir: {} }],
  },
  status: { phase: 'Pending' },
};
const created = ownershipAfter(gvk, {}, pod, by('kubectl-create'), []);
const fieldsOf = (entries: readonly ManagedFieldsEntry[], manager: string): JsonObject | undefined =>
  entries.find((entry) => entry.manager === manager)?.fieldsV1;

describe('ownershipAfter', () => {
  it('gives a creator all it sent, and nothing of what is the server’s', () => {
    expect(created).toEqual([
      {
        manager: 'kubectl-create',
        operation: 'Update',
        apiVersion: 'v1',
        time: '2024-01-01T00:00:00Z',
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:metadata': {
            'f:labels': { '.': {}, 'f:app': {} },
            'f:finalizers': { '.': {}, 'v:"example.com/a"': {} },
          },
          'f:spec': {
            'f:containers': {
              'k:{"name":"app"}': {
                '.': {},
                'f:name': {},
                'f:image': {},
                'f:command': {},
                'f:env': { '.': {}, 'k:{"name":"A"}': { '.': {}, 'f:name': {}, 'f:value': {} } },
                'f:ports': { '.': {}, 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
                'f:resources': { 'f:limits': { '.': {}, 'f:cpu': {} } },
              },
            },
            'f:nodeSelector': {},
            'f:volumes': { '.': {}, 'k:{"name":"v"}': { '.': {}, 'f:name': {}, 'f:emptyDir': {} } },
          },
        },
      },
    ]);
  });

  const relabelled = { ...pod, metadata: { ...pod.metadata, labels: { app: 'api', tier: 'back' } } };

  it('gives an editor what it changed, and takes that from the others', () => {
    const after = ownershipAfter(gvk, pod, relabelled, by('kubectl-label', { time: '2024-01-02T00:00:00Z' }), created);
    expect(fieldsOf(after, 'kubectl-label')).toEqual({ 'f:metadata': { 'f:labels': { 'f:app': {}, 'f:tier': {} } } });
    expect(fieldsOf(after, 'kubectl-create')?.['f:metadata']).toEqual({
      'f:labels': { '.': {} },
      'f:finalizers': { '.': {}, 'v:"example.com/a"': {} },
    });
  });

  it('changes nothing, not even the time, when nothing changes', () => {
    expect(ownershipAfter(gvk, pod, pod, by('someone', { time: '2030-01-01T00:00:00Z' }), created)).toEqual(created);
  });

  it('adds to what the same manager owned before', () => {
    const once = ownershipAfter(gvk, {}, { metadata: { labels: { a: '1' } } }, by('m'), []);
    const twice = ownershipAfter(
      gvk,
      { metadata: { labels: { a: '1' } } },
      { metadata: { labels: { a: '1', b: '2' } } },
      by('m', { time: '2024-01-02T00:00:00Z' }),
      once,
    );
    expect(twice).toEqual([
      {
        ...once[0],
        time: '2024-01-02T00:00:00Z',
        fieldsV1: { 'f:metadata': { 'f:labels': { '.': {}, 'f:a': {}, 'f:b': {} } } },
      },
    ]);
  });

  it('forgets what is gone from the object, and managers that own nothing any more', () => {
    const labelled = ownershipAfter(gvk, pod, relabelled, by('kubectl-label'), created);
    const bare = { ...pod, metadata: { name: 'web' } };
    const after = ownershipAfter(gvk, relabelled, bare, by('remover'), labelled);
    expect(after.map(({ manager }) => manager)).toEqual(['kubectl-create']);
    expect(fieldsOf(after, 'kubectl-create')?.['f:metadata']).toBeUndefined();
  });

  it('owns an element of a keyed list by its keys, wherever it stands', () => {
    const [first] = pod.spec.containers;
    const more = {
      ...pod,
      spec: {
        ...pod.spec,
        containers: [
          { name: 'helper', image: 'h' },
          { ...first, image: 'j' },
        ],
      },
    };
    const after = ownershipAfter(gvk, pod, more, by('editor'), created);
    expect(fieldsOf(after, 'editor')).toEqual({
      'f:spec': {
        'f:containers': {
          'k:{"name":"helper"}': { '.': {}, 'f:name': {}, 'f:image': {} },
          'k:{"name":"app"}': { 'f:image': {} },
        },
      },
    });
  });

  it('owns atomic maps and plain lists as a whole', () => {
    const changed = { ...pod, spec: { ...pod.spec, nodeSelector: { disk: 'ssd', zone: 'a' } } };
    const after = ownershipAfter(gvk, pod, changed, by('editor'), created);
    expect(fieldsOf(after, 'editor')).toEqual({ 'f:spec': { 'f:nodeSelector': {} } });
    expect(JSON.stringify(fieldsOf(after, 'kubectl-create'))).not.toContain('nodeSelector');
  });

  it('keeps what is written through /status apart, and owns no spec there', () => {
    const running = { ...pod, spec: { ...pod.spec, hostname: 'h' }, status: { phase: 'Running' } };
    const after = ownershipAfter(gvk, pod, running, by('kubelet', { subresource: 'status' }), created);
    expect(after.at(-1)).toMatchObject({
      manager: 'kubelet',
      subresource: 'status',
      fieldsV1: { 'f:status': { 'f:phase': {} } },
    });
    expect(Object.keys(after.at(-1)?.fieldsV1 ?? {})).toEqual(['f:status']);
    expect(ownershipAfter(gvk, pod, { ...pod, status: { phase: 'Running' } }, by('kubectl-edit'), created)).toEqual(
      created,
    );
  });

  it('tells the entries of an apply and an update by one manager apart', () => {
    const applied: ManagedFieldsEntry = {
      manager: 'm',
      operation: 'Apply',
      apiVersion: 'v1',
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:metadata': { 'f:labels': { 'f:app': {} } } },
    };
    const after = ownershipAfter(gvk, pod, relabelled, by('m'), [applied]);
    expect(after.map(({ operation, fieldsV1 }) => [operation, fieldsV1])).toEqual([
      ['Update', { 'f:metadata': { 'f:labels': { 'f:app': {}, 'f:tier': {} } } }],
    ]);
  });

  it('keeps ten managers and puts older ones together', () => {
    let entries: readonly ManagedFieldsEntry[] = [];
    let object: JsonObject = { metadata: {} };
    for (let index = 0; index < 15; index += 1) {
      const labels = Object.fromEntries(Array.from({ length: index + 1 }, (_, key) => [`l${key}`, 'x']));
      const next = { metadata: { labels } };
      entries = ownershipAfter(
        gvk,
        object,
        next,
        by(`m${index}`, { time: `2024-01-01T00:00:${String(index).padStart(2, '0')}Z` }),
        entries,
      );
      object = next;
    }
    expect(entries).toHaveLength(10);
    expect(fieldsOf(entries, 'ancient-changes')).toEqual({
      'f:metadata': { 'f:labels': { '.': {}, 'f:l0': {}, 'f:l1': {}, 'f:l2': {}, 'f:l3': {}, 'f:l4': {}, 'f:l5': {} } },
    });
  });

  it('survives whatever a client wrote into fieldsV1', () => {
    const odd: ManagedFieldsEntry = {
      manager: 'odd',
      operation: 'Update',
      apiVersion: 'v1',
      fieldsType: 'FieldsV1',
      fieldsV1: JSON.parse(
        '{"f:spec":{"k:{broken":{},"x":{},"f:containers":{"k:null":{},"v:1":{}}},"__proto__":{"a":{}}}',
      ) as JsonObject,
    };
    expect(ownershipAfter(gvk, pod, relabelled, by('m'), [odd]).map(({ manager }) => manager)).toEqual(['m']);
  });

  it('gives each changed field one Update owner, for any labels', () => {
    const labels = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.constantFrom('1', '2'));
    const edits = fc.array(fc.tuple(fc.constantFrom('x', 'y', 'z'), labels), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(edits, (steps) => {
        let object: JsonObject = {};
        let entries: readonly ManagedFieldsEntry[] = [];
        for (const [manager, next] of steps) {
          const after = { metadata: { labels: next } };
          entries = ownershipAfter(gvk, object, after, by(manager), entries);
          object = after;
        }
        const owned = entries.flatMap(({ fieldsV1 }) => {
          const metadata = fieldsV1['f:metadata'] as JsonObject | undefined;
          return Object.keys((metadata?.['f:labels'] ?? {}) as JsonObject).filter((key) => key !== '.');
        });
        const last = steps.at(-1)?.[1] ?? {};
        expect(owned.sort()).toEqual(
          Object.keys(last)
            .map((key) => `f:${key}`)
            .sort(),
        );
      }),
    );
  });
});

describe('ownershipDelta', () => {
  it('names what is new or changed, and what is gone with nothing', () => {
    const [entry] = created;
    if (!entry) throw new Error('nothing was owned');
    const changed = { ...entry, manager: 'b', fieldsV1: { 'f:spec': {} } };
    expect(ownershipDelta([entry, { ...entry, manager: 'b' }], [entry, changed, { ...entry, manager: 'c' }])).toEqual([
      changed,
      { ...entry, manager: 'c' },
    ]);
    expect(ownershipDelta([entry], [])).toEqual([{ ...entry, fieldsV1: {} }]);
    expect(ownershipDelta(created, created)).toEqual([]);
  });
});
