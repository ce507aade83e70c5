import { controllerReference, type WorkloadRules, type WorkloadStep } from '../workload/rules.js';
import type { JobState } from '../workload/workload.js';
import type { ReadSchedule } from './cron-job.js';
import { reconcileCronJob } from './reconcile.js';

const manager = 'podledger-cronjob-controller';

/** Makes the jobs of each cron job when they are due. `read` knows calendars and time zones. */
export const cronJobRules = (read: ReadSchedule): WorkloadRules<'CronJob'> => ({
  kind: 'CronJob',
  manager,
  child: 'Job',
  reconcile(cronJob, { children, now }) {
    const jobs = children.filter((child): child is JobState => child.kind === 'Job');
    const { create, remove, facts, status, again } = reconcileCronJob(cronJob, { jobs, now, read });
    const steps: WorkloadStep[] = remove.map((object) => ({
      type: 'Delete',
      object,
      reason: 'Requested',
      propagation: 'Background',
    }));
    if (create) {
      const { name, spec, ...metadata } = create;
      const meta = {
        ...metadata,
        ownerReferences: [controllerReference(cronJob)],
        finalizers: [],
        fieldManager: manager,
        managedFields: [],
      };
      steps.push({ type: 'Create', kind: 'Job', name, meta, spec });
    }
    return { steps, facts, status, together: true, ...(again !== undefined && { again }) };
  },
});
