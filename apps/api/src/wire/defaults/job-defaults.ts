import { jobDefaults } from '#domain';
import type { Wire } from '../schema/wire-type.js';
import { defaultPodSpec } from './pod-defaults.js';

type JobSpec = Wire<'batch.v1.JobSpec'>;

/** A job with every default that Kubernetes' users see; what the client gave stays as it was given. */
export const defaultJob = (job: Wire<'batch.v1.Job'>): Wire<'batch.v1.Job'> => ({
  ...job,
  spec: jobDefaults(withPodDefaults(job.spec ?? {})),
});

/** A cron job likewise; its jobs get their own defaults when they are made. */
export function defaultCronJob(cronJob: Wire<'batch.v1.CronJob'>): Wire<'batch.v1.CronJob'> {
  const { jobTemplate } = cronJob.spec ?? {};
  return {
    ...cronJob,
    spec: {
      concurrencyPolicy: 'Allow',
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
      ...cronJob.spec,
      ...(jobTemplate ? { jobTemplate: { ...jobTemplate, spec: withPodDefaults(jobTemplate.spec ?? {}) } } : {}),
    },
  };
}

const withPodDefaults = (spec: JobSpec): JobSpec =>
  spec.template ? { ...spec, template: { ...spec.template, spec: defaultPodSpec(spec.template.spec ?? {}) } } : spec;
