import type { PodState } from '../pod/pod.js';
import { identityOf } from './kubernetes-events.js';
import type { Told } from './kubernetes-event.js';
import type { Kind, ObjectOf, StoredObject } from './stored-object.js';

/** Live objects by stream, with the look-ups that rules need. Every index follows from the objects alone. */
export class ObjectIndex {
  private readonly objects = new Map<string, StoredObject>();
  /** Streams by kind and namespace. */
  private readonly places = new Map<Kind, Map<string, Set<string>>>();
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

  *all<K extends Kind>(kind: K): Iterable<ObjectOf<K>> {
    for (const streams of this.places.get(kind)?.values() ?? [])
      for (const stream of streams) yield this.objects.get(stream) as ObjectOf<K>;
  }

  /** Puts an object in the place of another of its stream. Most changes touch no index, and replay makes millions. */
  replace(stream: string, before: StoredObject | undefined, after: StoredObject | undefined): void {
    if (after) this.objects.set(stream, after);
    else this.objects.delete(stream);
    const was = before?.meta;
    const is = after?.meta;
    if (!was || !is) this.place(stream, before, after);
    if (was?.uid !== is?.uid) {
      if (was) this.uids.delete(was.uid);
      // Nobody asks for a derived Event by its uid, and they are most of a busy cluster's objects.
      if (is && !toldBy(after)) this.uids.set(is.uid, stream);
    }
    if (was?.ownerReferences !== is?.ownerReferences) {
      for (const { uid } of was?.ownerReferences ?? []) drop(this.owners, uid, stream);
      for (const { uid } of is?.ownerReferences ?? []) add(this.owners, uid, stream);
    }
    const left = nodeOf(before);
    const entered = nodeOf(after);
    if (left !== entered) {
      if (left !== undefined) drop(this.onNode, left, stream);
      if (entered !== undefined) add(this.onNode, entered, stream);
    }
    const telling = toldBy(before);
    const tells = toldBy(after);
    if (telling && !tells) this.told.delete(identityOf(telling));
    if (tells && !telling) this.told.set(identityOf(tells), stream);
  }

  private place(stream: string, before: StoredObject | undefined, after: StoredObject | undefined): void {
    const object = after ?? before;
    if (!object) return;
    const namespaces = this.places.get(object.kind) ?? new Map<string, Set<string>>();
    this.places.set(object.kind, namespaces);
    if (after) add(namespaces, after.meta.namespace, stream);
    else drop(namespaces, object.meta.namespace, stream);
  }

  list(kind: Kind, namespace?: string): StoredObject[] {
    const places = this.places.get(kind);
    if (namespace !== undefined) return this.resolve(places?.get(namespace));
    return this.resolve([...(places?.values() ?? [])].flatMap((streams) => [...streams]));
  }

  byUid(uid: string): StoredObject | undefined {
    const stream = this.uids.get(uid);
    return stream === undefined ? undefined : this.objects.get(stream);
  }

  /** The derived Event that tells these words about this object. */
  eventThatTells(words: Pick<Told, 'about' | 'text'>): string | undefined {
    return this.told.get(identityOf(words));
  }

  podsOnNode(node: string): PodState[] {
    return this.resolve(this.onNode.get(node)).filter((object): object is PodState => object.kind === 'Pod');
  }

  dependentsOf(ownerUid: string): StoredObject[] {
    return this.resolve(this.owners.get(ownerUid));
  }

  /** Everything in a namespace but Events. */
  inNamespace(namespace: string): StoredObject[] {
    const kinds = [...this.places].filter(([kind]) => kind !== 'Event');
    return this.resolve(kinds.flatMap(([, namespaces]) => [...(namespaces.get(namespace) ?? [])]));
  }

  private resolve(streams: Iterable<string> = []): StoredObject[] {
    return [...streams].sort().flatMap((stream) => this.objects.get(stream) ?? []);
  }
}

const toldBy = (object: StoredObject | undefined): Told | undefined =>
  object?.kind === 'Event' ? object.told : undefined;
const nodeOf = (object: StoredObject | undefined): string | undefined =>
  object?.kind === 'Pod' ? object.nodeName : undefined;

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
