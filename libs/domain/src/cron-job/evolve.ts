import type { CronJobFact, CronJobLedger, CronJobStatus } from './cron-job.js';

interface Kept {
  readonly status: CronJobStatus;
  readonly ledger: CronJobLedger;
}

/** A cron job's status and ledger after one of the facts that only cron jobs have. */
export function evolveCronJob({ status, ledger }: Kept, { type, data }: CronJobFact): Kept {
  switch (type) {
    case 'Skipped':
      return { status, ledger: { ...ledger, skip: data } };
  }
}
