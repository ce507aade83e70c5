import {
  controllerOf,
  fencepostsOf,
  isActivePod,
  isAvailable,
  type ClusterState,
  type JobState,
  type Millis,
  type PodState,
  type Recorded,
  type ReplicaSetState,
  type StoredObject,
  type WorkloadState,
} from '#domain';
import { isDecided, podsOf, setsOf } from './controllers-settled.js';
import type { LoggedCommand, Oracle } from './oracle.js';
import type { Verdicts } from './verdicts.js';

type Deployment = WorkloadState<'Deployment'>;

/**
 * A decision to shrink rests on which pods were available a moment before. What became unavailable later than this before it
 * entered the log, in milliseconds, it need not know.
 */
const NEWS_MS = 15_000;
/** How far the clocks of two processes may be apart, in milliseconds: whoever decides counts `minReadySeconds` by his own. */
const SKEW_MS = 500;

/** What must be true of deployments, jobs and cron jobs at the moment a command enters the log. */
export class ControllerInvariants {
  /** By uid of a deployment: when it was last asked for another number, or lost a pod that it did not send away. */
  private readonly disturbedAt = new Map<string, Millis>();
  private readonly counted = new Set<string>();
  private readonly served = new Set<string>();

  constructor(private readonly verdicts: Verdicts) {}

  onCommand({ state }: Oracle, { events, changes }: LoggedCommand): void {
    for (const { before, after, event } of changes) {
      if (before?.kind === 'Pod') this.onPod(state, before, after, event);
      if (event.type === 'ScaleRequested' && after?.kind === 'Deployment')
        this.disturbedAt.set(after.meta.uid, event.time);
    }
    for (const event of events) {
      const object = state.get(event.stream);
      if (!object) continue;
      if (object.kind === 'ReplicaSet') this.onReplicaSet(state, object, event);
      if (event.type === 'PodRequested' && object.kind === 'Pod') this.onRequest(state, object, event);
      if (object.kind === 'Job') this.onJob(state, object, event);
    }
  }

  private onPod(state: ClusterState, before: PodState, after: StoredObject | undefined, event: Recorded): void {
    const isReady = (object: StoredObject | undefined): boolean =>
      object?.kind === 'Pod' && isActivePod(object) && object.conditions['Ready']?.status === 'True';
    if (!isReady(before) || isReady(after)) return;
    const isSentAway = event.type === 'PodTerminationRequested' && event.data['reason'] === 'ScaledDown';
    const deployment = deploymentOf(state, ownerOf(state, before));
    if (deployment && !isSentAway) this.disturbedAt.set(deployment.meta.uid, event.time);
  }

  /** A replica set of a deployment gets another size. */
  private onReplicaSet(state: ClusterState, set: ReplicaSetState, event: Recorded): void {
    const deployment = deploymentOf(state, set);
    if (!deployment || deployment.meta.deletion || event.actor.kind !== 'system') return;
    if (event.type !== 'ScaleRequested') return;
    const previous = typeof event.data['previous'] === 'number' ? event.data['previous'] : 0;
    const sets = setsOf(state, deployment);
    const { maxSurge, maxUnavailable } = fencepostsOf(deployment);
    const total = sets.reduce((sum, { replicas }) => sum + replicas, 0);
    const most = deployment.replicas + maxSurge;
    const what = `${event.stream} went from ${previous} to ${set.replicas} at revision ${event.revision}`;
    this.verdicts.check(set.replicas <= previous || total <= most, 'a rollout stays below its surge', () => {
      return `${what}: ${total} pods of ${deployment.meta.name} are wanted, ${most} may be`;
    });
    if (deployment.spec.strategy?.type === 'Recreate' || set.replicas >= previous) return;
    const since = event.time - (this.disturbedAt.get(deployment.meta.uid) ?? 0);
    if (since < NEWS_MS) return;
    const available = (size: (one: ReplicaSetState) => number): number =>
      sets.reduce((sum, one) => sum + Math.min(size(one), availableIn(state, one, event.time + SKEW_MS)), 0);
    const before = available((one) => (one === set ? previous : one.replicas));
    const after = available(({ replicas }) => replicas);
    const least = deployment.replicas - maxUnavailable;
    this.verdicts.check(after >= before || after >= least, 'a rollout keeps enough pods available', () => {
      return `${what}: ${after} of ${before} available pods of ${deployment.meta.name} stay, ${least} must`;
    });
  }

  private onRequest(state: ClusterState, pod: PodState, event: Recorded): void {
    const owner = ownerOf(state, pod);
    if (owner?.kind === 'Job') this.onJobPod(state, owner, event);
    const deployment = deploymentOf(state, owner);
    if (deployment?.spec.strategy?.type !== 'Recreate') return;
    const others = setsOf(state, deployment).filter(({ meta }) => meta.uid !== owner?.meta.uid);
    const left = others.flatMap((set) => podsOf(state, set)).filter(({ terminated }) => !terminated);
    this.verdicts.check(left.length === 0, 'all old pods go before the first new one comes', () => {
      return `${event.stream} was made at revision ${event.revision} while ${left[0]?.meta.name} was there`;
    });
  }

  private onJobPod(state: ClusterState, job: JobState, event: Recorded): void {
    const what = (): string => `${event.stream} was made at revision ${event.revision}`;
    const isOpen = !isDecided(job) && !job.spec.suspend && !job.meta.deletion;
    this.verdicts.check(isOpen, 'a job that is over or suspended makes no pods', what);
    const active = podsOf(state, job).filter(isActivePod).length;
    this.verdicts.check(active <= job.spec.parallelism, 'a job works with no more pods than it may', () => {
      return `${what()}: ${active} of ${job.spec.parallelism}`;
    });
  }

  private onJob(state: ClusterState, job: JobState, event: Recorded): void {
    if (event.type === 'JobRequested') this.onJobOfCron(job, event);
    if (event.type === 'JobFinished') {
      const left = podsOf(state, job).filter(({ terminated }) => !terminated);
      this.verdicts.check(left.length === 0, 'a job is over when its pods are', () => {
        return `${event.stream} finished at revision ${event.revision}; ${left[0]?.meta.name} had not ended`;
      });
    }
    if (event.type !== 'JobPodsCounted' || !Array.isArray(event.data['pods'])) return;
    for (const pod of event.data['pods']) {
      const key = `${job.meta.uid} ${JSON.stringify(Object(pod).uid)}`;
      this.verdicts.check(!this.counted.has(key), 'each pod of a job counts once', () => {
        return `${event.stream} counted ${key} again at revision ${event.revision}`;
      });
      this.counted.add(key);
    }
  }

  private onJobOfCron({ meta }: JobState, event: Recorded): void {
    const cron = meta.ownerReferences.find(({ kind, controller }) => controller && kind === 'CronJob');
    if (!cron) return;
    const key = `${cron.uid} ${meta.annotations['batch.kubernetes.io/cronjob-scheduled-timestamp']}`;
    this.verdicts.check(!this.served.has(key), 'each time of a schedule is served once', () => {
      return `${event.stream} at revision ${event.revision} is the second for ${key}`;
    });
    this.served.add(key);
  }
}

const ownerOf = (state: ClusterState, object: Pick<StoredObject, 'meta'>): StoredObject | undefined =>
  state.objectByUid(controllerOf(object)?.uid ?? '');

function deploymentOf(state: ClusterState, set: StoredObject | undefined): Deployment | undefined {
  const owner = set?.kind === 'ReplicaSet' ? ownerOf(state, set) : undefined;
  return owner?.kind === 'Deployment' ? owner : undefined;
}

const availableIn = (state: ClusterState, set: ReplicaSetState, now: Millis): number =>
  podsOf(state, set).filter((pod) => isActivePod(pod) && isAvailable(pod, set.spec.minReadySeconds, now)).length;
