import type { Editable } from '../meta/object-meta.js';
import type { PodState } from './pod.js';

/** What clients may edit of a pod. */
export function editablePod(pod: PodState): Editable {
  const { labels, annotations, ownerReferences, finalizers } = pod.meta;
  return { labels, annotations, ownerReferences, finalizers, spec: pod.spec };
}
