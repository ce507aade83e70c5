import type { Container, PodSpec } from './pod-spec.js';

/*
 * The kinds of containers a pod has. Names are unique among all of them:
 * https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/
 */

/** As much of a spec as says which containers there are. */
export type ContainerLists = Pick<PodSpec, 'containers' | 'initContainers'>;

const NONE: readonly Container[] = [];

/** Init containers, sidecars among them, in the order in which they are begun. */
export const initContainersOf = ({ initContainers = NONE }: ContainerLists): readonly Container[] => initContainers;

/** Of an init container: it goes on beside the app containers, and is begun again whenever it ends. */
export const isSidecar = ({ restartPolicy }: Container): boolean => restartPolicy === 'Always';

/** Sidecars in the order in which they are begun. */
export const sidecarsOf = (spec: ContainerLists): readonly Container[] => initContainersOf(spec).filter(isSidecar);

/** All containers, in the order in which they are begun. */
export const allContainersOf = (spec: ContainerLists): readonly Container[] =>
  spec.initContainers ? [...spec.initContainers, ...spec.containers] : spec.containers;

export const containerNamed = (spec: ContainerLists, name: string): Container | undefined =>
  allContainersOf(spec).find((container) => container.name === name);

/** A container of the spec of which it is not known by its name alone whether it is an init container. */
export const isInitContainer = (spec: ContainerLists, name: string): boolean =>
  initContainersOf(spec).some((container) => container.name === name);
