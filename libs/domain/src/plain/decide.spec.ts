import fc from 'fast-check';
import {
  type Change,
  type ChangeRequest,
  configMapStream,
  decidePlain,
  DomainError,
  editablePlain,
  evolvePlain,
  type JsonObject,
  type PlainCommand,
  type PlainEvent,
  type PlainKind,
  type PlainObjectState,
  priorityClassStream,
  sameJson,
  wireOf,
} from '#domain';
import { aMeta } from '../../../../test/support/builders.js';
import { given, recorded } from '../../../../test/support/given.js';

const stream = configMapStream('shop', 'settings');
const configMap = given<PlainCommand, PlainEvent, PlainObjectState & { readonly kind: 'ConfigMap' }>({
  stream,
  decide: decidePlain,
  evolve: (state, event) => evolvePlain('ConfigMap', state, event),
});
const request = (
  over: Partial<Parameters<typeof aMeta>[0]> = {},
  body: JsonObject = { data: { a: '1' } },
): PlainCommand => ({
  type: 'RequestPlainObject',
  kind: 'ConfigMap',
  name: 'settings',
  meta: aMeta(over),
  body,
});
const change = (object: PlainObjectState, over: Partial<ChangeRequest['desired']>): PlainCommand => ({
  type: 'ChangePlainObject',
  kind: object.kind,
  desired: { ...editablePlain(object), ...over },
  preconditions: {},
  fieldManager: 'kubectl',
  operation: 'Update',
  managedFields: [],
});
const remove: PlainCommand = {
  type: 'DeletePlainObject',
  kind: 'ConfigMap',
  preconditions: {},
  propagation: 'Background',
};
const created = configMap().when(request());
const changes = (events: readonly PlainEvent[]): string[] => events.map(({ data }) => data.change);

describe('an object without a life of its own', () => {
  it('tells creation, edits and deletion in events of one type', () => {
    const live = configMap(...created);
    const edited = live.when(change(live.state(), { spec: { data: { a: '2', b: '3' } } }));
    const deleted = live.when(remove);
    expect([...created, ...edited, ...deleted].map(({ type, data }) => [type, data.change])).toEqual([
      ['ConfigMapChanged', 'Created'],
      ['ConfigMapChanged', 'Edited'],
      ['ConfigMapChanged', 'Deleted'],
    ]);
    expect(configMap(...created, ...deleted).after(request())?.meta.name).toBe('settings');
  });

  it('records an edit as the paths of the wire form that changed', () => {
    const live = configMap(...created);
    const edited = live.when(change(live.state(), { labels: { x: 'y' }, spec: { data: { a: '2' }, immutable: true } }));
    const data: readonly Change[] = edited.flatMap((event) =>
      event.data.change === 'Edited' ? event.data.changes : [],
    );
    expect(data).toEqual([
      { path: ['metadata', 'labels', 'x'], to: 'y' },
      { path: ['data', 'a'], to: '2' },
      { path: ['immutable'], to: true },
    ]);
  });

  it('does nothing when nothing changes, and shows the revision of what did', () => {
    const live = configMap(...created);
    expect(live.when(change(live.state(), {}))).toEqual([]);
    const after = live.after(change(live.state(), { labels: { a: 'b' } }));
    expect([live.state().meta.resourceVersion, after?.meta.resourceVersion]).toEqual([1, 2]);
  });

  it('is made once, and edited and deleted only where it is', () => {
    expect(() => configMap(...created).when(request())).toThrow('configmaps "settings" already exists');
    expect(() => configMap().when(remove)).toThrow(DomainError);
    const preconditions = { uid: 'another' };
    expect(() => configMap(...created).when({ ...remove, preconditions })).toThrow('Precondition failed');
  });

  it('that has a finalizer goes when that is taken off', () => {
    const held = configMap().when(request({ finalizers: ['example.com/hold'] }));
    const asked = configMap(...held).when(remove);
    expect(changes(asked)).toEqual(['DeletionRequested']);
    const going = configMap(...held, ...asked);
    expect(going.when(remove)).toEqual([]);
    expect(going.state().meta.deletion?.propagation).toBe('Background');
    expect(() => going.when(change(going.state(), { finalizers: ['example.com/hold', 'example.com/more'] }))).toThrow(
      'no new finalizers',
    );
    expect(changes(going.when(change(going.state(), { finalizers: [] })))).toEqual(['Edited', 'Deleted']);
  });

  it('waits in the foreground for the garbage reconcile', () => {
    const asked = configMap(...created).when({ ...remove, propagation: 'Foreground' });
    expect(changes(asked)).toEqual(['DeletionRequested']);
    expect(configMap(...created, ...asked).state().meta.finalizers).toEqual(['foregroundDeletion']);
  });

  it('has a generation only where Kubernetes gives it one', () => {
    const generation = (kind: PlainKind): number | undefined => {
      const [event] = recorded(
        priorityClassStream('x'),
        decidePlain({ ...request(), kind } as PlainCommand, undefined),
      );
      return event && evolvePlain(kind, undefined, event)?.meta.generation;
    };
    expect(generation('PriorityClass')).toBe(1);
    expect(generation('ConfigMap')).toBe(0);
    expect(wireOf(configMap(...created).state())['metadata']).not.toHaveProperty('generation');
  });

  it('of the system’s priority classes is not deleted', () => {
    const kind = 'PriorityClass';
    const name = 'system-node-critical';
    const [event] = recorded(
      priorityClassStream(name),
      decidePlain({ ...request(), kind, name } as PlainCommand, undefined),
    );
    const state = event && evolvePlain(kind, undefined, event);
    expect(() => decidePlain({ ...remove, kind }, state)).toThrow(
      'this is a system priority class and cannot be deleted',
    );
  });

  it('becomes what any edit says', () => {
    const texts = fc.dictionary(fc.constantFrom('a', 'b', 'metadata', 'spec'), fc.string(), { maxKeys: 3 });
    const body = fc.record({ data: texts, immutable: fc.boolean() }, { requiredKeys: [] });
    fc.assert(
      fc.property(body, body, texts, (before, after, labels) => {
        const live = configMap(...configMap().when(request({}, before)));
        const command = change(live.state(), { labels, spec: after });
        const result = live.after(command);
        expect(sameJson(result?.body, after)).toBe(true);
        expect(result?.meta.labels).toEqual(labels);
      }),
    );
  });
});
