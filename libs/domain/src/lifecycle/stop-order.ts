import type { AssignedPod } from '../node/assigned-pod.js';
import { allContainersOf, isSidecar, isInitContainer, sidecarsOf } from '../pod/container-kinds.js';
import { dependenciesOf, dependentsOf } from './dependencies.js';

/** Names of the containers that must have ended before one of this name is asked to stop. */
export type StopOrder = (name: string) => ReadonlySet<string>;

const NONE: ReadonlySet<string> = new Set();

/** All at once: of a pod whose spec is not known any more. */
export const atOnce: StopOrder = () => NONE;

/**
 * The order in which a pod's containers stop: those that depend on others before them, sidecars last, in the reverse of the
 * order in which they were begun (https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/).
 */
export function stopOrderOf({ spec, annotations }: Pick<AssignedPod, 'spec' | 'annotations'>): StopOrder {
  const dependencies = dependenciesOf(annotations);
  const sidecars = sidecarsOf(spec).map(({ name }) => name);
  const others = allContainersOf(spec)
    .filter((container) => !(isSidecar(container) && isInitContainer(spec, container.name)))
    .map(({ name }) => name);
  const before = new Map<string, ReadonlySet<string>>(others.map((name) => [name, dependentsOf(dependencies, name)]));
  for (const [index, name] of sidecars.entries()) before.set(name, new Set([...others, ...sidecars.slice(index + 1)]));
  return (name) => before.get(name) ?? NONE;
}
