import { execFileSync } from 'node:child_process';
import { numberedTypes, fieldsByNumber } from '../protobuf/field-numbers.js';
import { notYet } from '../validation/unsupported.js';
import { allMergeRules } from './merge-rules.js';
import { apiVersionOf, kindOfType, openApiName, parseApiVersion, schemaOf, typeIds, typeOfKind } from './schema.js';
import { types } from './types.generated.js';

const fieldsOf = (type: string): readonly string[] => Object.keys(types[type as keyof typeof types] ?? {});

describe('the schema', () => {
  it('is what the generator makes of the installed package', () => {
    execFileSync('node', ['scripts/generate-schema.mjs', '--check'], { stdio: 'pipe' });
  }, 30_000);

  it('mentions no type that it does not hold', () => {
    expect(() => typeIds.forEach((id) => schemaOf(id))).not.toThrow();
    expect(typeIds.length).toBeGreaterThan(150);
  });

  it.each([
    ['', 'v1', 'Pod', 'core.v1.Pod', 'io.k8s.api.core.v1.Pod'],
    ['apps', 'v1', 'ReplicaSet', 'apps.v1.ReplicaSet', 'io.k8s.api.apps.v1.ReplicaSet'],
    ['events.k8s.io', 'v1', 'Event', 'events.v1.Event', 'io.k8s.api.events.v1.Event'],
    ['policy', 'v1', 'Eviction', 'policy.v1.Eviction', 'io.k8s.api.policy.v1.Eviction'],
    ['', 'v1', 'DeleteOptions', 'meta.v1.DeleteOptions', 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions'],
  ])('knows the kind %s/%s %s as %s', (group, version, kind, id, name) => {
    const type = typeOfKind({ group, version, kind });
    expect(type).toBe(id);
    expect(type && openApiName(type)).toBe(name);
    expect(type && kindOfType(type)).toEqual({ group, version, kind });
  });

  it('knows parts of kinds as no kinds', () => {
    expect(kindOfType('core.v1.Container')).toBeUndefined();
    expect(kindOfType('core.v1.ObjectReference')).toBeUndefined();
    expect(typeOfKind({ group: '', version: 'v1', kind: 'Nonsense' })).toBeUndefined();
    expect(typeOfKind({ group: '', version: 'v1', kind: '__proto__' })).toBeUndefined();
  });

  it.each([
    ['v1', { group: '', version: 'v1' }],
    ['apps/v1', { group: 'apps', version: 'v1' }],
  ])('reads and writes apiVersion %s', (text, parsed) => {
    expect(parseApiVersion(text)).toEqual(parsed);
    expect(apiVersionOf(parsed)).toBe(text);
  });

  it.each(['', '/', 'a/', '/v1', 'a/b/c'])('refuses %j as an apiVersion', (text) => {
    expect(parseApiVersion(text)).toBeUndefined();
  });
});

describe('the tables beside the schema', () => {
  it('merge by fields that there are', () => {
    for (const { type, field, rule } of allMergeRules()) {
      expect([type, fieldsOf(type)]).toEqual([type, expect.arrayContaining([field])]);
      const notation = String(Object.entries(types[type as keyof typeof types]).find(([name]) => name === field)?.[1]);
      const element = notation.replace(/^\[\]|^\{\}/, '').replace(/!$/, '');
      for (const key of [rule.mergeKey ?? [], ...(rule.keys ?? []).map(({ name }) => name)].flat()) {
        expect([type, field, fieldsOf(element)]).toEqual([type, field, expect.arrayContaining([key])]);
      }
    }
  });

  it('give numbers to fields that there are, each number once', () => {
    expect(numberedTypes().map((type) => fieldsByNumber(type).size)).not.toContain(0);
  });

  it('call features not supported that there are', () => {
    for (const [type, lines] of Object.entries(notYet)) {
      expect([type, fieldsOf(type)]).toEqual([type, expect.arrayContaining(Object.keys(lines))]);
    }
  });

  it('leave no kind of volume unjudged', () => {
    const judged = Object.keys(notYet['core.v1.Volume'] ?? {});
    expect([...judged, 'emptyDir', 'name'].sort()).toEqual([...fieldsOf('core.v1.Volume')].sort());
  });
});
