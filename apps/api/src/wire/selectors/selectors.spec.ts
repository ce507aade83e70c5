import fc from 'fast-check';
import { WireError } from '../wire-error.js';
import { matchesFields, parseFieldSelector, selectedName } from './field-selector.js';
import { formatLabelSelector, labelSelectorOf, matchesLabels, parseLabelSelector } from './label-selector.js';

const refused = (run: () => unknown): boolean => {
  try {
    run();
  } catch (error) {
    if (error instanceof WireError) return error.code === 400;
    throw error;
  }
  return false;
};

describe('label selectors', () => {
  const labels = { app: 'web', tier: 'front', empty: '' };

  it.each([
    ['', true],
    ['app=web', true],
    ['app==web', true],
    ['app = web', true],
    ['app=api', false],
    ['app!=api', true],
    ['app!=web', false],
    ['absent!=x', true],
    ['app in (api, web)', true],
    ['app in (api)', false],
    ['app notin (api)', true],
    ['app notin (web,api)', false],
    ['absent notin (x)', true],
    ['absent in (x)', false],
    ['app', true],
    ['absent', false],
    ['!absent', true],
    ['!app', false],
    ['empty=', true],
    ['app=', false],
    ['empty in ()', true],
    ['app=web,tier=front', true],
    ['app=web,tier=back', false],
    ['app,tier notin (back),!absent', true],
    ['example.com/role!=x', true],
    ['toString', false],
  ])('%s: %s', (text, expected) => {
    expect(matchesLabels(parseLabelSelector(text), labels)).toBe(expected);
  });

  it.each([
    '=',
    'a=b=c',
    'a in',
    'a in (',
    'a in b',
    'a in (b',
    'a b',
    ',',
    'a,,b',
    '!',
    '!a=b',
    '-a=b',
    'a=b c',
    'a==!',
    'a=$',
    `a=${'x'.repeat(64)}`,
    'a/b/c=d',
    'a>5',
    '(a)',
  ])('refuses %s', (text) => {
    expect(refused(() => parseLabelSelector(text))).toBe(true);
  });

  it('reads the object form alike', () => {
    const selector = labelSelectorOf({
      matchLabels: { app: 'web' },
      matchExpressions: [
        { key: 'tier', operator: 'In', values: ['front', 'back'] },
        { key: 'absent', operator: 'DoesNotExist' },
        { key: 'app', operator: 'Exists' },
        { key: 'app', operator: 'NotIn', values: ['api'] },
      ],
    });
    expect(matchesLabels(selector, labels)).toBe(true);
    expect(matchesLabels(selector, { app: 'web' })).toBe(false);
    expect(formatLabelSelector(selector)).toBe('app=web,tier in (front,back),!absent,app,app!=api');
    expect(refused(() => labelSelectorOf({ matchExpressions: [{ key: 'a', operator: 'Like' }] }))).toBe(true);
  });

  it('reads what it writes', () => {
    const word = fc
      .stringMatching(/^[a-z]([a-z0-9]{0,5}[a-z0-9])?$/)
      .filter((text) => text !== 'in' && text !== 'notin');
    const requirement = fc.oneof(
      fc.record({
        key: word,
        operator: fc.constantFrom('Exists' as const, 'DoesNotExist' as const),
        values: fc.constant([]),
      }),
      fc.record({
        key: word,
        operator: fc.constantFrom('In' as const, 'NotIn' as const),
        values: fc.uniqueArray(word, { minLength: 1, maxLength: 3 }).map((values) => values.sort()),
      }),
    );
    fc.assert(
      fc.property(fc.array(requirement), (selector) => {
        expect(parseLabelSelector(formatLabelSelector(selector))).toEqual(selector);
      }),
    );
  });

  it('reads or refuses any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab=!,() ', 'in', 'notin', '/') }), (text) => {
        expect(() => refused(() => parseLabelSelector(text))).not.toThrow();
      }),
    );
  });
});

describe('field selectors', () => {
  const supported = ['status.phase', 'spec.nodeName'];
  const fields: Readonly<Record<string, string>> = { 'metadata.name': 'web', 'status.phase': 'Running' };
  const matches = (text: string): boolean =>
    matchesFields(parseFieldSelector(text, supported), (field) => fields[field]);

  it.each([
    ['', true],
    ['metadata.name=web', true],
    ['metadata.name==web', true],
    ['metadata.name=api', false],
    ['status.phase!=Succeeded,status.phase!=Failed', true],
    ['spec.nodeName=', true],
    ['spec.nodeName!=', false],
    ['metadata.name=web,spec.nodeName=n', false],
    ['metadata.name=web,', true],
  ])('%s: %s', (text, expected) => {
    expect(matches(text)).toBe(expected);
  });

  it('reads escaped values', () => {
    expect(parseFieldSelector('metadata.name=a\\,b\\=c\\\\d', [])).toEqual([
      { field: 'metadata.name', equal: true, value: 'a,b=c\\d' },
    ]);
  });

  it('finds the one name it asks for', () => {
    expect(selectedName(parseFieldSelector('status.phase=Running,metadata.name=web', supported))).toBe('web');
    expect(selectedName(parseFieldSelector('metadata.name!=web', supported))).toBeUndefined();
  });

  it.each(['spec.bogus=a', 'metadata.name', 'metadata.name>1', 'metadata.name=a=b', '=a', 'metadata.name=a\\'])(
    'refuses %s',
    (text) => {
      expect(refused(() => parseFieldSelector(text, supported))).toBe(true);
    },
  );

  it('names the field it does not support', () => {
    expect(() => parseFieldSelector('spec.bogus=1', supported)).toThrow('field label not supported: spec.bogus');
  });

  it('reads or refuses any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'a=!,\\.', 'metadata.name') }), (text) => {
        expect(() => refused(() => parseFieldSelector(text, supported))).not.toThrow();
      }),
    );
  });
});
