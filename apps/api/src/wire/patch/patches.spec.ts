import type { Json, JsonObject } from '#domain';
import fc from 'fast-check';
import { WireError } from '../wire-error.js';
import { applyPatch, parsePatch } from './apply-patch.js';
import { jsonPatch } from './json-patch.js';
import { mergePatch } from './merge-patch.js';
import { strategicMergePatch } from './strategic-merge-patch.js';

const codeOf = (run: () => unknown): number => {
  try {
    run();
  } catch (error) {
    if (error instanceof WireError) return error.code;
    throw error;
  }
  throw new Error('nothing was refused');
};

const pod = (patch: Json, current: JsonObject): JsonObject => strategicMergePatch('core.v1.Pod', current, patch);
const spec = (patch: JsonObject, current: JsonObject): Json | undefined =>
  pod({ spec: patch }, { spec: current })['spec'];

describe('strategicMergePatch', () => {
  it.each<[string, JsonObject, JsonObject, JsonObject]>([
    [
      'merges containers by name, and what is inside them by their own keys',
      {
        containers: [
          { name: 'a', image: 'i', env: [{ name: 'X', value: '1' }] },
          { name: 'b', image: 'j' },
        ],
      },
      { containers: [{ name: 'a', env: [{ name: 'Y', value: '2' }] }] },
      {
        containers: [
          {
            name: 'a',
            image: 'i',
            env: [
              { name: 'Y', value: '2' },
              { name: 'X', value: '1' },
            ],
          },
          { name: 'b', image: 'j' },
        ],
      },
    ],
    [
      'adds an element of a new key',
      { containers: [{ name: 'a' }] },
      { containers: [{ name: 'b', image: 'j', command: null }] },
      { containers: [{ name: 'b', image: 'j' }, { name: 'a' }] },
    ],
    [
      'merges ports by containerPort and mounts by mountPath',
      {
        containers: [
          { name: 'a', ports: [{ containerPort: 80, name: 'http' }], volumeMounts: [{ mountPath: '/a', name: 'v' }] },
        ],
      },
      {
        containers: [
          {
            name: 'a',
            ports: [{ containerPort: 80, hostPort: 81 }],
            volumeMounts: [{ mountPath: '/a', readOnly: true }],
          },
        ],
      },
      {
        containers: [
          {
            name: 'a',
            ports: [{ containerPort: 80, name: 'http', hostPort: 81 }],
            volumeMounts: [{ mountPath: '/a', name: 'v', readOnly: true }],
          },
        ],
      },
    ],
    [
      'deletes an element',
      { containers: [{ name: 'a' }, { name: 'b' }] },
      { containers: [{ name: 'a', $patch: 'delete' }] },
      { containers: [{ name: 'b' }] },
    ],
    [
      'replaces a keyed list by directive',
      { containers: [{ name: 'a' }, { name: 'b' }] },
      { containers: [{ $patch: 'replace' }, { name: 'c' }] },
      { containers: [{ name: 'c' }] },
    ],
    [
      'replaces lists without a merge key',
      { tolerations: [{ key: 'a' }], containers: [{ name: 'a', args: ['x'] }] },
      { tolerations: [{ key: 'b' }], containers: [{ name: 'a', args: ['y', 'z'] }] },
      { tolerations: [{ key: 'b' }], containers: [{ name: 'a', args: ['y', 'z'] }] },
    ],
    ['removes a member by null', { nodeName: 'n', hostname: 'h' }, { nodeName: null, bogus: null }, { hostname: 'h' }],
    [
      'replaces a map by directive, and empties one',
      { nodeSelector: { a: '1', b: '2' }, securityContext: { runAsUser: 1 } },
      { nodeSelector: { $patch: 'replace', c: '3' }, securityContext: { $patch: 'delete' } },
      { nodeSelector: { c: '3' }, securityContext: {} },
    ],
    [
      'keeps only the members that $retainKeys names',
      { volumes: [{ name: 'v', emptyDir: {} }] },
      { volumes: [{ name: 'v', $retainKeys: ['name', 'configMap'], configMap: { name: 'c' } }] },
      { volumes: [{ name: 'v', configMap: { name: 'c' } }] },
    ],
    [
      'orders by $setElementOrder and stores no directive',
      { containers: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] },
      { '$setElementOrder/containers': [{ name: 'c' }, { name: 'a' }], containers: [{ name: 'a', image: 'i' }] },
      { containers: [{ name: 'b' }, { name: 'c' }, { name: 'a', image: 'i' }] },
    ],
    [
      'orders a list that the patch does not otherwise touch',
      { containers: [{ name: 'a' }, { name: 'b' }] },
      { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }] },
      { containers: [{ name: 'b' }, { name: 'a' }] },
    ],
  ])('%s', (_, current, patch, expected) => {
    expect(spec(patch, current)).toEqual(expected);
  });

  it('merges finalizers as a set and takes them out by $deleteFromPrimitiveList', () => {
    const current = { metadata: { finalizers: ['a', 'b'] } };
    expect(pod({ metadata: { finalizers: ['c', 'a', 'c'] } }, current)['metadata']).toEqual({
      finalizers: ['c', 'a', 'b'],
    });
    expect(pod({ metadata: { '$deleteFromPrimitiveList/finalizers': ['a'] } }, current)['metadata']).toEqual({
      finalizers: ['b'],
    });
  });

  it('merges conditions by type', () => {
    const status = pod(
      { status: { conditions: [{ type: 'Ready', status: 'True' }] } },
      {
        status: {
          conditions: [
            { type: 'Other', status: 'True' },
            { type: 'Ready', status: 'False', reason: 'R' },
          ],
        },
      },
    )['status'];
    expect(status).toEqual({
      conditions: [
        { type: 'Other', status: 'True' },
        { type: 'Ready', status: 'True', reason: 'R' },
      ],
    });
  });

  it.each<[string, Json]>([
    ['a list', []],
    ['an element without its merge key', { spec: { containers: [{ image: 'i' }] } }],
    ['an element that is no object', { spec: { containers: ['a'] } }],
    ['an unknown directive', { spec: { $patch: 'explode' } }],
    ['an unknown directive in an element', { spec: { containers: [{ name: 'a', $patch: 'explode' }] } }],
    ['an order that is no list', { spec: { '$setElementOrder/containers': 'a', containers: [] } }],
    ['a member that $retainKeys leaves out', { spec: { $retainKeys: ['a'], hostname: 'b' } }],
  ])('refuses %s with 400', (_, patch) => {
    expect(codeOf(() => pod(patch, { spec: { containers: [] } }))).toBe(400);
  });

  const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>;
  const names = fc.constantFrom('a', 'b', 'c', 'd');
  const containers = fc.uniqueArray(fc.record({ name: names, image: fc.string({ maxLength: 3 }) }), {
    selector: ({ name }) => name,
  });

  it('is the identity for an empty patch', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), json), (current) => {
        expect(pod({}, current)).toEqual(current);
      }),
    );
  });

  it('gives the same for the same, leaves its inputs alone, and a second time changes nothing', () => {
    fc.assert(
      fc.property(containers, containers, fc.shuffledSubarray(['a', 'b', 'c', 'd']), (before, patch, order) => {
        const current = { spec: { containers: before } };
        const change = { spec: { containers: patch, '$setElementOrder/containers': order.map((name) => ({ name })) } };
        const [currentText, changeText] = [JSON.stringify(current), JSON.stringify(change)];
        const once = pod(change, current);
        expect(pod(change, current)).toEqual(once);
        expect([JSON.stringify(current), JSON.stringify(change)]).toEqual([currentText, changeText]);
        expect(pod(change, once)).toEqual(once);
      }),
    );
  });

  it('throws nothing but a WireError on any patch', () => {
    const key = fc.constantFrom(
      'spec',
      'containers',
      '$patch',
      '$retainKeys',
      '$setElementOrder/containers',
      '$deleteFromPrimitiveList/finalizers',
      'name',
      'metadata',
      'finalizers',
      '__proto__',
    );
    const patch = fc.letrec((tie) => ({
      node: fc.oneof({ depthSize: 'small' }, json, fc.dictionary(key, tie('node')), fc.array(tie('node'))),
    })).node as fc.Arbitrary<Json>;
    fc.assert(
      fc.property(patch, (change) => {
        try {
          pod(change, { spec: { containers: [{ name: 'a' }] }, metadata: { finalizers: ['x'] } });
        } catch (error) {
          return error instanceof WireError;
        }
        return !('polluted' in {});
      }),
    );
  });
});

describe('mergePatch', () => {
  // The examples of RFC 7386, appendix A.
  it.each<[Json, Json, Json]>([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j with %j is %j', (current, patch, expected) => {
    expect(mergePatch(current, patch)).toEqual(expected);
  });

  it('treats __proto__ as a name', () => {
    const result = mergePatch({}, JSON.parse('{"__proto__":{"polluted":1}}') as Json);
    expect(JSON.stringify(result)).toBe('{"__proto__":{"polluted":1}}');
    expect('polluted' in {}).toBe(false);
  });
});

describe('jsonPatch', () => {
  const current = { spec: { replicas: 1, list: ['a', 'b'] }, metadata: { labels: { 'x/y': '1' } } };

  it.each<[string, Json, Json]>([
    [
      'replaces',
      [{ op: 'replace', path: '/spec/replicas', value: 2 }],
      { ...current, spec: { replicas: 2, list: ['a', 'b'] } },
    ],
    [
      'appends',
      [{ op: 'add', path: '/spec/list/-', value: 'c' }],
      { ...current, spec: { replicas: 1, list: ['a', 'b', 'c'] } },
    ],
    [
      'reads escaped names',
      [{ op: 'remove', path: '/metadata/labels/x~1y' }],
      { ...current, metadata: { labels: {} } },
    ],
    [
      'tests, then moves',
      [
        { op: 'test', path: '/spec/replicas', value: 1 },
        { op: 'move', from: '/spec/replicas', path: '/spec/count' },
      ],
      { ...current, spec: { list: ['a', 'b'], count: 1 } },
    ],
  ])('%s', (_, patch, expected) => {
    const before = JSON.stringify(current);
    expect(jsonPatch(current, patch)).toEqual(expected);
    expect(JSON.stringify(current)).toBe(before);
  });

  it.each<[string, number, Json]>([
    ['a failed test', 422, [{ op: 'test', path: '/spec/replicas', value: 9 }]],
    ['a path that is not there', 422, [{ op: 'replace', path: '/spec/none/x', value: 1 }]],
    ['a removal of nothing', 422, [{ op: 'remove', path: '/spec/none' }]],
    ['an index out of bounds', 422, [{ op: 'add', path: '/spec/list/99999999', value: 1 }]],
    ['a pointer that is none', 422, [{ op: 'add', path: 'spec', value: 1 }]],
    ['a change of a prototype', 422, [{ op: 'add', path: '/__proto__/polluted', value: 1 }]],
    ['a change of a constructor', 422, [{ op: 'add', path: '/constructor/prototype/polluted', value: 1 }]],
    [
      'doubling by copies',
      422,
      Array.from({ length: 40 }, () => ({ op: 'copy', from: '/spec/list', path: '/spec/list/-' })),
    ],
    [
      'moving a large document about',
      422,
      [
        { op: 'add', path: '/spec/a', value: 'x'.repeat(1_000_000) },
        ...Array.from({ length: 100 }, (_, index) => ({
          op: 'move',
          from: `/spec/a${'a'.repeat(index)}`,
          path: `/spec/aa${'a'.repeat(index)}`,
        })),
      ],
    ],
    ['no list', 400, { op: 'add' }],
    ['an unknown operation', 400, [{ op: 'explode', path: '' }]],
    ['an operation without a value', 400, [{ op: 'add', path: '/a' }]],
    ['too many operations', 413, Array.from({ length: 10_001 }, () => ({ op: 'test', path: '', value: 1 }))],
  ])('refuses %s with %i', (_, code, patch) => {
    expect(codeOf(() => jsonPatch(current, patch))).toBe(code);
    expect('polluted' in {}).toBe(false);
  });
});

describe('applyPatch', () => {
  const gvk = { group: '', version: 'v1', kind: 'Pod' };
  const current = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', labels: { a: '1' } },
    spec: { hostname: 'h' },
  };

  it.each<['json' | 'merge' | 'strategic', string]>([
    ['json', '[{"op":"replace","path":"/metadata/labels/a","value":"2"},{"op":"add","path":"/spec/foo","value":1}]'],
    ['merge', '{"metadata":{"labels":{"a":"2"}},"spec":{"foo":1}}'],
    ['strategic', '{"metadata":{"labels":{"a":"2"}},"spec":{"foo":1}}'],
  ])('gives an object of the kind again, and names what the kind does not have (%s)', (type, body) => {
    const { patch } = parsePatch(body);
    expect(applyPatch(type, gvk, current, patch)).toEqual({
      object: { ...current, metadata: { name: 'p', labels: { a: '2' } } },
      unknownFields: ['spec.foo'],
    });
  });

  it('names repeated keys of the patch', () => {
    expect(parsePatch('{"spec":{"a":1,"a":2}}').duplicateFields).toEqual(['spec.a']);
  });

  it('refuses what makes a value of the wrong type, and an object of another kind', () => {
    expect(codeOf(() => applyPatch('merge', gvk, current, { spec: { priority: 'high' } }))).toBe(400);
    expect(codeOf(() => applyPatch('merge', gvk, current, { kind: 'Node' }))).toBe(400);
    expect(codeOf(() => applyPatch('merge', gvk, current, []))).toBe(400);
    expect(codeOf(() => parsePatch('{'))).toBe(400);
  });

  it('refuses to let an object grow beyond what a body may have', () => {
    const much = 'x'.repeat(2 * 1024 * 1024);
    const large = { ...current, metadata: { name: 'p', annotations: { a: much } } };
    expect(codeOf(() => applyPatch('merge', gvk, large, { metadata: { annotations: { b: much } } }))).toBe(413);
  });
});
