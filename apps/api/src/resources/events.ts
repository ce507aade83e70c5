import {
  alreadyExists,
  checkPreconditions,
  eventStream,
  recordedEvent,
  sameJson,
  wireOf,
  type ClusterState,
  type JsonObject,
  type KubernetesEventEvent,
  type Recorded,
  type StoredObject,
} from '#domain';
import { ageOf } from './age.js';
import { column, nameColumn, wideColumn } from './columns.js';
import { ofKind } from './editing.js';
import type { ChangeOf, Column, CreateRequest, Decided, RemovalRequest, ResourceDefinition } from './resource.js';
import { numberAt, objectAt, selectableField, textAt } from './wire-values.js';

/*
 * Kubernetes Events: most are told by the log (see the domain's `describeEvent`), the others are written by clients. One
 * store, seen through two groups: core/v1, and events.k8s.io/v1 with other names for the same fields.
 */

/** Who tells it: `kubelet, node-1`. */
function source(event: JsonObject): string {
  const component = textAt(event, 'source', 'component') || textAt(event, 'reportingComponent') || '';
  const host = textAt(event, 'source', 'host') || textAt(event, 'reportingInstance') || '';
  return host ? `${component}, ${host}` : component;
}

const firstSeen = (event: JsonObject): string | undefined =>
  textAt(event, 'firstTimestamp') ?? textAt(event, 'eventTime') ?? textAt(event, 'metadata', 'creationTimestamp');

const lastSeen = (event: JsonObject): string | undefined =>
  textAt(event, 'series', 'lastObservedTime') ?? textAt(event, 'lastTimestamp') ?? firstSeen(event);

const columns: readonly Column[] = [
  column('Last Seen', 'When it was seen last.', (event, now) => ageOf(lastSeen(event), now)),
  column('Type', 'Normal or Warning.', (event) => textAt(event, 'type') ?? ''),
  column('Reason', 'A word for it.', (event) => textAt(event, 'reason') ?? ''),
  column('Object', 'What it is about.', (event) => {
    const about = objectAt(event, 'involvedObject');
    return `${(textAt(about, 'kind') ?? '').toLowerCase()}/${textAt(about, 'name') ?? ''}`;
  }),
  wideColumn(
    'Subobject',
    'The part of the object it is about.',
    (event) => textAt(event, 'involvedObject', 'fieldPath') ?? '',
  ),
  wideColumn('Source', 'Who tells it.', source),
  column('Message', 'What happened, in words.', (event) => (textAt(event, 'message') ?? '').trim()),
  wideColumn('First Seen', 'When it was seen first.', (event, now) => ageOf(firstSeen(event), now)),
  wideColumn('Count', 'How often it was seen.', (event) =>
    String(Math.max(1, numberAt(event, 'series', 'count') || numberAt(event, 'count'))),
  ),
  { ...nameColumn, priority: 1 },
];

const involved = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'] as const;

const about = (object: 'involvedObject' | 'regarding'): ResourceDefinition['fields'] =>
  Object.fromEntries(involved.map((field) => [`${object}.${field}`, selectableField(`${object}.${field}`)]));

/** The object as the log keeps it: without what the server sets. */
function body({ metadata, ...rest }: JsonObject): JsonObject {
  return { ...rest, metadata: { ...pick(metadata, 'labels'), ...pick(metadata, 'annotations') } };
}

function pick(metadata: JsonObject[string], field: string): JsonObject {
  const value = objectAt(metadata, field);
  return Object.keys(value).length > 0 ? { [field]: value } : {};
}

function record({ namespace, name, meta, object }: CreateRequest, state: ClusterState): KubernetesEventEvent[] {
  if (state.get(eventStream(namespace, name))) throw alreadyExists('Event', name);
  return [{ type: 'EventRecorded', data: { uid: meta.uid, object: body(object), fieldManager: meta.fieldManager } }];
}

function edit({ before, after, preconditions, fieldManager }: ChangeOf, current: StoredObject): Decided {
  const { meta } = ofKind('Event', current);
  checkPreconditions('Event', meta, preconditions);
  if (sameJson(body(before), body(after))) return [];
  return [{ type: 'EventRecorded', data: { uid: meta.uid, object: body(after), fieldManager } }];
}

function remove({ preconditions }: RemovalRequest, current: StoredObject): Decided {
  const { meta } = ofKind('Event', current);
  checkPreconditions('Event', meta, preconditions);
  return [{ type: 'EventDeleted', data: { uid: meta.uid } }];
}

function evolve(current: StoredObject | undefined, event: Recorded): StoredObject | undefined {
  if (event.type !== 'EventRecorded') return undefined;
  return recordedEvent(event.stream, event, current && ofKind('Event', current));
}

/** core/v1 Event. */
export const events: ResourceDefinition = {
  group: '',
  version: 'v1',
  plural: 'events',
  singular: 'event',
  kind: 'Event',
  stored: 'Event',
  namespaced: true,
  verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
  shortNames: ['ev'],
  subresources: [],
  columns,
  fields: {
    ...about('involvedObject'),
    reason: selectableField('reason'),
    reportingComponent: selectableField('reportingComponent'),
    source: (event) => textAt(event, 'source', 'component') ?? textAt(event, 'reportingComponent'),
    type: selectableField('type'),
  },
  streamOf: eventStream,
  wire: wireOf,
  create: record,
  change: edit,
  remove,
  evolve,
};

/** Names of one field in core/v1 and in events.k8s.io/v1. */
const renamed: readonly (readonly [core: string, events: string])[] = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['reportingComponent', 'reportingController'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
];
const toEventsGroup = new Map(renamed);
const toCore = new Map(renamed.map(([core, other]) => [other, core] as const));

const rename = (object: JsonObject, names: ReadonlyMap<string, string>, apiVersion: string): JsonObject => ({
  ...Object.fromEntries(Object.entries(object).map(([field, value]) => [names.get(field) ?? field, value])),
  apiVersion,
});

const coreForm = (object: JsonObject): JsonObject => rename(object, toCore, 'v1');

/** events.k8s.io/v1 Event: the same objects under other field names. */
export const eventsOfEventsGroup: ResourceDefinition = {
  ...events,
  group: 'events.k8s.io',
  columns: columns.map((one) => ({ ...one, cell: (object, now) => one.cell(coreForm(object), now) })),
  fields: {
    ...about('regarding'),
    reason: selectableField('reason'),
    reportingController: selectableField('reportingController'),
    type: selectableField('type'),
  },
  wire: (object) => rename(wireOf(object), toEventsGroup, 'events.k8s.io/v1'),
  create: (request, state) => record({ ...request, object: coreForm(request.object) }, state),
  change: (request, current) =>
    edit({ ...request, before: coreForm(request.before), after: coreForm(request.after) }, current),
};
