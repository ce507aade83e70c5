import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type CronJobSpec,
  type CronJobState,
  jobDefaults,
  type JobSpec,
  type JobState,
  SCHEDULED_AT,
  streamOfKind,
} from '#domain';
import { aMeta, aPodSpec } from '../../../test/support/builders.js';
import { aCronJob } from '../../../test/support/job-builders.js';
import { SchedulerWorld } from '../../../test/support/scheduler-world.js';

const NAMESPACE = 'shop';

describe('the loops of jobs and cron jobs', () => {
  let world: SchedulerWorld;
  beforeEach(async () => {
    world = await SchedulerWorld.create();
    await world.join('n1', { cores: 64 });
  });
  afterEach(async () => {
    await world.stop();
    expect(world.problems).toEqual([]);
  });

  /** A scheduler that has heard of the node. */
  const start = async () => {
    const running = await world.scheduler();
    await world.pass(5);
    return running;
  };
  const template = { spec: aPodSpec({ restartPolicy: 'Never' }) };
  const request = (kind: 'Job' | 'CronJob', name: string, spec: object) =>
    world.onWorkload(kind, name, {
      type: 'RequestWorkload',
      namespace: NAMESPACE,
      name,
      meta: aMeta({ uid: world.ids.uuid() }),
      spec: { ...spec },
    });
  const job = (name: string, spec: Partial<JobSpec> = {}) => request('Job', name, jobDefaults({ template, ...spec }));
  const cronJob = (name: string, spec: Partial<CronJobSpec> = {}) =>
    request('CronJob', name, { ...aCronJob().spec, jobTemplate: { spec: { template } }, ...spec });

  const findJob = (name: string): JobState | undefined => {
    const object = world.state.get(streamOfKind('Job', NAMESPACE, name));
    return object?.kind === 'Job' ? object : undefined;
  };
  const findCronJob = (name: string): CronJobState | undefined => {
    const object = world.state.get(streamOfKind('CronJob', NAMESPACE, name));
    return object?.kind === 'CronJob' ? object : undefined;
  };
  const jobs = (): JobState[] => [...world.state.all('Job')];
  const podNames = (): string[] => [...world.state.pods()].map(({ meta }) => meta.name);
  const conditions = (name: string): string[] =>
    (findJob(name)?.status.conditions ?? []).filter(({ status }) => status === 'True').map(({ type }) => type);
  const ends = async (pod: string, exitCode: number): Promise<void> => {
    await world.runs(pod);
    await world.exited(pod, exitCode);
  };

  it('run a job to its end, and keep its pods', async () => {
    await start();
    await job('sum', { completions: 2, parallelism: 1 });
    const [first = ''] = podNames();
    expect(first).toMatch(/^sum-[a-z0-9]{5}$/);
    expect(world.findPod(first)?.nodeName).toBe('n1');
    await ends(first, 0);
    const [second = ''] = podNames().filter((name) => name !== first);
    await ends(second, 0);
    expect(findJob('sum')?.status).toMatchObject({ succeeded: 2, ready: 0, terminating: 0 });
    expect(conditions('sum')).toEqual(['SuccessCriteriaMet', 'Complete']);
    expect(podNames()).toHaveLength(2);
    expect(world.events('JobPodsCounted')).toHaveLength(2);
  });

  it('make pods and record them in one command: no pod of a job is unknown to it', async () => {
    await start();
    await job('sum', { completions: 70, parallelism: 70 });
    const tracked = world.events('JobPodsTracked');
    expect(tracked).toHaveLength(2);
    for (const { commandId, data } of tracked) {
      const requested = world.events('PodRequested').filter((event) => event.commandId === commandId);
      expect(requested.map((event) => event.data['uid'])).toEqual(
        (data['pods'] as readonly { readonly uid: string }[]).map(({ uid }) => uid),
      );
    }
    expect(podNames()).toHaveLength(70);
  });

  it('count a pod that ended and was deleted while no scheduler looked, by what the log says of it', async () => {
    const { scheduler } = await start();
    await job('sum', { completions: 2, parallelism: 2, backoffLimit: 0 });
    const [won = '', unfinished = ''] = podNames();
    const stopping = scheduler.stop();
    await world.pass(0);
    await stopping;
    world.forget(scheduler);
    await ends(won, 0);
    for (const pod of [won, unfinished]) {
      await world.deletePod(pod);
      await world.removed(pod);
    }
    expect(podNames()).toEqual([]);
    expect(findJob('sum')?.status.succeeded).toBeUndefined();
    await world.scheduler('standby');
    await world.pass(1);
    expect(findJob('sum')?.status).toMatchObject({ succeeded: 1, failed: 1 });
    expect(conditions('sum')).toContain('Failed');
  });

  it('try again after a failure, later each time, and give up at the limit', async () => {
    await start();
    await job('sum', { backoffLimit: 1 });
    const [first = ''] = podNames();
    await ends(first, 1);
    await world.pass(9);
    expect(podNames()).toEqual([first]);
    await world.pass(2);
    const [second = ''] = podNames().filter((name) => name !== first);
    await ends(second, 1);
    expect(conditions('sum')).toEqual(['FailureTarget', 'Failed']);
    expect(findJob('sum')?.status).toMatchObject({ failed: 2 });
    await world.pass(600);
    expect(podNames()).toHaveLength(2);
  });

  it('end what is left when the deadline is over, and call the job failed once nothing is', async () => {
    await start();
    await job('sum', { activeDeadlineSeconds: 30 });
    const [pod = ''] = podNames();
    await world.runs(pod);
    await world.pass(31);
    expect(conditions('sum')).toEqual(['FailureTarget']);
    expect(world.findPod(pod)?.meta.deletion).toBeDefined();
    await world.removed(pod);
    expect(conditions('sum')).toEqual(['FailureTarget', 'Failed']);
    expect(findJob('sum')?.status.conditions?.[0]).toMatchObject({ reason: 'DeadlineExceeded' });
  });

  it('delete a finished job with its pods when its time to live is over', async () => {
    await start();
    await job('sum', { ttlSecondsAfterFinished: 5 });
    const [pod = ''] = podNames();
    await ends(pod, 0);
    await world.pass(4);
    expect(findJob('sum')).toBeDefined();
    await world.pass(2);
    await world.removed(pod);
    expect([findJob('sum'), podNames()]).toEqual([undefined, []]);
  });

  it('suspend a job and resume it', async () => {
    await start();
    await job('sum');
    const [pod = ''] = podNames();
    const suspend = (value: boolean) => {
      const current = findJob('sum');
      return world.onWorkload('Job', 'sum', {
        type: 'ChangeWorkload',
        desired: {
          labels: {},
          annotations: {},
          ownerReferences: [],
          finalizers: [],
          spec: { ...current?.spec, suspend: value },
        },
        preconditions: {},
        fieldManager: 'kubectl',
        operation: 'Update',
        managedFields: [],
      });
    };
    await suspend(true);
    await world.removed(pod);
    expect([podNames(), conditions('sum')]).toEqual([[], ['Suspended']]);
    await suspend(false);
    expect(podNames()).toHaveLength(1);
    expect(findJob('sum')?.status).toMatchObject({ active: 1 });
    expect(findJob('sum')?.status.failed).toBeUndefined();
    expect(conditions('sum')).toEqual([]);
  });

  describe('of a schedule', () => {
    it('make a job each time, by the clock alone', async () => {
      await start();
      await cronJob('report');
      await world.pass(61);
      expect(jobs()).toHaveLength(1);
      await world.pass(60);
      expect(jobs()).toHaveLength(2);
      const [first] = jobs();
      expect(first?.meta.name).toBe(`report-${Date.parse(first?.meta.annotations[SCHEDULED_AT] ?? '') / 60_000}`);
      expect(findCronJob('report')?.status.active).toHaveLength(2);
      expect(world.events('JobRequested')[0]?.commandId).toBe(world.events('CronJobStatusChanged')[0]?.commandId);
    });

    it('make one job for the times at which no scheduler was there', async () => {
      await cronJob('report');
      await world.pass(600);
      await start();
      await world.pass(0);
      expect(jobs()).toHaveLength(1);
    });

    it('wait for the last job when jobs must not meet, say so, and make up for it', async () => {
      await start();
      await cronJob('report', { concurrencyPolicy: 'Forbid' });
      await world.pass(121);
      expect(jobs()).toHaveLength(1);
      expect(world.events('CronJobSkipped').map(({ data }) => data['reason'])).toEqual(['JobAlreadyActive']);
      const [pod = ''] = podNames();
      await ends(pod, 0);
      expect(jobs()).toHaveLength(2);
      expect(findCronJob('report')?.status).toMatchObject({ active: [{ name: jobs()[1]?.meta.name }] });
      expect(findCronJob('report')?.status.lastSuccessfulTime).toBeDefined();
    });

    it('keep as many finished jobs as asked for', async () => {
      await start();
      await cronJob('report', { successfulJobsHistoryLimit: 1 });
      for (let minute = 0; minute < 3; minute += 1) {
        await world.pass(60);
        for (const pod of podNames()) if (!world.findPod(pod)?.terminated) await ends(pod, 0);
      }
      await world.pass(1);
      expect(jobs().filter(({ meta }) => !meta.deletion)).toHaveLength(1);
    });

    it('delete a cron job with its jobs and their pods', async () => {
      await start();
      await cronJob('report');
      await world.pass(61);
      const [pod = ''] = podNames();
      await world.onWorkload('CronJob', 'report', {
        type: 'DeleteWorkload',
        preconditions: {},
        propagation: 'Background',
      });
      await world.removed(pod);
      expect([jobs(), podNames()]).toEqual([[], []]);
    });
  });
});
