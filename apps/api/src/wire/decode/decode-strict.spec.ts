import fc from 'fast-check';
import { WireError } from '../wire-error.js';
import {
  decodeObject,
  decodeStrict,
  fieldProblems,
  maxBodyBytes,
  strictDecodingError,
  type BodyFormat,
} from './decode-strict.js';

const pod = { group: '', version: 'v1', kind: 'Pod' };
const namespace = { group: '', version: 'v1', kind: 'Namespace' };

const refusal = (run: () => unknown): WireError => {
  try {
    run();
  } catch (error) {
    if (error instanceof WireError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
};

describe('decodeStrict', () => {
  it('fills in apiVersion and kind, and drops null as absence', () => {
    expect(
      decodeStrict(namespace, '{"metadata":{"name":"a","creationTimestamp":null},"spec":{},"status":null}'),
    ).toEqual({
      object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a' }, spec: {} },
      unknownFields: [],
      duplicateFields: [],
    });
  });

  it('names unknown and duplicate fields by path and leaves the unknown ones out', () => {
    const decoded = decodeStrict(
      pod,
      '{"metadata":{"name":"a","name":"b","lables":{}},"spec":{"foo":1,"containers":[{"name":"c","imagePolicy":"Never"}]}}',
    );
    expect(decoded.unknownFields).toEqual(['metadata.lables', 'spec.foo', 'spec.containers[0].imagePolicy']);
    expect(decoded.duplicateFields).toEqual(['metadata.name']);
    expect(decoded.object['metadata']).toEqual({ name: 'b' });
    expect(decoded.object['spec']).toEqual({ containers: [{ name: 'c' }] });
    expect(strictDecodingError(pod, fieldProblems(decoded)).message).toBe(
      'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "metadata.lables", ' +
        'unknown field "spec.foo", unknown field "spec.containers[0].imagePolicy", duplicate field "metadata.name"',
    );
  });

  it.each([
    [
      'a string for a number',
      '{"spec":{"containers":[{"ports":[{"containerPort":"x"}]}]}}',
      'json: cannot unmarshal string into Go struct field ContainerPort.spec.containers[0].ports[0].containerPort of type int32',
    ],
    [
      'a fraction for a number',
      '{"spec":{"priority":1.5}}',
      'json: cannot unmarshal number 1.5 into Go struct field PodSpec.spec.priority of type int32',
    ],
    [
      'too large a number',
      '{"spec":{"priority":3000000000}}',
      'json: cannot unmarshal number 3000000000 into Go struct field PodSpec.spec.priority of type int32',
    ],
    [
      'an object for a list',
      '{"spec":{"containers":{}}}',
      'json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container',
    ],
    [
      'a list for an object',
      '{"metadata":[]}',
      'json: cannot unmarshal array into Go struct field Pod.metadata of type v1.ObjectMeta',
    ],
    [
      'a number for a label',
      '{"metadata":{"labels":{"a":1}}}',
      'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels[a] of type string',
    ],
    [
      'a boolean for a string',
      '{"metadata":{"name":true}}',
      'json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.name of type string',
    ],
    [
      'an empty string for a number',
      '{"spec":{"priority":""}}',
      'json: cannot unmarshal string into Go struct field PodSpec.spec.priority of type int32',
    ],
    ['a list as the body', '[]', 'json: cannot unmarshal array into Go value of type v1.Pod'],
    ['null as the body', 'null', 'json: cannot unmarshal null into Go value of type v1.Pod'],
    [
      'a bad time',
      '{"metadata":{"creationTimestamp":"yesterday"}}',
      'metadata.creationTimestamp: parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse it',
    ],
    [
      'a bad quantity',
      '{"spec":{"containers":[{"resources":{"limits":{"cpu":"lots"}}}]}}',
      "spec.containers[0].resources.limits[cpu]: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
    ['no JSON', '{"a"', 'unexpected end of JSON input'],
    ['a trailing comma', '{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['two values', '{} {}', "invalid character '{' after top-level value"],
    ['a bare word', 'nul', "invalid character 'n' looking for beginning of value"],
    ['a control character in a string', '{"a":"\n"}', "invalid character '\\n' in string literal"],
  ])('refuses %s', (_, body, message) => {
    const error = refusal(() => decodeStrict(pod, body));
    expect([error.code, error.message]).toEqual([400, `Pod in version "v1" cannot be handled as a Pod: ${message}`]);
  });

  it('refuses a body of another kind or version, whatever else is wrong with it', () => {
    expect(refusal(() => decodeStrict(pod, '{"kind":"Namespace","metadata":7}')).message).toBe(
      'the kind in the data (Namespace) does not match the expected kind (Pod)',
    );
    expect(refusal(() => decodeStrict(pod, '{"apiVersion":"apps/v1"}')).message).toBe(
      'the API version in the data (apps/v1) does not match the expected API version (v1)',
    );
  });

  it('keeps quantities as they were sent, numbers as text', () => {
    const { object } = decodeStrict(pod, '{"spec":{"overhead":{"cpu":0.5,"memory":"1000Mi","example.com/x":"1e3"}}}');
    expect(object['spec']).toEqual({ overhead: { cpu: '0.5', memory: '1000Mi', 'example.com/x': '1e3' } });
  });

  it('brings times to whole seconds of UTC, and MicroTime to six digits', () => {
    const event = { group: '', version: 'v1', kind: 'Event' };
    const sent = { firstTimestamp: '2024-01-02T03:04:05.9+02:00', eventTime: '2024-01-02T03:04:05.123456789Z' };
    expect(decodeObject(event, sent).object).toMatchObject({
      firstTimestamp: '2024-01-02T01:04:05Z',
      eventTime: '2024-01-02T03:04:05.123456Z',
    });
  });

  it('puts the zero value where a list or a map holds null', () => {
    const { object } = decodeStrict(pod, '{"metadata":{"labels":{"a":null}},"spec":{"containers":[null]}}');
    expect(object).toMatchObject({ metadata: { labels: { a: '' } }, spec: { containers: [{}] } });
  });

  it.each<[BodyFormat, string]>([
    ['json', '{"metadata":{"labels":{"__proto__":"x"},"__proto__":{"polluted":"yes"}},"__proto__":{"polluted":"yes"}}'],
    ['yaml', 'metadata:\n  labels: {__proto__: x}\n  __proto__: {polluted: "yes"}\n__proto__: {polluted: "yes"}\n'],
  ])('treats __proto__ as a name like any other (%s)', (format, body) => {
    const { object, unknownFields } = decodeStrict(pod, body, format);
    expect(unknownFields).toEqual(['metadata.__proto__', '__proto__']);
    expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
    expect(JSON.stringify(object['metadata'])).toBe('{"labels":{"__proto__":"x"}}');
    expect('polluted' in {}).toBe(false);
  });

  it('reads the same object from YAML, comments and all', () => {
    const yaml =
      'kind: Pod # a pod\nmetadata:\n  name: a\n  name: b\nspec:\n  containers:\n  - &c {name: c, image: i, ports: [{containerPort: 80}]}\n  bogus: 1\n';
    const decoded = decodeStrict(pod, yaml, 'yaml');
    expect(decoded.object['spec']).toEqual({ containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 80 }] }] });
    expect(decoded.unknownFields).toEqual(['spec.bogus']);
    expect(decoded.duplicateFields).toEqual(['metadata.name']);
  });

  it.each<[string, BodyFormat, string]>([
    ['an object of very many values', 'json', `{"metadata":{"finalizers":[${Array(150_000).fill('"a"').join(',')}]}}`],
    ['deep JSON', 'json', '['.repeat(100_000)],
    ['deep YAML', 'yaml', '['.repeat(1_000_000)],
    [
      'deep YAML by indentation',
      'yaml',
      Array.from({ length: 1000 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
    ],
    ['deep YAML by dashes', 'yaml', '- '.repeat(100_000)],
    ['YAML of many words', 'yaml', 'a: b\n'.repeat(100_000)],
    ['no YAML', 'yaml', 'a: [b'],
    [
      'an alias bomb',
      'yaml',
      [
        'a: &a [x,x,x,x,x,x,x,x,x,x]',
        ...'bcdefgh'.split('').map((c, i) => `${c}: &${c} [${Array(10).fill(`*${'abcdefgh'[i]}`).join(',')}]`),
      ].join('\n'),
    ],
    ['an alias to itself', 'yaml', 'a: &a [*a]'],
    ['an alias of nothing', 'yaml', 'a: *b'],
    ['two documents', 'yaml', 'a: 1\n---\nb: 2\n'],
    ['a key that is no string', 'yaml', '[1]: 2'],
    ['a long YAML text', 'yaml', `a: ${'x'.repeat(2 * 1024 * 1024)}`],
  ])('refuses %s', (_, format, body) => {
    expect(refusal(() => decodeStrict(pod, body, format)).code).toBe(400);
  });

  it('follows aliases, also thousands of one', () => {
    const yaml = `metadata:\n  labels: {a: &v x}\n  finalizers: [${Array(5000).fill('*v').join(',')}]\n`;
    expect(decodeStrict(pod, yaml, 'yaml').object['metadata']).toEqual({
      labels: { a: 'x' },
      finalizers: Array(5000).fill('x'),
    });
  });

  it('refuses a body above the limit with 413', () => {
    expect(refusal(() => decodeStrict(pod, new Uint8Array(maxBodyBytes + 1))).code).toBe(413);
  });

  it('names at most a hundred unknown fields', () => {
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`x${index}`, 1]));
    expect(decodeStrict(pod, JSON.stringify(many)).unknownFields).toHaveLength(100);
  });
});

describe('decodeStrict, for any input', () => {
  const gvk = fc.constantFrom(pod, namespace, { group: 'apps', version: 'v1', kind: 'ReplicaSet' });
  const format = fc.constantFrom<BodyFormat>('json', 'yaml');
  const typed = (run: () => unknown): boolean => {
    try {
      run();
    } catch (error) {
      return error instanceof WireError;
    }
    return true;
  };

  it('throws nothing but a WireError on any bytes', () => {
    fc.assert(
      fc.property(gvk, fc.uint8Array({ maxLength: 200 }), format, (kind, bytes, as) =>
        typed(() => decodeStrict(kind, bytes, as)),
      ),
    );
  });

  it('throws nothing but a WireError on any JSON value in any field', () => {
    const fields = fc.constantFrom('metadata', 'spec', 'status', 'apiVersion', 'containers', 'labels', '__proto__');
    const tree = fc.letrec((tie) => ({
      node: fc.oneof({ depthSize: 'small' }, fc.jsonValue(), fc.dictionary(fields, tie('node')), fc.array(tie('node'))),
    })).node;
    fc.assert(
      fc.property(gvk, tree, (kind, value) => typed(() => decodeStrict(kind, JSON.stringify(value) ?? 'null'))),
    );
  });

  it('agrees with JSON.parse on what is JSON', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.json(), fc.string({ unit: fc.constantFrom(...'{}[]",:\\0123.eE+-tfn ul\n') })),
        (text) => {
          const accepted = (read: () => unknown) => typed(read) && !throws(read);
          return accepted(() => decodeStrict(pod, text)) ? JSON.parse(text) !== undefined : true;
        },
      ),
    );
  });

  it('changes nothing that it has already decoded', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string()), (labels) => {
        const once = decodeStrict(pod, JSON.stringify({ metadata: { labels } })).object;
        expect(decodeObject(pod, once).object).toEqual(once);
      }),
    );
  });
});

function throws(run: () => unknown): boolean {
  try {
    run();
  } catch {
    return true;
  }
  return false;
}
