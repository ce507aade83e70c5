import type { ClusterEvent, KubernetesEventEvent } from './cluster/kubernetes-event.js';
import type { NamespaceEvent } from './namespace/namespace.js';
import type { NodeEvent } from './node/node.js';
import type { PlainEvent } from './plain/plain-object.js';
import type { PodEvent } from './pod/pod.js';
import type { WorkloadEvent } from './workload/workload.js';

/** Every event there is. */
export type DomainEvent =
  PodEvent | WorkloadEvent | NodeEvent | NamespaceEvent | PlainEvent | KubernetesEventEvent | ClusterEvent;
export type EventType = DomainEvent['type'];

/** Who brings an event about, and why. */
export interface CatalogueEntry {
  readonly producer: 'api' | 'scheduler' | 'executor';
  readonly cause: string;
}

/**
 * What an auditor needs to know of each event type; `docs/events.md` is made from it. Events of an executor are what it
 * reported and the API recorded; those that follow from a report in the same command count as the API's.
 */
export const EVENT_CATALOGUE: Readonly<Record<EventType, CatalogueEntry>> = {
  PodRequested: {
    producer: 'api',
    cause: 'A client created a pod, or the scheduler replaced or added one for a replica set.',
  },
  PodChanged: {
    producer: 'api',
    cause: 'A client edited metadata, spec or status; a reconcile adopted, released or orphaned the pod.',
  },
  PodScheduled: {
    producer: 'scheduler',
    cause: 'A node was found; a client bound the pod; or the request named its node.',
  },
  PodUnschedulable: {
    producer: 'scheduler',
    cause: 'No node fits. Recorded when the set of reasons changes, else at most once a minute.',
  },
  PodSandboxStarted: {
    producer: 'executor',
    cause: 'The container that holds network, IPC and hostname runs and has an address.',
  },
  PodSandboxFailed: {
    producer: 'executor',
    cause: 'The sandbox could not be created or started; tried again with back-off.',
  },
  ImagePullStarted: { producer: 'executor', cause: 'An image is not on the node, or is to be pulled always.' },
  ImagePullProgressed: { producer: 'executor', cause: 'Bytes arrived; at most one in two seconds per container.' },
  ImagePulled: { producer: 'executor', cause: 'The image is on the node.' },
  ImagePullFailed: { producer: 'executor', cause: 'The pull failed, or waits for its next try.' },
  ContainerCreateFailed: {
    producer: 'executor',
    cause: 'A container could not be created; no app container stays, tried again with back-off.',
  },
  ContainerCreated: { producer: 'executor', cause: 'The engine made the container.' },
  ContainerStarted: { producer: 'executor', cause: 'The process runs.' },
  ContainerExited: { producer: 'executor', cause: 'The process ended or could not be started (reason StartError).' },
  ContainerBackingOff: {
    producer: 'executor',
    cause: 'A container that ended waits for its next start (CrashLoopBackOff).',
  },
  ContainerKilling: { producer: 'executor', cause: 'A container is asked to stop; the message says why.' },
  ContainerProbeFailed: {
    producer: 'executor',
    cause: 'A probe failed: for the first time, with a change of what counts, or again after a minute.',
  },
  ContainerStartupSucceeded: { producer: 'executor', cause: 'The startup probe succeeded; the other probes begin.' },
  ContainerReadinessChanged: {
    producer: 'executor',
    cause: 'The readiness probe succeeded or failed as often in a row as its threshold says.',
  },
  PostStartHookSucceeded: {
    producer: 'executor',
    cause: 'The postStart hook is done: the container counts as running.',
  },
  LifecycleHookFailed: {
    producer: 'executor',
    cause: 'A postStart hook failed, which ends its container, or a preStop hook did, which the stop follows.',
  },
  PodInitialized: { producer: 'api', cause: 'A report made all init containers done and all sidecars started.' },
  PodBecameReady: {
    producer: 'api',
    cause: 'All containers are ready, and so is every condition of a readiness gate.',
  },
  PodBecameUnready: {
    producer: 'api',
    cause: 'A container no longer runs or is not ready; or, with all ready, a readiness gate is closed.',
  },
  PodTerminationRequested: {
    producer: 'api',
    cause: 'A client deleted or evicted it; the scheduler scaled down, collected garbage or enforced a taint.',
  },
  PodRefusedByNode: { producer: 'executor', cause: 'The pod was bound past the scheduler and does not fit.' },
  PodTerminated: { producer: 'api', cause: 'The pod ended for good: its containers did, or its node was given up.' },
  PodContainersRemoved: { producer: 'executor', cause: 'Nothing of the pod is left on its node.' },
  PodDeleted: { producer: 'api', cause: 'Deletion was asked for, nothing is left on a node, no finalizer is left.' },
  DaemonSetRequested: { producer: 'api', cause: 'A client created a daemon set.' },
  DaemonSetChanged: {
    producer: 'api',
    cause: 'A client edited metadata, spec or status; garbage collection took off a finalizer.',
  },
  DaemonSetStatusChanged: { producer: 'scheduler', cause: 'Nodes or pods of it came, went or changed.' },
  DaemonSetDeletionRequested: { producer: 'api', cause: 'A client deleted it, or its owner or namespace goes.' },
  DaemonSetDeleted: { producer: 'api', cause: 'Deletion was asked for and no finalizer is left.' },
  DeploymentRequested: {
    producer: 'api',
    cause: 'A client created a deployment. ScaleRequested follows in the same command.',
  },
  DeploymentChanged: {
    producer: 'api',
    cause:
      'A client edited metadata, spec or status; the reconcile noted a revision, garbage collection took off a finalizer.',
  },
  DeploymentStatusChanged: { producer: 'scheduler', cause: 'Its replica sets say otherwise, or time ran out.' },
  DeploymentDeletionRequested: { producer: 'api', cause: 'A client deleted it, or its owner or namespace goes.' },
  DeploymentDeleted: { producer: 'api', cause: 'Deletion was asked for and no finalizer is left.' },
  ReplicaSetRequested: {
    producer: 'api',
    cause:
      'A client created a replica set, or a deployment has a new template. ScaleRequested follows in the same command.',
  },
  CreationRefused: {
    producer: 'scheduler',
    cause: 'What a workload needs was refused. Recorded when the words change, else at most once a minute.',
  },
  ScaleRequested: { producer: 'api', cause: 'Any change of spec.replicas, by any route, creation included.' },
  ReplicaSetChanged: {
    producer: 'api',
    cause: 'A client edited metadata or spec; the reconcile took off a propagation finalizer.',
  },
  ReplicaSetStatusChanged: { producer: 'scheduler', cause: 'The counts of its pods changed.' },
  ReplicaSetDeletionRequested: { producer: 'api', cause: 'A client deleted it, or its owner or namespace goes.' },
  ReplicaSetDeleted: { producer: 'api', cause: 'Deletion was asked for and no finalizer is left.' },
  JobRequested: { producer: 'api', cause: 'A client created a job, or the scheduler did when a cron job was due.' },
  JobChanged: {
    producer: 'api',
    cause: 'A client edited metadata, spec or status; the reconcile took off a propagation finalizer.',
  },
  JobStatusChanged: { producer: 'scheduler', cause: 'The counts of its active, ready or terminating pods changed.' },
  JobStarted: { producer: 'scheduler', cause: 'It was taken up for the first time while not suspended.' },
  JobSuspended: { producer: 'scheduler', cause: 'Its spec asks for a pause: its pods are told to go and not counted.' },
  JobResumed: { producer: 'scheduler', cause: 'The pause is over. Its deadline runs anew.' },
  JobPodsTracked: {
    producer: 'scheduler',
    cause: 'Pods were made for it, in the same command, or adopted: the end of each is to be counted once.',
  },
  JobPodsCounted: {
    producer: 'scheduler',
    cause: 'Pods ended and were counted, each as what; or are no longer its to count.',
  },
  JobDecided: {
    producer: 'scheduler',
    cause: 'It has succeeded or failed, by which rule: nothing more is started, what is left is told to go.',
  },
  JobFinished: { producer: 'scheduler', cause: 'It was decided, and no pod of it is left that has not ended.' },
  JobDeletionRequested: {
    producer: 'api',
    cause: 'A client deleted it, its time to live is over, its cron job keeps no more, or its owner or namespace goes.',
  },
  JobDeleted: { producer: 'api', cause: 'Deletion was asked for and no finalizer is left.' },
  CronJobRequested: { producer: 'api', cause: 'A client created a cron job.' },
  CronJobChanged: {
    producer: 'api',
    cause: 'A client edited metadata, spec or status; the reconcile took off a propagation finalizer.',
  },
  CronJobStatusChanged: { producer: 'scheduler', cause: 'A job of it was made, or was over.' },
  CronJobSkipped: {
    producer: 'scheduler',
    cause: 'No job was made at a time when one was due, and why; told once for each time and reason.',
  },
  CronJobDeletionRequested: { producer: 'api', cause: 'A client deleted it, or its owner or namespace goes.' },
  CronJobDeleted: { producer: 'api', cause: 'Deletion was asked for and no finalizer is left.' },
  NodeJoined: { producer: 'api', cause: 'An executor registered under a new name, or a client created a node object.' },
  NodeRegistered: { producer: 'api', cause: 'An executor registered under a known name: a new epoch begins.' },
  NodeChanged: { producer: 'api', cause: 'A client edited labels, taints or cordon.' },
  NodeBecameReady: {
    producer: 'scheduler',
    cause: 'Its heartbeats arrive again, or say that its container engine is back.',
  },
  NodeBecameNotReady: {
    producer: 'scheduler',
    cause:
      'No heartbeat for 15 s while the scheduler itself was connected, or heartbeats that say that its container engine is away.',
  },
  NodeLost: {
    producer: 'scheduler',
    cause: 'Its pods are given up; reports of the old epoch are refused from here on.',
  },
  NodeDeletionRequested: { producer: 'api', cause: 'A client deleted the node.' },
  NodeDeleted: {
    producer: 'api',
    cause: 'Deletion was asked for and no finalizer is left. Its credential is revoked.',
  },
  NamespaceRequested: {
    producer: 'api',
    cause: 'A client created a namespace; the first start made those of the system.',
  },
  NamespaceChanged: { producer: 'api', cause: 'A client edited its metadata.' },
  NamespaceDeletionRequested: {
    producer: 'api',
    cause: 'A client deleted it. Nothing new is taken into it from here on.',
  },
  NamespaceEmptied: { producer: 'scheduler', cause: 'Everything in it is gone.' },
  NamespaceDeleted: {
    producer: 'scheduler',
    cause: 'It is empty and no finalizer is left. Its Event objects go with it.',
  },
  ConfigMapChanged: { producer: 'api', cause: 'A client wrote or deleted it, or its owner or namespace goes.' },
  SecretChanged: {
    producer: 'api',
    cause: 'A client wrote or deleted it, or its owner or namespace goes. What it holds is ciphertext here.',
  },
  ServiceAccountChanged: {
    producer: 'api',
    cause: 'A client wrote or deleted it; the scheduler made the default one of a namespace.',
  },
  ControllerRevisionChanged: {
    producer: 'scheduler',
    cause: 'A daemon set has another template, went back to an old one, or keeps fewer; a client wrote or deleted it.',
  },
  PriorityClassChanged: {
    producer: 'api',
    cause: 'A client wrote or deleted it; the first start made those of the system.',
  },
  EventRecorded: { producer: 'api', cause: 'A client wrote an Event object of its own.' },
  EventDeleted: { producer: 'api', cause: 'A client deleted an Event object.' },
  EventsExpired: {
    producer: 'scheduler',
    cause: 'Event objects were last seen an hour ago: they leave the live view, not the history.',
  },
  NodesSilentTogether: {
    producer: 'scheduler',
    cause: 'More than half of the nodes, at least two, fell silent: none of their pods are replaced.',
  },
  NodesHeardAgain: { producer: 'scheduler', cause: 'The mass silence is over.' },
  PodNetworkAllocated: { producer: 'api', cause: 'An executor registered a node that had no pod network yet.' },
};
