import { type ClusterState, type PodState, refOf } from '#domain';
import { podAt } from './objects.js';

/** Pods without a controller, by namespace: those a replica set may adopt, without looking through all pods there are. */
export class OrphanIndex {
  readonly #streams = new Map<string, Set<string>>();

  /** Notes what a stream holds now. */
  set(stream: string, pod: PodState | undefined): void {
    const { namespace } = refOf(stream);
    const orphans = this.#streams.get(namespace) ?? new Set();
    if (pod && !pod.meta.ownerReferences.some(({ controller }) => controller === true)) orphans.add(stream);
    else orphans.delete(stream);
    if (orphans.size > 0) this.#streams.set(namespace, orphans);
    else this.#streams.delete(namespace);
  }

  *of(namespace: string, state: ClusterState): Iterable<PodState> {
    for (const stream of this.#streams.get(namespace) ?? []) {
      const pod = podAt(state, stream);
      if (pod) yield pod;
    }
  }
}
