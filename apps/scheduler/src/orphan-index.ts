import { type ChildKind, type ChildState, type ClusterState, controllerOf, isChild, refOf } from '#domain';

/** Objects of a kind without a controller, by namespace: those a workload may adopt, without looking through all there are. */
export class OrphanIndex {
  readonly #streams = new Map<string, Set<string>>();

  constructor(private readonly kind: ChildKind) {}

  /** Notes what a stream holds now. */
  set(stream: string, object: ChildState | undefined): void {
    const { namespace } = refOf(stream);
    const orphans = this.#streams.get(namespace) ?? new Set();
    if (object && !controllerOf(object)) orphans.add(stream);
    else orphans.delete(stream);
    if (orphans.size > 0) this.#streams.set(namespace, orphans);
    else this.#streams.delete(namespace);
  }

  *of(namespace: string, state: ClusterState): Iterable<ChildState> {
    for (const stream of this.#streams.get(namespace) ?? []) {
      const object = state.get(stream);
      if (object && isChild(object) && object.kind === this.kind) yield object;
    }
  }
}
