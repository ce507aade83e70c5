import type { JsonObject } from '#domain';
import { defaulted } from '../defaults/defaults.js';
import { faultsOf, faultsOfChange } from './validate.js';

const texts = (object: JsonObject): string[] =>
  faultsOf(defaulted(object)).map(({ field, message }) => `${field}: ${message}`);

describe('validateReplicaSet', () => {
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'a', image: 'i' }] } };
  const set = (spec: JsonObject): JsonObject => ({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'web', namespace: 'd' },
    spec: { selector: { matchLabels: { app: 'web' } }, template, ...spec },
  });

  it('finds nothing wrong with a plain one, also of none', () => {
    expect([texts(set({})), texts(set({ replicas: 0 }))]).toEqual([[], []]);
  });

  it.each<[string, JsonObject, string[]]>([
    ['fewer than none', { replicas: -1 }, ['spec.replicas: Invalid value: -1: must be greater than or equal to 0']],
    [
      'an empty selector',
      { selector: {} },
      ['spec.selector: Invalid value: {}: empty selector is invalid for a replica set'],
    ],
    [
      'a selector that the template does not match',
      { selector: { matchLabels: { app: 'api' } } },
      ['spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`'],
    ],
    [
      'an operator that is none',
      { selector: { matchExpressions: [{ key: 'app', operator: 'Like' }] } },
      ['spec.selector.matchExpressions[0].operator: Invalid value: "Like": not a valid selector operator'],
    ],
    [
      'In without values',
      { selector: { matchExpressions: [{ key: 'app', operator: 'In' }] } },
      [
        "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
        'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
      ].slice(0, 1),
    ],
    [
      'pods that end',
      { template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } } },
      ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
    ],
    [
      'a template without containers',
      { template: { metadata: template.metadata } },
      ['spec.template.spec.containers: Required value'],
    ],
    [
      'what pods cannot do yet',
      { template: { ...template, spec: { ...template.spec, hostNetwork: true } } },
      ['spec.template.spec.hostNetwork: Forbidden: the network of the host: not supported yet by Podledger'],
    ],
  ])('refuses %s', (_, spec, expected) => {
    expect(texts(set(spec))).toEqual(expected);
  });

  it('refuses one without selector and template', () => {
    const bare = { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name: 'web' }, spec: {} };
    expect(texts(bare)).toEqual(['spec.selector: Required value', 'spec.template: Required value']);
  });

  it('keeps its selector for ever, and nothing else', () => {
    const other = { ...template, metadata: { labels: { app: 'web', v: '2' } } };
    expect(faultsOfChange(set({}), set({ replicas: 3, template: other }))).toEqual([]);
    const changed = set({ selector: { matchLabels: { v: '2' } }, template: other });
    expect(faultsOfChange(set({}), changed).map(({ field, message }) => `${field}: ${message}`)).toEqual([
      'spec.selector: Invalid value: {"matchLabels":{"v":"2"}}: field is immutable',
    ]);
  });
});

describe('validateNamespace', () => {
  const namespace = (name: string, spec: JsonObject = {}): JsonObject => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name },
    spec,
  });

  it('takes DNS labels as names, and no subdomains', () => {
    expect(texts(namespace('shop'))).toEqual([]);
    expect(texts(namespace('shop.example'))[0]).toContain(
      'metadata.name: Invalid value: "shop.example": a lowercase RFC 1123 label',
    );
  });

  it('takes only finalizers with a domain besides its own', () => {
    expect(texts(namespace('shop', { finalizers: ['kubernetes', 'example.com/a'] }))).toEqual([]);
    expect(texts(namespace('shop', { finalizers: ['mine'] }))[0]).toContain(
      'spec.finalizers[0]: Invalid value: "mine"',
    );
  });
});

describe('validateNode', () => {
  const node = (spec: JsonObject): JsonObject => ({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' }, spec });

  it.each<[string, JsonObject, string[]]>([
    [
      'right taints',
      {
        taints: [
          { key: 'a', effect: 'NoSchedule' },
          { key: 'a', effect: 'NoExecute', value: 'x' },
        ],
      },
      [],
    ],
    [
      'a taint without key and effect',
      { taints: [{}] },
      ['spec.taints[0].key: Required value', 'spec.taints[0].effect: Required value'],
    ],
    [
      'another effect',
      { taints: [{ key: 'a', effect: 'X' }] },
      [
        'spec.taints[0].effect: Unsupported value: "X": supported values: "NoExecute", "NoSchedule", "PreferNoSchedule"',
      ],
    ],
    [
      'a taint twice',
      {
        taints: [
          { key: 'a', effect: 'NoSchedule' },
          { key: 'a', effect: 'NoSchedule', value: 'x' },
        ],
      },
      ['spec.taints[1]: Duplicate value: "a:NoSchedule"'],
    ],
  ])('%s', (_, spec, expected) => {
    expect(texts(node(spec))).toEqual(expected);
  });

  it('may be cordoned, and not given other addresses', () => {
    expect(
      faultsOfChange(node({ podCIDR: '10.0.0.0/24' }), node({ podCIDR: '10.0.0.0/24', unschedulable: true })),
    ).toEqual([]);
    expect(
      faultsOfChange(node({ podCIDR: '10.0.0.0/24' }), node({ podCIDR: '10.0.1.0/24' })).map(({ field }) => field),
    ).toEqual(['spec.podCIDR']);
  });
});

describe('validateEvent', () => {
  const event = (more: JsonObject): JsonObject => ({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'e', namespace: 'd' },
    involvedObject: { kind: 'Pod', namespace: 'd' },
    ...more,
  });
  const newEvent = (more: JsonObject): JsonObject => ({
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: 'e', namespace: 'd' },
    regarding: { kind: 'Pod', namespace: 'd' },
    eventTime: '2024-01-01T00:00:00.000000Z',
    reportingController: 'example.com/c',
    reportingInstance: 'i',
    action: 'Act',
    reason: 'Why',
    type: 'Normal',
    ...more,
  });

  it('holds old events to their namespace only', () => {
    expect(texts(event({}))).toEqual([]);
    expect(texts(event({ involvedObject: { namespace: 'other' } }))).toEqual([
      'involvedObject.namespace: Invalid value: "other": does not match event.namespace',
    ]);
  });

  it('lets events of cluster-scoped things lie in default', () => {
    expect(texts(event({ metadata: { name: 'e', namespace: 'default' }, involvedObject: { kind: 'Node' } }))).toEqual(
      [],
    );
    expect(texts(event({ involvedObject: { kind: 'Node' } }))).toHaveLength(1);
  });

  it('lets only the series and the metadata of an event be edited through the newer group', () => {
    const old = newEvent({ eventTime: null, reportingInstance: '', action: '', deprecatedCount: 1 });
    const edited = (before: JsonObject, more: JsonObject): string[] =>
      faultsOfChange(before, { ...before, ...more }).map(({ field }) => field);
    const series = { count: 2, lastObservedTime: '2024-01-01T00:00:01.000000Z' };
    const metadata = { name: 'e', namespace: 'd', labels: { a: 'b' } };
    for (const event of [old, newEvent({})]) expect(edited(event, { series, metadata })).toEqual([]);
    expect(edited(old, { eventTime: undefined })).toEqual([]);
    expect(edited(old, { note: 'else', deprecatedCount: 2 })).toEqual(['note', 'deprecatedCount']);
    expect(edited(newEvent({}), { eventTime: null, reason: 'Else' })).toEqual(['reason', 'eventTime']);
  });

  it('holds new events to everything', () => {
    expect(texts(newEvent({}))).toEqual([]);
    const bare = { eventTime: '', reportingController: '', reportingInstance: '', action: '', reason: '', type: 'Odd' };
    expect(faultsOf(newEvent(bare)).map(({ field }) => field)).toEqual([
      'eventTime',
      'reportingController',
      'reportingInstance',
      'action',
      'reason',
      'type',
    ]);
  });
});
