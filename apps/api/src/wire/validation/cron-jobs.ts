import type { FieldFault } from '#domain';
import { readSchedule } from '#system';
import type { Wire } from '../schema/wire-type.js';
import { invalid, notNegative, oneOf, required } from './faults.js';
import { jobSpecFaults } from './jobs.js';
import { annotationFaults, labelFaults, metadataChangeFaults, metadataFaults } from './metadata.js';
import { ignoredFeatures } from './not-yet.js';

type CronJob = Wire<'batch.v1.CronJob'>;

/** Names of its jobs end in the minute they were due: `-29392920` and room for more. */
const maxNameLength = 52;

/** What is wrong with a new cron job, its defaults included. */
export function validateCronJob({ metadata, spec = {} }: CronJob): FieldFault[] {
  const name = metadata?.name ?? '';
  const { jobTemplate, schedule, timeZone } = spec;
  return [
    ...metadataFaults(metadata),
    ...(name.length > maxNameLength
      ? [invalid('metadata.name', name, `must be no more than ${maxNameLength} characters`)]
      : []),
    ...(schedule ? scheduleFaults(schedule, timeZone) : [required('spec.schedule')]),
    ...timeZoneFaults(timeZone),
    ...oneOf('spec.concurrencyPolicy', spec.concurrencyPolicy, ['Allow', 'Forbid', 'Replace']),
    ...notNegative('spec.startingDeadlineSeconds', spec.startingDeadlineSeconds),
    ...notNegative('spec.successfulJobsHistoryLimit', spec.successfulJobsHistoryLimit),
    ...notNegative('spec.failedJobsHistoryLimit', spec.failedJobsHistoryLimit),
    ...(jobTemplate ? jobTemplateFaults(jobTemplate) : [required('spec.jobTemplate')]),
  ];
}

/** What is wrong with an edit of a cron job. All of its spec may be edited. */
export const validateCronJobUpdate = (before: CronJob, after: CronJob): FieldFault[] => [
  ...validateCronJob(after),
  ...metadataChangeFaults(before.metadata, after.metadata),
];

/** What the pods of a cron job ask for that is recorded and has no effect yet. */
export const cronJobWarnings = ({ spec }: CronJob): string[] =>
  ignoredFeatures('batch.v1.JobSpec', spec?.jobTemplate?.spec ?? {}, 'spec.jobTemplate.spec');

function scheduleFaults(schedule: string, timeZone: string | undefined): FieldFault[] {
  if (schedule.includes('TZ')) {
    const why = timeZone
      ? 'cannot use both timeZone field and TZ or CRON_TZ in schedule'
      : 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead';
    return [invalid('spec.schedule', schedule, why)];
  }
  const read = readSchedule(schedule);
  return 'problem' in read ? [invalid('spec.schedule', schedule, read.problem)] : [];
}

function timeZoneFaults(timeZone: string | undefined): FieldFault[] {
  if (timeZone === undefined) return [];
  const fault = (why: string): FieldFault[] => [invalid('spec.timeZone', timeZone, why)];
  if (timeZone === '') return fault('timeZone must be nil or non-empty string');
  if (timeZone.toLowerCase() === 'local') {
    return fault('timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones');
  }
  const read = readSchedule('@hourly', timeZone);
  return 'problem' in read ? fault(read.problem) : [];
}

function jobTemplateFaults({ metadata = {}, spec = {} }: Wire<'batch.v1.JobTemplateSpec'>): FieldFault[] {
  const path = 'spec.jobTemplate';
  const generated = 'will be auto-generated';
  return [
    ...labelFaults(metadata.labels, `${path}.metadata.labels`),
    ...annotationFaults(metadata.annotations, `${path}.metadata.annotations`),
    ...jobSpecFaults(spec, `${path}.spec`),
    ...(spec.selector ? [invalid(`${path}.spec.selector`, spec.selector, `${path}.spec.selector: ${generated}`)] : []),
    ...(spec.manualSelector ? oneOf(`${path}.spec.manualSelector`, String(spec.manualSelector), ['nil', 'false']) : []),
  ];
}
