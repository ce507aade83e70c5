import { invariant } from '../errors.js';
import { KINDS } from '../meta/kinds.js';
import type { PodState } from '../pod/pod.js';
import type { Kind, ObjectOf, StoredObject } from './stored-object.js';

/** Live objects by stream, with the look-ups that rules need. Every index follows from the objects alone. */
export class ObjectIndex {
  private readonly objects = new Map<string, StoredObject>();
  private readonly kinds = new Map(KINDS.map(({ kind }) => [kind, new Map<string, StoredObject>()]));
  private readonly namespaces = new Map<string, Set<string>>();
  private readonly uids = new Map<string, string>();
  private readonly onNode = new Map<string, Set<string>>();
  private readonly owners = new Map<string, Set<string>>();
  private readonly told = new Map<string, string>();

  get(stream: string): StoredObject | undefined {
    return this.objects.get(stream);
  }

  entries(): Iterable<readonly [string, StoredObject]> {
    return this.objects;
  }

  all<K extends Kind>(kind: K): Iterable<ObjectOf<K>> {
    return this.ofKind(kind).values() as Iterable<ObjectOf<K>>;
  }

  set(stream: string, object: StoredObject | undefined): void {
    const before = this.objects.get(stream);
    if (before) this.forget(stream, before, object);
    if (!object) {
      this.objects.delete(stream);
      return;
    }
    this.objects.set(stream, object);
    this.ofKind(object.kind).set(stream, object);
    this.uids.set(object.meta.uid, stream);
    if (object.meta.namespace) add(this.namespaces, object.meta.namespace, stream);
    for (const { uid } of object.meta.ownerReferences) add(this.owners, uid, stream);
    if (object.kind === 'Pod' && object.nodeName !== undefined) add(this.onNode, object.nodeName, stream);
    if (object.kind === 'Event' && object.identity !== undefined) this.told.set(object.identity, stream);
  }

  private forget(stream: string, before: StoredObject, next: StoredObject | undefined): void {
    if (before.meta.uid !== next?.meta.uid) this.uids.delete(before.meta.uid);
    for (const { uid } of before.meta.ownerReferences) drop(this.owners, uid, stream);
    if (next) return;
    this.ofKind(before.kind).delete(stream);
    if (before.meta.namespace) drop(this.namespaces, before.meta.namespace, stream);
    if (before.kind === 'Pod' && before.nodeName !== undefined) drop(this.onNode, before.nodeName, stream);
    if (before.kind === 'Event' && before.identity !== undefined) this.told.delete(before.identity);
  }

  list(kind: Kind, namespace?: string): StoredObject[] {
    const found =
      namespace === undefined
        ? [...this.ofKind(kind)]
        : [...(this.namespaces.get(namespace) ?? [])].flatMap((stream): [string, StoredObject][] => {
            const object = this.objects.get(stream);
            return object?.kind === kind ? [[stream, object]] : [];
          });
    return found.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, object]) => object);
  }

  byUid(uid: string): StoredObject | undefined {
    const stream = this.uids.get(uid);
    return stream === undefined ? undefined : this.objects.get(stream);
  }

  /** The stream of the derived Event of that identity. */
  streamOfEvent(identity: string): string | undefined {
    return this.told.get(identity);
  }

  podsOnNode(node: string): PodState[] {
    return this.resolve(this.onNode.get(node)).filter((object): object is PodState => object.kind === 'Pod');
  }

  dependentsOf(ownerUid: string): StoredObject[] {
    return this.resolve(this.owners.get(ownerUid));
  }

  inNamespace(namespace: string): StoredObject[] {
    return this.resolve(this.namespaces.get(namespace));
  }

  private ofKind(kind: Kind): Map<string, StoredObject> {
    const known = this.kinds.get(kind);
    invariant(known, `no such kind: ${kind}`);
    return known;
  }

  private resolve(streams: Iterable<string> = []): StoredObject[] {
    return [...streams].sort().flatMap((stream) => this.objects.get(stream) ?? []);
  }
}

function add(index: Map<string, Set<string>>, key: string, stream: string): void {
  const known = index.get(key);
  if (known) known.add(stream);
  else index.set(key, new Set([stream]));
}

function drop(index: Map<string, Set<string>>, key: string, stream: string): void {
  const known = index.get(key);
  known?.delete(stream);
  if (known?.size === 0) index.delete(key);
}
