import fc from 'fast-check';
import { WireError } from '../wire-error.js';
import { bodyTypeOf, negotiate, patchTypeOf, type OfferedForm } from './negotiate.js';

const TABLE =
  'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json';
const PROTOBUF = 'application/vnd.kubernetes.protobuf';
const DISCOVERY =
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json';
const tables: readonly OfferedForm[] = ['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'];

const codeOf = (run: () => unknown): number => {
  try {
    run();
  } catch (error) {
    if (error instanceof WireError) return error.code;
    throw error;
  }
  throw new Error('nothing was refused');
};

describe('negotiate', () => {
  it.each<[string | undefined, readonly OfferedForm[], object]>([
    [undefined, tables, { form: { as: 'object' }, encoding: 'json' }],
    ['', tables, { form: { as: 'object' }, encoding: 'json' }],
    [TABLE, tables, { form: { as: 'Table', version: 'v1' }, encoding: 'json' }],
    [TABLE, [], { form: { as: 'object' }, encoding: 'json' }],
    [`${PROTOBUF},application/json`, tables, { form: { as: 'object' }, encoding: 'json' }],
    [`${PROTOBUF}, */*`, tables, { form: { as: 'object' }, encoding: 'json' }],
    ['application/json, */*;q=0.8', tables, { form: { as: 'object' }, encoding: 'json' }],
    ['*/*', tables, { form: { as: 'object' }, encoding: 'json' }],
    ['application/yaml', tables, { form: { as: 'object' }, encoding: 'yaml' }],
    ['APPLICATION/JSON; charset=utf-8', tables, { form: { as: 'object' }, encoding: 'json' }],
    [DISCOVERY, ['APIGroupDiscoveryList'], { form: { as: 'APIGroupDiscoveryList', version: 'v2' }, encoding: 'json' }],
    [
      'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json',
      ['APIGroupDiscoveryList'],
      { form: { as: 'APIGroupDiscoveryList', version: 'v2beta1' }, encoding: 'json' },
    ],
    [
      'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
      tables,
      { form: { as: 'PartialObjectMetadataList', version: 'v1' }, encoding: 'json' },
    ],
  ])('%s', (accept, offered, expected) => {
    expect(negotiate(accept, offered)).toEqual(expected);
  });

  it.each([
    PROTOBUF,
    'text/html',
    'application/json;as=Table;v=v2;g=meta.k8s.io',
    'application/json;as=Table;v=v1;g=other',
    'application/json;as=Nonsense;v=v1;g=meta.k8s.io',
    'application/json;q=0',
    'nonsense',
    ',,,',
  ])('answers 406 to %s', (accept) => {
    expect(codeOf(() => negotiate(accept, tables))).toBe(406);
  });

  it('throws nothing but a WireError on any header', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'ajson/*;=,q. "', 'application/json', 'as=Table') }),
        (accept) => {
          try {
            negotiate(accept, tables);
          } catch (error) {
            return error instanceof WireError;
          }
          return true;
        },
      ),
    );
  });
});

describe('types of bodies', () => {
  it.each([
    [undefined, 'json'],
    ['', 'json'],
    ['application/json', 'json'],
    ['application/json; charset=UTF-8', 'json'],
    ['application/yaml', 'yaml'],
    [PROTOBUF, 'protobuf'],
  ])('%s is %s', (contentType, type) => {
    expect(bodyTypeOf(contentType)).toBe(type);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'json', 'application/merge-patch+json'])(
    'answers 415 to %s',
    (contentType) => {
      expect(codeOf(() => bodyTypeOf(contentType))).toBe(415);
    },
  );

  it('tells patches apart, and answers 415 to those that are not supported', () => {
    expect(patchTypeOf('application/json-patch+json', ['json', 'merge'])).toBe('json');
    expect(patchTypeOf('application/merge-patch+json; charset=utf-8', ['json', 'merge'])).toBe('merge');
    expect(patchTypeOf('application/apply-patch+yaml', ['apply'])).toBe('apply');
    expect(codeOf(() => patchTypeOf('application/strategic-merge-patch+json', ['json', 'merge']))).toBe(415);
    expect(codeOf(() => patchTypeOf('application/json', ['json', 'merge']))).toBe(415);
    expect(codeOf(() => patchTypeOf(undefined, ['json']))).toBe(415);
  });
});
