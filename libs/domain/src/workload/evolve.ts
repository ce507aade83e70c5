import { invariant } from '../errors.js';
import type { Recorded } from '../event.js';
import { afterChange, afterDeletionRequest, newMeta } from '../meta/metadata.js';
import type { Editable } from '../meta/object-meta.js';
import type {
  AnyWorkload,
  BareWorkloadEvent,
  WorkloadEvent,
  WorkloadKind,
  WorkloadShapes,
  WorkloadState,
} from './workload.js';

interface Traits<K extends WorkloadKind> {
  readonly scaled: WorkloadShapes[K]['scaled'];
  readonly initialStatus: WorkloadShapes[K]['status'];
}

const TRAITS: { readonly [K in WorkloadKind]: Traits<K> } = {
  ReplicaSet: {
    scaled: true,
    initialStatus: {
      replicas: 0,
      fullyLabeledReplicas: 0,
      readyReplicas: 0,
      availableReplicas: 0,
      observedGeneration: 0,
    },
  },
};

/** Every kind of workload. */
export const WORKLOAD_KINDS = Object.keys(TRAITS) as readonly WorkloadKind[];

export const isWorkloadKind = (kind: string): kind is WorkloadKind => Object.hasOwn(TRAITS, kind);

/** Narrows an object of any kind to a workload. */
export const isWorkload = <T extends { readonly kind: string }>(
  object: T,
): object is Extract<T, { readonly kind: WorkloadKind }> => isWorkloadKind(object.kind);

/** Whether workloads of a kind have replicas. */
export const isScaledKind = (kind: WorkloadKind): boolean => TRAITS[kind].scaled;

/** What clients may edit of a workload: its spec as they see it, `replicas` included. */
export function editableWorkload({ meta, spec, replicas }: AnyWorkload): Editable {
  const { labels, annotations, ownerReferences, finalizers } = meta;
  return {
    labels,
    annotations,
    ownerReferences,
    finalizers,
    spec: replicas === undefined ? spec : { replicas, ...spec },
  };
}

/** A workload after one more event of its stream; `undefined` once deleted. */
export function evolveWorkload(
  kind: WorkloadKind,
  workload: AnyWorkload | undefined,
  event: Recorded<WorkloadEvent>,
): WorkloadState | undefined {
  // What the log holds of a kind has the shape of that kind.
  return evolve(kind, workload, withoutKind(kind, event)) as WorkloadState | undefined;
}

function evolve(
  kind: WorkloadKind,
  workload: AnyWorkload | undefined,
  event: Recorded<BareWorkloadEvent>,
): AnyWorkload | undefined {
  if (event.type === 'Requested') {
    const { scaled, initialStatus } = TRAITS[kind];
    const { spec } = event.data;
    return { kind, meta: newMeta(event.data, event), spec, status: initialStatus, ...(scaled && { replicas: 0 }) };
  }
  invariant(workload, `${event.type} at revision ${event.revision}, but ${event.stream} holds no ${kind}`);
  const after = step(workload, event);
  return after && { ...after, meta: { ...after.meta, resourceVersion: event.revision } };
}

/** `ReplicaSetChanged` as `Changed`. */
const withoutKind = (kind: WorkloadKind, event: Recorded<WorkloadEvent>): Recorded<BareWorkloadEvent> =>
  (event.type === 'ScaleRequested'
    ? event
    : { ...event, type: event.type.slice(kind.length) }) as Recorded<BareWorkloadEvent>;

function step(
  workload: AnyWorkload,
  event: Recorded<Exclude<BareWorkloadEvent, { type: 'Requested' }>>,
): AnyWorkload | undefined {
  const { meta, spec, status } = workload;
  switch (event.type) {
    case 'ScaleRequested': {
      // The wish that comes with the creation is part of the first generation, that of a larger edit of the edit's.
      const isOwnEdit = event.data.previous !== undefined && !event.data.partOfEdit;
      return {
        ...workload,
        replicas: event.data.replicas,
        meta: isOwnEdit ? { ...meta, generation: meta.generation + 1 } : meta,
      };
    }
    case 'Changed':
      return { ...workload, ...afterChange(meta, { ...editableWorkload(workload), spec }, status, event.data) };
    case 'StatusChanged':
      return { ...workload, status: event.data };
    case 'DeletionRequested':
      return { ...workload, meta: afterDeletionRequest(meta, { ...event.data, gracePeriodSeconds: 0 }, event) };
    case 'Deleted':
      return undefined;
  }
}
