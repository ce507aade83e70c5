import type { JsonObject } from '#domain';
import { defaulted } from '../defaults/defaults.js';
import { faultsOf, faultsOfChange } from './validate.js';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const object = (kind: string, more: JsonObject): JsonObject =>
  defaulted({ apiVersion: 'v1', kind, metadata: { name: 'x', namespace: 'd' }, ...more });
const priorityClass = (name: string, more: JsonObject): JsonObject =>
  defaulted({ apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name }, ...more });
const texts = (one: JsonObject): string[] => faultsOf(one).map(({ field, message }) => `${field}: ${message}`);
const changeTexts = (before: JsonObject, after: JsonObject): string[] =>
  faultsOfChange(before, after).map(({ field, message }) => `${field}: ${message}`);
const fields = (one: JsonObject): string[] => faultsOf(one).map(({ field }) => field);
const mebibyte = 'x'.repeat(1024 * 1024);

describe('a config map', () => {
  const map = (more: JsonObject): JsonObject => object('ConfigMap', more);

  it('may have text and bytes under any keys that can be files', () => {
    expect(texts(map({}))).toEqual([]);
    expect(texts(map({ data: { 'a.b-c_D': '', ...{ '.hidden': 'x' } }, binaryData: { b: 'eA==' } }))).toEqual([]);
  });

  it.each(['', 'a/b', 'ä', '.', '..', '..a', 'a'.repeat(254)])('refuses the key %j', (key) => {
    expect(fields(map({ data: { [key]: 'x' } }))).toEqual([`data[${key}]`]);
    expect(fields(map({ binaryData: { [key]: 'eA==' } }))).toEqual([`binaryData[${key}]`]);
  });

  it('says what a key may look like', () => {
    expect(texts(map({ data: { 'a b': 'x' } }))).toEqual([
      `data[a b]: Invalid value: "a b": a valid config key must consist of alphanumeric characters, '-', '_' or '.' ` +
        `(e.g. 'key.name', or 'KEY_NAME', or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`,
    ]);
  });

  it('has no key both as text and as bytes', () => {
    expect(texts(map({ data: { a: 'x' }, binaryData: { a: 'eA==' } }))).toEqual([
      'data[a]: Invalid value: "a": duplicate of key present in binaryData',
      'binaryData[a]: Invalid value: "a": duplicate of key present in data',
    ]);
  });

  it('holds a mebibyte and no byte more, bytes and text together', () => {
    expect(texts(map({ data: { a: mebibyte } }))).toEqual([]);
    const tooLong = ['[]: Too long: may not be more than 1048576 bytes'];
    expect(texts(map({ data: { a: `${mebibyte}x` } }))).toEqual(tooLong);
    expect(texts(map({ data: { a: mebibyte }, binaryData: { b: base64('x') } }))).toEqual(tooLong);
  });

  it('that is immutable keeps its data and stays so, and may change the rest', () => {
    const before = map({ data: { a: '1' }, immutable: true });
    const why = 'Forbidden: field is immutable when `immutable` is set';
    expect(changeTexts(before, map({ data: { a: '2' }, immutable: true }))).toEqual([`data: ${why}`]);
    expect(changeTexts(before, map({ data: { a: '1' } }))).toEqual([`immutable: ${why}`]);
    expect(changeTexts(before, map({ data: { a: '1' }, binaryData: { b: 'eA==' }, immutable: true }))).toEqual([
      `binaryData: ${why}`,
    ]);
    const labelled = { ...before, metadata: { name: 'x', namespace: 'd', labels: { a: 'b' } } };
    expect(changeTexts(before, labelled)).toEqual([]);
    expect(changeTexts(map({ data: { a: '1' } }), map({ data: { a: '2' }, immutable: true }))).toEqual([]);
  });
});

describe('a secret', () => {
  const secret = (more: JsonObject): JsonObject => object('Secret', more);

  it('is Opaque unless it says otherwise, and keeps texts among its data', () => {
    expect(secret({ data: { a: 'eA==', b: 'eA==' }, stringData: { b: 'two', c: '' } })).toEqual({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'x', namespace: 'd' },
      data: { a: 'eA==', b: base64('two'), c: '' },
      type: 'Opaque',
    });
  });

  it.each<[string, JsonObject, string[]]>([
    ['kubernetes.io/dockerconfigjson', {}, ['data[.dockerconfigjson]']],
    ['kubernetes.io/dockerconfigjson', { '.dockerconfigjson': base64('{"auths":{}}') }, []],
    ['kubernetes.io/dockerconfigjson', { '.dockerconfigjson': base64('not json') }, ['data[.dockerconfigjson]']],
    ['kubernetes.io/dockercfg', { '.dockercfg': base64('[]') }, ['data[.dockercfg]']],
    ['kubernetes.io/basic-auth', {}, ['data[username]', 'data[password]']],
    ['kubernetes.io/basic-auth', { password: '' }, []],
    ['kubernetes.io/ssh-auth', { 'ssh-privatekey': '' }, ['data[ssh-privatekey]']],
    ['kubernetes.io/tls', { 'tls.crt': '' }, ['data[tls.key]']],
    ['kubernetes.io/service-account-token', {}, ['type']],
    ['example.com/mine', {}, []],
  ])('of type %s has what its type asks for: %j', (type, data, expected) => {
    expect(fields(secret({ type, data }))).toEqual(expected);
  });

  it('is at fault without its values being told', () => {
    const data = { '.dockerconfigjson': base64('planted-value'), 'bad key': base64('planted-value') };
    const said = JSON.stringify(faultsOf(secret({ type: 'kubernetes.io/dockerconfigjson', data })));
    expect(said).toContain('redacted');
    for (const clear of ['planted-value', base64('planted-value')]) expect(said).not.toContain(clear);
  });

  it('holds a mebibyte, however long that is in base64', () => {
    expect(texts(secret({ data: { a: base64(mebibyte) } }))).toEqual([]);
    expect(texts(secret({ data: { a: base64(`${mebibyte}x`) } }))).toEqual([
      'data: Too long: may not be more than 1048576 bytes',
    ]);
  });

  it('keeps its type, and its data when it is immutable', () => {
    const before = secret({ data: { a: 'eA==' }, immutable: true });
    expect(changeTexts(before, secret({ data: { a: 'eA==' }, immutable: true, type: 'other' }))).toEqual([
      'type: Invalid value: "other": field is immutable',
    ]);
    expect(changeTexts(before, secret({ data: {}, immutable: true }))).toEqual([
      'data: Forbidden: field is immutable when `immutable` is set',
    ]);
  });
});

describe('a priority class', () => {
  it('has a value, 0 when it says none, and preempts unless it says otherwise', () => {
    expect(priorityClass('low', {})).toMatchObject({ value: 0, preemptionPolicy: 'PreemptLowerPriority' });
    expect(texts(priorityClass('low', { value: -10, preemptionPolicy: 'Never' }))).toEqual([]);
  });

  it.each<[string, JsonObject, string]>([
    [
      'high',
      { value: 1_000_000_001 },
      'value: Forbidden: maximum allowed value of a user defined priority is 1000000000',
    ],
    [
      'system-mine',
      { value: 1 },
      "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-mine is not a known system priority class",
    ],
    [
      'system-node-critical',
      { value: 1 },
      "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: value of system-node-critical PriorityClass must be 2000001000",
    ],
    [
      'odd',
      { preemptionPolicy: 'Sometimes' },
      'preemptionPolicy: Unsupported value: "Sometimes": supported values: "Never", "PreemptLowerPriority"',
    ],
  ])('%s is refused: %j', (name, more, message) => {
    expect(texts(priorityClass(name, more))).toEqual([message]);
  });

  it('keeps what pods were given', () => {
    const before = priorityClass('high', { value: 10 });
    expect(changeTexts(before, priorityClass('high', { value: 11 }))).toEqual([
      'value: Forbidden: may not be changed in an update.',
    ]);
    expect(changeTexts(before, priorityClass('high', { value: 10, preemptionPolicy: 'Never' }))).toEqual([
      'preemptionPolicy: Invalid value: "Never": field is immutable',
    ]);
    expect(changeTexts(before, priorityClass('high', { value: 10, description: 'new', globalDefault: true }))).toEqual(
      [],
    );
  });
});
