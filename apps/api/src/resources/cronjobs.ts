import type { JsonObject } from '#domain';
import { ageOf } from './age.js';
import { ageColumn, column, integerColumn, nameColumn, templateColumns, wideColumn } from './columns.js';
import { objectAt, objectsAt, textAt, valueAt } from './wire-values.js';
import { selectorText, workloadResource } from './workloads.js';

const lastSchedule = (cronJob: JsonObject): string | undefined => textAt(cronJob, 'status', 'lastScheduleTime');

/** A cron job's job template, where the columns of workloads look for theirs. */
const template = (cronJob: JsonObject): JsonObject => ({ spec: objectAt(cronJob, 'spec', 'jobTemplate', 'spec') });

/** batch/v1 CronJob. */
export const cronjobs = workloadResource({
  group: 'batch',
  version: 'v1',
  singular: 'cronjob',
  kind: 'CronJob',
  shortNames: ['cj'],
  categories: ['all'],
  columns: [
    nameColumn,
    column('Schedule', 'When it runs, in cron format.', (cronJob) => textAt(cronJob, 'spec', 'schedule') ?? ''),
    column('Timezone', 'The time zone of the schedule.', (cronJob) => textAt(cronJob, 'spec', 'timeZone') ?? '<none>'),
    column('Suspend', 'Whether it makes no jobs for now.', (cronJob) =>
      valueAt(cronJob, 'spec', 'suspend') === true ? 'True' : 'False',
    ),
    integerColumn(
      'Active',
      'Number of jobs that are running.',
      (cronJob) => objectsAt(cronJob, 'status', 'active').length,
    ),
    column('Last Schedule', 'When it last made a job.', (cronJob, now) => {
      const at = lastSchedule(cronJob);
      return at === undefined ? '<none>' : ageOf(at, now);
    }),
    ageColumn,
    ...templateColumns(selectorText).map(({ name, description, cell }) =>
      wideColumn(name, description, (cronJob, now) => cell(template(cronJob), now)),
    ),
  ],
  fields: {},
});
