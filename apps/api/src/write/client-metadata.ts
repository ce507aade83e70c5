import { sameJson, type JsonObject, type Preconditions } from '#domain';
import { objectAt, textAt } from '../resources/wire-values.js';

/** Of a new object's metadata, what is the client's to say. */
export function newMetadata(sent: JsonObject, name: string, namespace: string): JsonObject {
  const { labels, annotations, ownerReferences, finalizers, generateName } = objectAt(sent, 'metadata');
  return Object.fromEntries(
    Object.entries({ name, namespace, generateName, labels, annotations, ownerReferences, finalizers }).filter(
      ([, value]) => value !== undefined && value !== '' && !sameJson(value, {}),
    ),
  );
}

/** What a client that sends an object back expects to find. */
export function preconditionsOf(object: JsonObject): Preconditions {
  const uid = textAt(object, 'metadata', 'uid');
  const resourceVersion = textAt(object, 'metadata', 'resourceVersion');
  return { ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) };
}

/** A dry run's object has no version: there is nothing it could be compared with. */
export function withoutVersion(wire: JsonObject): JsonObject {
  const { resourceVersion: _, ...metadata } = objectAt(wire, 'metadata');
  return { ...wire, metadata };
}
