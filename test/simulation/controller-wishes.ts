import type { JsonObject, Propagation } from '#domain';
import { JOB_IMAGE_WEIGHTS } from './programs.js';
import type { PodWishes } from './pod-wishes.js';
import type { Random } from './random.js';
import { create, jsonPatch, patch, remove, scale, type Of, type WriteRequest } from './requests.js';

/** What people ask of deployments, jobs and cron jobs, and how often. */
export const CONTROLLER_ACTIONS = {
  createDeployment: 5,
  rollDeployment: 10,
  scaleDeployment: 3,
  pauseDeployment: 0.5,
  resumeDeployment: 1.5,
  deleteDeployment: 1.5,
  createJob: 4,
  suspendJob: 0.7,
  resumeJob: 1.5,
  deleteJob: 1,
  createCronJob: 1,
  deleteCronJob: 0.4,
} as const;
export type ControllerAction = keyof typeof CONTROLLER_ACTIONS;

/** Few: most wishes should meet one. */
const NAMES = ['a', 'b'];
/** As many templates as a deployment goes through: few, so that it also goes back to an earlier one. */
const ROUNDS = 2;
const FENCEPOSTS = [
  { maxSurge: 1, maxUnavailable: 0 },
  { maxSurge: 0, maxUnavailable: 1 },
  { maxSurge: 2, maxUnavailable: 1 },
  { maxSurge: '25%', maxUnavailable: '25%' },
  { maxSurge: '50%', maxUnavailable: 0 },
] as const;

/** Draws what people ask of the kinds that make other things. */
export class ControllerWishes {
  constructor(
    private readonly random: Random,
    private readonly pods: PodWishes,
  ) {}

  /** `about` says which object it is about: wishes that collide draw the same. */
  request(action: ControllerAction, namespace: string, about: Random): WriteRequest {
    const { random } = this;
    const letter = about.pick(NAMES);
    const deployment = { resource: 'apps/deployments', namespace, name: `dep-${letter}` };
    const job = { resource: 'batch/jobs', namespace, name: `job-${letter}` };
    const cronJob = { resource: 'batch/cronjobs', namespace, name: `cron-${letter}` };
    switch (action) {
      case 'createDeployment':
        return create(deployment, this.deployment(deployment.name));
      case 'rollDeployment':
        return this.roll(deployment);
      case 'scaleDeployment':
        return scale(deployment, random.integer(0, 5));
      case 'pauseDeployment':
        return patch(deployment, { spec: { paused: true } });
      case 'resumeDeployment':
        return patch(deployment, { spec: { paused: null } });
      case 'deleteDeployment':
        return remove(deployment, this.propagation());
      case 'createJob':
        return create(job, { metadata: { name: job.name }, spec: this.job() });
      case 'suspendJob':
        return patch(job, { spec: { suspend: true } });
      case 'resumeJob':
        return patch(job, { spec: { suspend: false } });
      case 'deleteJob':
        return remove(job, this.propagation());
      case 'createCronJob':
        return create(cronJob, this.cronJob(cronJob.name));
      case 'deleteCronJob':
        return remove(cronJob, this.propagation());
    }
  }

  private propagation(): Propagation {
    return this.random.weighted<Propagation>({ Background: 6, Foreground: 3, Orphan: 2 });
  }

  private deployment(name: string): JsonObject {
    const { random } = this;
    const labels = { deployment: name };
    const rollingUpdate = { ...random.pick(FENCEPOSTS) };
    // Most come up: a rollout that waits for its first pod shows little.
    const spec = random.chance(0.8) ? this.pods.podSpec('Always', () => 'server') : this.pods.podSpec('Always');
    return {
      metadata: { name },
      spec: {
        replicas: random.integer(0, 4),
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec },
        strategy: random.chance(0.3) ? { type: 'Recreate' } : { type: 'RollingUpdate', rollingUpdate },
        minReadySeconds: random.pick([0, 0, 3]),
        progressDeadlineSeconds: random.pick([10, 60, 600]),
        ...(random.chance(0.5) && { revisionHistoryLimit: random.integer(0, 2) }),
      },
    };
  }

  private roll(deployment: Of): WriteRequest {
    const { random } = this;
    if (random.chance(0.3)) {
      const value = random.chance(0.5) ? 'slowstop' : this.pods.image();
      return jsonPatch(deployment, [{ op: 'replace', path: '/spec/template/spec/containers/0/image', value }]);
    }
    const annotations = { 'example.com/round': String(random.integer(1, ROUNDS)) };
    return patch(deployment, { spec: { template: { metadata: { annotations } } } }, 'roll');
  }

  private job(): JsonObject {
    const { random } = this;
    const isIndexed = random.chance(0.3);
    const completions = random.pick([undefined, 1, 2, 4]) ?? (isIndexed ? 3 : undefined);
    const template = this.pods.podSpec(random.pick(['Never', 'OnFailure']), (index) =>
      index === 0 ? random.weighted(JOB_IMAGE_WEIGHTS) : this.pods.image(),
    );
    return {
      parallelism: random.integer(1, 3),
      ...(completions !== undefined && { completions }),
      ...(isIndexed && { completionMode: 'Indexed' }),
      ...(isIndexed && random.chance(0.3) && { backoffLimitPerIndex: 1 }),
      backoffLimit: random.integer(0, 3),
      ...(random.chance(0.2) && { activeDeadlineSeconds: random.integer(5, 40) }),
      ...(random.chance(0.3) && { ttlSecondsAfterFinished: random.integer(0, 10) }),
      ...(random.chance(0.15) && { suspend: true }),
      ...(random.chance(0.2) && { podReplacementPolicy: 'Failed' }),
      template: { spec: template },
    };
  }

  private cronJob(name: string): JsonObject {
    const { random } = this;
    return {
      metadata: { name },
      spec: {
        schedule: '* * * * *',
        concurrencyPolicy: random.pick(['Allow', 'Forbid', 'Replace']),
        ...(random.chance(0.3) && { startingDeadlineSeconds: 10 }),
        successfulJobsHistoryLimit: random.integer(0, 2),
        failedJobsHistoryLimit: random.integer(0, 1),
        jobTemplate: { spec: this.job() },
      },
    };
  }
}
