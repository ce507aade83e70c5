import type { Millis, NewEvent } from '../event.js';
import type { Json, JsonObject } from '../json.js';
import type {
  ChangeRequest,
  ChangedData,
  ObjectMeta,
  Preconditions,
  Propagation,
  RequestedMeta,
} from '../meta/object-meta.js';
import type { PlacementRecord } from '../scheduling/placement-record.js';
import type { PodSpec } from './pod-spec.js';

/** Why a pod was told to end. */
export type TerminationReason =
  'Requested' | 'Evicted' | 'ScaledDown' | 'OwnerGone' | 'NamespaceTerminating' | 'TaintNotTolerated' | 'NodeLost';

/** How one container ended. Times are the engine's. */
export interface Termination {
  readonly containerId: string;
  readonly exitCode: number;
  /** Number of the signal it died of, when it did. */
  readonly signal?: number;
  readonly reason: 'Completed' | 'Error' | 'OOMKilled' | 'StartError' | 'ContainerStatusUnknown';
  readonly message?: string;
  readonly startedAt?: Millis;
  readonly finishedAt: Millis;
  /** It ended with its engine or host, not by its own doing: tried again unless the policy is Never, and never a success. */
  readonly infrastructure?: boolean;
  /** The node stopped it only to make it anew (its definition was edited, or all containers restart): begun again under any policy. */
  readonly replaced?: boolean;
  /** The node stopped it because a probe or its postStart hook failed for good: it has failed, whatever the code. */
  readonly condemned?: boolean;
}

/** What one node saw of one pod. `id` makes a repeat recognisable: container id + fact. */
export type PodFact = { readonly id: string } & (
  | NewEvent<'PodSandboxStarted', PodSandboxStarted>
  | NewEvent<'PodSandboxFailed', PodSandboxFailed>
  | NewEvent<'ImagePullStarted', ImagePullStarted>
  | NewEvent<'ImagePullProgressed', ImagePullProgressed>
  | NewEvent<'ImagePulled', ImagePulled>
  | NewEvent<'ImagePullFailed', ImagePullFailed>
  | NewEvent<'ContainerCreateFailed', ContainerCreateFailed>
  | NewEvent<'ContainerCreated', ContainerCreated>
  | NewEvent<'ContainerStarted', ContainerStarted>
  | NewEvent<'ContainerExited', ContainerExited>
  | NewEvent<'ContainerBackingOff', ContainerBackingOff>
  | NewEvent<'ContainerKilling', ContainerKilling>
  | NewEvent<'ContainerProbeFailed', ContainerProbeFailed>
  | NewEvent<'ContainerStartupSucceeded', ContainerRun>
  | NewEvent<'ContainerReadinessChanged', ContainerReadinessChanged>
  | NewEvent<'PostStartHookSucceeded', ContainerRun>
  | NewEvent<'LifecycleHookFailed', LifecycleHookFailed>
  | NewEvent<'PodRefusedByNode', PodRefusedByNode>
  | NewEvent<'PodContainersRemoved', PodContainersRemoved>
);

export interface PodSandboxStarted {
  readonly attempt: number;
  readonly sandboxId: string;
  readonly ip: string;
  readonly hostIP: string;
}
export interface PodSandboxFailed {
  readonly message: string;
  readonly retryAt: Millis;
}
export interface ImagePullStarted {
  readonly container: string;
  readonly image: string;
}
export interface ImagePullProgressed {
  readonly container: string;
  readonly image: string;
  readonly bytesDone: number;
  readonly bytesTotal: number;
}
export interface ImagePulled {
  readonly container: string;
  readonly image: string;
  readonly imageId: string;
  readonly alreadyPresent: boolean;
  readonly durationMs: number;
}
export interface ImagePullFailed {
  readonly container: string;
  readonly image: string;
  readonly reason: 'ErrImagePull' | 'ImagePullBackOff' | 'ErrImageNeverPull' | 'InvalidImageName';
  readonly message: string;
  /** Next try; absent when it is not tried again. */
  readonly retryAt?: Millis;
}
export interface ContainerCreateFailed {
  readonly container: string;
  readonly reason: 'CreateContainerError' | 'CreateContainerConfigError';
  readonly message: string;
  readonly retryAt: Millis;
}
export interface ContainerCreated {
  readonly container: string;
  readonly attempt: number;
  readonly containerId: string;
}
export interface ContainerStarted {
  readonly container: string;
  /** The container's restartCount. */
  readonly attempt: number;
  readonly containerId: string;
  readonly imageId: string;
  readonly startedAt: Millis;
}
export interface ContainerExited extends Termination {
  readonly container: string;
  readonly attempt: number;
}
export interface ContainerBackingOff {
  readonly container: string;
  readonly attempt: number;
  readonly retryAt: Millis;
  readonly message: string;
}
/** Someone asked it to stop, and why, in words. */
export interface ContainerKilling {
  readonly container: string;
  readonly containerId: string;
  readonly message: string;
}
/** One run of a container. */
export interface ContainerRun {
  readonly container: string;
  readonly containerId: string;
}
/** Not each failure is told: the first, those that change something, and else one a minute. */
export interface ContainerProbeFailed extends ContainerRun {
  readonly probe: 'startup' | 'readiness' | 'liveness';
  readonly message: string;
  /** Failures since one was told last, this one included. */
  readonly count: number;
  /** It was one too many: the container is killed for it. */
  readonly condemned?: boolean;
}
export interface ContainerReadinessChanged extends ContainerRun {
  readonly ready: boolean;
}
export interface LifecycleHookFailed extends ContainerRun {
  readonly hook: 'postStart' | 'preStop';
  readonly message: string;
}
export interface PodRefusedByNode {
  readonly reason: 'OutOfcpu' | 'OutOfmemory' | 'OutOfpods' | 'NodePorts' | 'NodeAffinity';
  readonly message: string;
}
/** Every container, volume and sandbox of the pod is gone from the node. */
export interface PodContainersRemoved {
  readonly node: string;
}

/** Everything that can happen to a pod. */
export type PodEvent =
  | NewEvent<
      'PodRequested',
      RequestedMeta & { readonly spec: PodSpec; readonly mainContainer: string; readonly sharedFate: boolean }
    >
  | NewEvent<'PodChanged', ChangedData>
  | NewEvent<
      'PodScheduled',
      {
        readonly uid: string;
        readonly node: string;
        readonly by: 'scheduler' | 'binding' | 'request';
        readonly record?: PlacementRecord;
      }
    >
  | NewEvent<'PodUnschedulable', { readonly uid: string; readonly message: string; readonly record: PlacementRecord }>
  | NewEvent<'PodSandboxStarted', PodSandboxStarted>
  | NewEvent<'PodSandboxFailed', PodSandboxFailed>
  | NewEvent<'ImagePullStarted', ImagePullStarted>
  | NewEvent<'ImagePullProgressed', ImagePullProgressed>
  | NewEvent<'ImagePulled', ImagePulled>
  | NewEvent<'ImagePullFailed', ImagePullFailed>
  | NewEvent<'ContainerCreateFailed', ContainerCreateFailed>
  | NewEvent<'ContainerCreated', ContainerCreated>
  | NewEvent<'ContainerStarted', ContainerStarted>
  | NewEvent<'ContainerExited', ContainerExited>
  | NewEvent<'ContainerBackingOff', ContainerBackingOff>
  | NewEvent<'ContainerKilling', ContainerKilling>
  | NewEvent<'ContainerProbeFailed', ContainerProbeFailed>
  | NewEvent<'ContainerStartupSucceeded', ContainerRun>
  | NewEvent<'ContainerReadinessChanged', ContainerReadinessChanged>
  | NewEvent<'PostStartHookSucceeded', ContainerRun>
  | NewEvent<'LifecycleHookFailed', LifecycleHookFailed>
  | NewEvent<'PodInitialized', Record<string, never>>
  | NewEvent<'PodBecameReady', Record<string, never>>
  | NewEvent<'PodBecameUnready', { readonly reason: string; readonly message: string }>
  | NewEvent<
      'PodTerminationRequested',
      {
        readonly gracePeriodSeconds: number;
        readonly propagation: Propagation;
        readonly reason: TerminationReason;
        readonly message?: string;
      }
    >
  | NewEvent<'PodRefusedByNode', PodRefusedByNode>
  | NewEvent<
      'PodTerminated',
      { readonly phase: 'Succeeded' | 'Failed'; readonly reason?: string; readonly message?: string }
    >
  | NewEvent<'PodContainersRemoved', PodContainersRemoved>
  | NewEvent<'PodDeleted', { readonly uid: string; readonly reason: TerminationReason }>;

/** What the log knows of a run of a container besides that it runs. */
export interface ReportedRun {
  /** Its postStart hook has succeeded. */
  readonly hooked?: boolean;
  /** Its startup probe has succeeded. */
  readonly started?: boolean;
  /** What its readiness probe said last. */
  readonly ready?: boolean;
  /** A probe or its postStart hook has failed for good: it is to be killed. */
  readonly condemned?: boolean;
}

/** One container of a pod, as the log knows it. Exactly one of waiting, running and terminated is present. */
export interface ContainerState {
  readonly name: string;
  readonly attempt: number;
  readonly waiting?: { readonly reason: string; readonly message?: string; readonly retryAt?: Millis };
  readonly running?: { readonly startedAt: Millis };
  readonly terminated?: Termination;
  /** How the run before this one ended. */
  readonly last?: Termination;
  readonly containerId?: string;
  readonly imageId?: string;
  /** What its hook and probes have said of the present run. Absent: nothing yet, or it has none. */
  readonly reported?: ReportedRun;
}

export interface Condition {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionAt: Millis;
}

/** A pod, folded from its stream. */
export interface PodState {
  readonly kind: 'Pod';
  readonly meta: ObjectMeta;
  readonly spec: PodSpec;
  /** Name of the container whose end is the pod's end (shared fate). */
  readonly mainContainer: string;
  readonly sharedFate: boolean;
  /** The one node this uid is bound to, for ever. */
  readonly nodeName?: string;
  readonly scheduledAt?: Millis;
  /** Newest refusal, while not placed. */
  readonly unschedulable?: { readonly message: string; readonly at: Millis; readonly record: PlacementRecord };
  readonly startedAt?: Millis;
  /** When the spec was edited last. */
  readonly specChangedAt?: Millis;
  readonly sandbox?: {
    readonly attempt: number;
    readonly sandboxId: string;
    readonly ip: string;
    readonly hostIP: string;
  };
  /** Every container has run at least once: from here on the phase is Running, whatever restarts. */
  readonly startedContainersOnce: boolean;
  /** By container name, init containers included. */
  readonly containers: Readonly<Record<string, ContainerState>>;
  /** Conditions with their times: PodScheduled, PodReadyToStartContainers, Initialized, ContainersReady, Ready, and those clients set. */
  readonly conditions: Readonly<Record<string, Condition>>;
  /** The terminal phase, once reached. */
  readonly terminated?: {
    readonly phase: 'Succeeded' | 'Failed';
    readonly reason?: string;
    readonly message?: string;
    readonly at: Millis;
  };
  readonly terminationReason?: TerminationReason;
  /** The node confirmed that nothing of the pod is left there. */
  readonly removedFromNode: boolean;
  /** `status.message`, `status.reason` and conditions written by clients through `/status`. */
  readonly clientStatus?: JsonObject;
}

export type PodCommand =
  | {
      readonly type: 'RequestPod';
      readonly namespace: string;
      readonly name: string;
      readonly meta: RequestedMeta;
      readonly spec: PodSpec;
    }
  | ({ readonly type: 'ChangePod'; readonly status?: Json } & ChangeRequest)
  /** `/binding` gives no record; the scheduler always does. */
  | {
      readonly type: 'SchedulePod';
      readonly uid?: string;
      readonly node: string;
      readonly by: 'scheduler' | 'binding';
      readonly record?: PlacementRecord;
    }
  | {
      readonly type: 'RecordUnschedulable';
      readonly uid: string;
      readonly message: string;
      readonly record: PlacementRecord;
      readonly now: Millis;
    }
  | { readonly type: 'ReportFact'; readonly uid: string; readonly node: string; readonly fact: PodFact }
  | {
      readonly type: 'TerminatePod';
      readonly preconditions: Preconditions;
      readonly gracePeriodSeconds?: number;
      readonly propagation: Propagation;
      readonly reason: TerminationReason;
      readonly message?: string;
      /** Whether the pod's node answers: without it, grace 0 deletes the object at once (DESIGN section 3). */
      readonly nodeReady: boolean;
    }
  /** The pod is given up: its node is lost or deleted. Ends as Failed, and goes when it was being deleted. */
  | { readonly type: 'GiveUpPod'; readonly uid: string; readonly reason: 'NodeLost'; readonly message: string };
