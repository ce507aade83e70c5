import { evolveCronJob } from '../cron-job/evolve.js';
import { invariant } from '../errors.js';
import type { EventEnvelope, Recorded } from '../event.js';
import { withOwnSelector } from '../job/defaults.js';
import { evolveJob } from '../job/evolve.js';
import { NEW_JOB_LEDGER, NEW_JOB_STATUS } from '../job/job.js';
import type { JsonObject } from '../json.js';
import { afterChange, afterDeletionRequest, newMeta } from '../meta/metadata.js';
import type { Editable, RequestedMeta } from '../meta/object-meta.js';
import type {
  AnyWorkload,
  BareWorkloadEvent,
  WorkloadEvent,
  WorkloadFact,
  WorkloadKind,
  WorkloadShapes,
  WorkloadState,
} from './workload.js';

interface Traits<K extends WorkloadKind> {
  readonly scaled: WorkloadShapes[K]['scaled'];
  readonly initialStatus: WorkloadShapes[K]['status'];
  readonly initialLedger?: WorkloadShapes[K]['ledger'];
  /** What a new workload gets that its name and uid are needed for. */
  admit?(requested: Requested): Requested;
  /** Status and ledger after a fact of the kind's own. */
  fold?(
    workload: Pick<WorkloadShapes[K], 'spec' | 'status' | 'ledger'>,
    fact: WorkloadShapes[K]['fact'],
    event: Pick<EventEnvelope, 'time'>,
  ): Pick<WorkloadShapes[K], 'status' | 'ledger'>;
}

/** A workload as it is asked for. */
export interface Requested {
  readonly name: string;
  readonly meta: RequestedMeta;
  readonly spec: JsonObject;
}

/** The same of any kind. What the log holds of a kind has the shape of that kind. */
interface AnyTraits {
  fold?(
    workload: Pick<AnyWorkload, 'spec' | 'status' | 'ledger'>,
    fact: WorkloadFact,
    event: Pick<EventEnvelope, 'time'>,
  ): { readonly status: JsonObject; readonly ledger: JsonObject | undefined };
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
  DaemonSet: {
    scaled: false,
    initialStatus: {
      currentNumberScheduled: 0,
      numberMisscheduled: 0,
      desiredNumberScheduled: 0,
      numberReady: 0,
      observedGeneration: 0,
      updatedNumberScheduled: 0,
      numberAvailable: 0,
      numberUnavailable: 0,
    },
  },
  Deployment: {
    scaled: true,
    initialStatus: {
      observedGeneration: 0,
      replicas: 0,
      updatedReplicas: 0,
      readyReplicas: 0,
      availableReplicas: 0,
      unavailableReplicas: 0,
    },
  },
  Job: {
    scaled: false,
    initialStatus: NEW_JOB_STATUS,
    initialLedger: NEW_JOB_LEDGER,
    admit: withOwnSelector,
    fold: evolveJob,
  },
  CronJob: { scaled: false, initialStatus: {}, initialLedger: {}, fold: evolveCronJob },
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

/** A workload as it is taken in: with what only its name and uid can tell. */
export const admitted = (kind: WorkloadKind, requested: Requested): Requested =>
  TRAITS[kind].admit?.(requested) ?? requested;

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
    const { scaled, initialStatus, initialLedger } = TRAITS[kind];
    const { spec } = event.data;
    return {
      kind,
      meta: newMeta(event.data, event),
      spec,
      status: initialStatus,
      ...(scaled && { replicas: 0 }),
      ...(initialLedger && { ledger: initialLedger }),
    };
  }
  invariant(workload, `${event.type} at revision ${event.revision}, but ${event.stream} holds no ${kind}`);
  const after = step(workload, event);
  if (after === workload) return workload;
  return after && { ...after, meta: { ...after.meta, resourceVersion: event.revision } };
}

/** `ReplicaSetChanged` as `Changed`. */
const withoutKind = (kind: WorkloadKind, event: Recorded<WorkloadEvent>): Recorded<BareWorkloadEvent> =>
  (event.type === 'ScaleRequested' || event.type === 'CreationRefused'
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
    case 'CreationRefused':
      return workload;
    default:
      return withFact(workload, event);
  }
}

function withFact(workload: AnyWorkload, fact: Recorded<WorkloadFact>): AnyWorkload {
  const { fold }: AnyTraits = TRAITS[workload.kind];
  invariant(fold, `${workload.kind} knows nothing of ${fact.type}`);
  return { ...workload, ...fold(workload, fact, fact) };
}
