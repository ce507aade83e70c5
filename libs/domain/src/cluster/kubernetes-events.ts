import type { Recorded } from '../event.js';
import type { JsonObject } from '../json.js';
import { namesOf } from '../meta/kinds.js';
import { rfc3339 } from '../time.js';
import type { EventText, KubernetesEventState, Told } from './kubernetes-event.js';
import type { StoredObject } from './stored-object.js';

/** Seconds after which an Event object that was not seen again leaves the live view. */
export const EVENT_TTL_MS = 3_600_000;

/** Events about cluster-scoped things live where Kubernetes puts them. */
const HOME_OF_CLUSTER_SCOPED = 'default';

/** Objects that one log event says something about, at most. */
const MOST_TEXTS = 4;

/** What no derived Event has, once for all of them: they are most of a busy cluster's objects. */
const NOTHING = { labels: {}, annotations: {}, ownerReferences: [], finalizers: [], managedFields: [] } as const;

/** What makes two occurrences one Event object: the same words about the same object. */
export function identityOf({ about, text }: Pick<Told, 'about' | 'text'>): string {
  return `${about.uid}\n${text.type}\n${text.reason}\n${text.message}\n${text.component}\n${text.container ?? ''}`;
}

/** The object that an Event is about, as it is now. */
export const aboutObject = ({ kind, meta }: StoredObject): Told['about'] => ({
  kind,
  apiVersion: namesOf(kind).apiVersion,
  namespace: meta.namespace,
  name: meta.name,
  uid: meta.uid,
  resourceVersion: meta.resourceVersion,
});

/**
 * The first occurrence of words about an object. Names sort by age, as Kubernetes' do: clients show Events of one second in
 * the order of their list. `nth` tells apart what one log event says about several objects.
 */
export function firstOccurrence(
  object: StoredObject,
  { about, text }: Pick<Told, 'about' | 'text'>,
  event: Recorded,
  nth: number,
): KubernetesEventState {
  const order = (event.revision * MOST_TEXTS + nth).toString(16).padStart(16, '0');
  const host = text.component === 'kubelet' && object.kind === 'Pod' ? object.nodeName : undefined;
  const firstAt = event.time;
  const count = text.count ?? 1;
  return {
    kind: 'Event',
    meta: {
      name: `${about.name}.${order}`,
      namespace: about.namespace || HOME_OF_CLUSTER_SCOPED,
      // The id of the log event that made it: every replica gives the same.
      uid: event.id,
      labels: NOTHING.labels,
      annotations: NOTHING.annotations,
      ownerReferences: NOTHING.ownerReferences,
      finalizers: NOTHING.finalizers,
      createdAt: event.time,
      generation: 0,
      resourceVersion: event.revision,
      managedFields: NOTHING.managedFields,
    },
    told: host === undefined ? { about, text, firstAt, count } : { about, text, host, firstAt, count },
    lastSeenAt: event.time,
  };
}

/** A derived Event after one more occurrence of its words, in those of the newest. */
export function nextOccurrence(
  before: KubernetesEventState & { readonly told: Told },
  text: EventText,
  event: Recorded,
): KubernetesEventState {
  return {
    ...before,
    meta: { ...before.meta, resourceVersion: event.revision },
    told: { ...before.told, count: before.told.count + (text.count ?? 1) },
    lastSeenAt: event.time,
  };
}

/** Core/v1 shape of an Event without kind, apiVersion and metadata. */
export function bodyOfEvent({ body, told, lastSeenAt }: KubernetesEventState): JsonObject {
  if (!told) return body ?? {};
  const { about, text, host, firstAt, count } = told;
  return {
    involvedObject: {
      kind: about.kind,
      ...(about.namespace && { namespace: about.namespace }),
      name: about.name,
      uid: about.uid,
      apiVersion: about.apiVersion,
      resourceVersion: String(about.resourceVersion),
      ...(text.container !== undefined && { fieldPath: `spec.containers{${text.container}}` }),
    },
    reason: text.reason,
    message: text.message,
    source: { component: text.component, ...(host !== undefined && { host }) },
    firstTimestamp: rfc3339(firstAt),
    lastTimestamp: rfc3339(lastSeenAt),
    count,
    type: text.type,
    eventTime: null,
    reportingComponent: text.component,
    reportingInstance: host ?? '',
  };
}

/** The Event object of a client's own making. */
export function recordedEvent(
  stream: string,
  event: Recorded,
  before: KubernetesEventState | undefined,
): KubernetesEventState {
  const { uid, object } = event.data as { readonly uid: string; readonly object: JsonObject };
  const [, , namespace = '', name = ''] = stream.split('/');
  const { metadata, kind: _kind, apiVersion: _apiVersion, ...rest } = object;
  const given = (metadata ?? {}) as {
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
  };
  return {
    kind: 'Event',
    meta: {
      name,
      namespace,
      uid,
      labels: given.labels ?? {},
      annotations: given.annotations ?? {},
      ownerReferences: [],
      finalizers: [],
      createdAt: before?.meta.createdAt ?? event.time,
      generation: 0,
      resourceVersion: event.revision,
      managedFields: [],
    },
    body: rest,
    lastSeenAt: event.time,
  };
}
