import type { Recorded } from '../event.js';
import type { ClusterEvent, EventText } from './kubernetes-event.js';
import type { NamespaceEvent } from '../namespace/namespace.js';
import type { NodeEvent } from '../node/node.js';
import type { PodEvent, PodState } from '../pod/pod.js';
import { isWorkloadKind } from '../workload/evolve.js';
import type { WorkloadEvent } from '../workload/workload.js';
import type { StoredObject } from './stored-object.js';

type Known = PodEvent | WorkloadEvent | NodeEvent | NamespaceEvent | ClusterEvent;

const seconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 10_000 ? 3 : 1)}s`;

/**
 * The words for an event about `object` (its state after the event, or before when it went). `undefined` for what
 * Kubernetes has no Event for.
 */
export function describeEvent(event: Recorded, object: StoredObject | undefined): EventText | undefined {
  const known = event as Recorded<Known>;
  const pod = object?.kind === 'Pod' ? object : undefined;
  switch (known.type) {
    case 'PodScheduled':
      return normal('default-scheduler', 'Scheduled', `Successfully assigned ${pathOf(pod)} to ${known.data.node}`);
    case 'PodUnschedulable':
      return warning('default-scheduler', 'FailedScheduling', known.data.message);
    case 'PodRefusedByNode':
      return warning('kubelet', known.data.reason, known.data.message);
    case 'PodSandboxFailed':
      return warning('kubelet', 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${known.data.message}`);
    case 'ImagePullStarted':
      return of(known.data.container, normal('kubelet', 'Pulling', `Pulling image "${known.data.image}"`));
    case 'ImagePulled': {
      const { container, image, alreadyPresent, durationMs } = known.data;
      const message = alreadyPresent
        ? `Container image "${image}" already present on machine`
        : `Successfully pulled image "${image}" in ${seconds(durationMs)}`;
      return of(container, normal('kubelet', 'Pulled', message));
    }
    case 'ImagePullFailed': {
      const { container, image, reason, message } = known.data;
      if (reason === 'ImagePullBackOff')
        return of(container, normal('kubelet', 'BackOff', `Back-off pulling image "${image}"`));
      if (reason === 'InvalidImageName') return of(container, warning('kubelet', 'InspectFailed', message));
      if (reason === 'ErrImageNeverPull') return of(container, warning('kubelet', reason, message));
      return of(container, warning('kubelet', 'Failed', `Failed to pull image "${image}": ${message}`));
    }
    case 'ContainerCreateFailed':
      return of(known.data.container, warning('kubelet', 'Failed', `Error: ${known.data.message}`));
    case 'ContainerCreated':
      return of(known.data.container, normal('kubelet', 'Created', `Created container: ${known.data.container}`));
    case 'ContainerStarted':
      return of(known.data.container, normal('kubelet', 'Started', `Started container ${known.data.container}`));
    case 'ContainerExited':
      return known.data.reason === 'StartError'
        ? of(known.data.container, warning('kubelet', 'Failed', `Error: ${known.data.message ?? 'failed to start'}`))
        : undefined;
    case 'ContainerBackingOff': {
      const message = `Back-off restarting failed container ${known.data.container} in pod ${pod?.meta.name ?? ''}`;
      return of(known.data.container, warning('kubelet', 'BackOff', message));
    }
    case 'ContainerKilling':
      return of(known.data.container, normal('kubelet', 'Killing', known.data.message));
    case 'ContainerProbeFailed': {
      const { container, probe, message, count } = known.data;
      const text = `${probe.charAt(0).toUpperCase()}${probe.slice(1)} probe failed: ${message}`;
      return { ...of(container, warning('kubelet', 'Unhealthy', text)), count };
    }
    case 'LifecycleHookFailed': {
      const { container, hook, message } = known.data;
      return of(
        container,
        hook === 'postStart'
          ? warning('kubelet', 'FailedPostStartHook', `PostStartHook failed: ${message}`)
          : warning('kubelet', 'FailedPreStopHook', `PreStopHook failed: ${message}`),
      );
    }
    case 'PodTerminationRequested':
      return known.data.reason === 'TaintNotTolerated'
        ? normal('node-controller', 'TaintManagerEviction', `Marking for deletion Pod ${pathOf(pod)}`)
        : undefined;
    case 'PodTerminated':
      return known.data.reason === 'NodeLost'
        ? warning('node-controller', 'NodeLost', known.data.message ?? 'the node is lost')
        : undefined;
    case 'CreationRefused':
      return warning(
        `${(object?.kind ?? '').toLowerCase()}-controller`,
        'FailedCreate',
        `Error creating: ${known.data.message}`,
      );
    case 'NodeJoined':
    case 'NodeRegistered':
      return normal(
        'node-controller',
        'RegisteredNode',
        `Node ${object?.meta.name ?? ''} registered (epoch ${known.data.nodeEpoch})`,
      );
    case 'NodeBecameReady':
      return normal('node-controller', 'NodeReady', `Node ${object?.meta.name ?? ''} status is now: NodeReady`);
    case 'NodeBecameNotReady':
      return warning('node-controller', 'NodeNotReady', `Node is not ready: ${known.data.message}`);
    case 'NodeLost':
      return warning('node-controller', 'NodeLost', known.data.message);
    case 'JobSuspended':
      return normal('job-controller', 'Suspended', 'Job suspended');
    case 'JobResumed':
      return normal('job-controller', 'Resumed', 'Job resumed');
    case 'JobFinished':
      return known.data.outcome === 'Complete'
        ? normal('job-controller', 'Completed', 'Job completed')
        : warning('job-controller', known.data.reason, known.data.message);
    case 'CronJobSkipped': {
      const { reason, message } = known.data;
      return (reason === 'JobAlreadyActive' ? normal : warning)('cronjob-controller', reason, message);
    }
    case 'NodeDeleted':
      return normal('node-controller', 'RemovingNode', `Removing Node ${object?.meta.name ?? ''} from cluster`);
    case 'PodRequested':
    case 'PodChanged':
    case 'PodInitialized':
    case 'PodBecameReady':
    case 'PodBecameUnready':
    case 'ImagePullProgressed':
    case 'PodSandboxStarted':
    case 'ContainerStartupSucceeded':
    case 'ContainerReadinessChanged':
    case 'PostStartHookSucceeded':
    case 'PodContainersRemoved':
    case 'PodDeleted':
    case 'NodeChanged':
    case 'NodeDeletionRequested':
    case 'NamespaceRequested':
    case 'NamespaceChanged':
    case 'NamespaceDeletionRequested':
    case 'NamespaceEmptied':
    case 'NamespaceDeleted':
    case 'NodesSilentTogether':
    case 'NodesHeardAgain':
    case 'PodNetworkAllocated':
      return undefined;
    default:
      return undefined;
  }
}

/** What is said of a workload when something of its own comes, is resized or told to go. */
export function describeForOwner(
  event: Recorded,
  { meta: { name } }: StoredObject,
  owner: StoredObject,
): EventText | undefined {
  if (!isWorkloadKind(owner.kind)) return undefined;
  const component = `${owner.kind.toLowerCase()}-controller`;
  const known = event as Recorded<Known>;
  switch (known.type) {
    case 'PodRequested':
      return normal(component, 'SuccessfulCreate', `Created pod: ${name}`);
    case 'PodTerminationRequested':
      return known.data.reason === 'ScaledDown'
        ? normal(component, 'SuccessfulDelete', `Deleted pod: ${name}`)
        : undefined;
    case 'JobRequested':
      return normal(component, 'SuccessfulCreate', `Created job ${name}`);
    case 'JobFinished':
      return normal(component, 'SawCompletedJob', `Saw completed job: ${name}, condition: ${known.data.outcome}`);
    case 'JobDeletionRequested':
      return normal(component, 'SuccessfulDelete', `Deleted job ${name}`);
    case 'ScaleRequested': {
      const { replicas, previous = 0 } = known.data;
      if (replicas === previous) return undefined;
      const way = replicas > previous ? 'up' : 'down';
      const message = `Scaled ${way} replica set ${name} from ${previous} to ${replicas}`;
      return normal(component, 'ScalingReplicaSet', message);
    }
    default:
      return undefined;
  }
}

const pathOf = (pod: PodState | undefined): string => `${pod?.meta.namespace ?? ''}/${pod?.meta.name ?? ''}`;
const normal = (component: EventText['component'], reason: string, message: string): EventText => ({
  type: 'Normal',
  component,
  reason,
  message,
});
const warning = (component: EventText['component'], reason: string, message: string): EventText => ({
  type: 'Warning',
  component,
  reason,
  message,
});
const of = (container: string, { type, component, reason, message }: EventText): EventText => ({
  type,
  component,
  reason,
  message,
  container,
});
