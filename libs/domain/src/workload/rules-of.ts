import { cronJobRules } from '../cron-job/rules.js';
import type { ReadSchedule } from '../cron-job/cron-job.js';
import { daemonSetRules } from '../daemon-set/rules.js';
import { deploymentRules } from '../deployment/rules.js';
import { jobRules } from '../job/rules.js';
import { replicaSetRules } from '../replica-set/rules.js';
import type { WorkloadRules } from './rules.js';

/** The rules of every kind of workload, in the order in which the scheduler starts their loops. */
export const workloadRules = (calendar: ReadSchedule): readonly WorkloadRules[] => [
  replicaSetRules,
  deploymentRules,
  daemonSetRules,
  jobRules,
  cronJobRules(calendar),
];
