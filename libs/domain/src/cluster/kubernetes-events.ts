import type { Recorded } from '../event.js';
import { stableHash } from '../hash.js';
import type { JsonObject } from '../json.js';
import { namesOf } from '../meta/kinds.js';
import { eventStream } from '../stream.js';
import { rfc3339 } from '../time.js';
import type { EventText } from './describe-event.js';
import type { KubernetesEventState } from './kubernetes-event.js';
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
export function identityOfText({ meta }: StoredObject, text: EventText): string {
  return stableHash([meta.uid, text.type, text.reason, text.message, text.component, text.container ?? ''].join('\n'));
}

/**
 * The stream of a new Event object. Names sort by age, as Kubernetes' do: clients show Events of one second in the order of
 * their list. `nth` tells apart what one log event says about several objects.
 */
export function streamOfText({ meta }: StoredObject, event: Recorded, nth: number): string {
  const { namespace, name } = meta;
  const order = (event.revision * MOST_TEXTS + nth).toString(16).padStart(16, '0');
  return eventStream(namespace || HOME_OF_CLUSTER_SCOPED, `${name}.${order}`);
}

/** The Event object after one more occurrence of the same words. */
export function occurrence(
  before: KubernetesEventState | undefined,
  stream: string,
  object: StoredObject,
  text: EventText,
  identity: string,
  event: Recorded,
): KubernetesEventState {
  if (before) {
    const count = Number(before.body['count'] ?? 1) + (text.count ?? 1);
    return {
      ...before,
      meta: { ...before.meta, resourceVersion: event.revision },
      body: { ...before.body, count, lastTimestamp: rfc3339(event.time) },
      lastSeenAt: event.time,
    };
  }
  const [, , namespace = '', name = ''] = stream.split('/');
  return {
    kind: 'Event',
    meta: {
      name,
      namespace,
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
    body: body(object, text, event),
    identity,
    lastSeenAt: event.time,
  };
}

function body(object: StoredObject, text: EventText, event: Recorded): JsonObject {
  const { kind, meta } = object;
  const at = rfc3339(event.time);
  const host = text.component === 'kubelet' && kind === 'Pod' ? object.nodeName : undefined;
  return {
    involvedObject: {
      kind,
      ...(meta.namespace && { namespace: meta.namespace }),
      name: meta.name,
      uid: meta.uid,
      apiVersion: namesOf(kind).apiVersion,
      resourceVersion: String(meta.resourceVersion),
      ...(text.container !== undefined && { fieldPath: `spec.containers{${text.container}}` }),
    },
    reason: text.reason,
    message: text.message,
    source: { component: text.component, ...(host !== undefined && { host }) },
    firstTimestamp: at,
    lastTimestamp: at,
    count: text.count ?? 1,
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
