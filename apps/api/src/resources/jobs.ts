import { parseRfc3339, type JsonObject, type Millis } from '#domain';
import { humanDuration } from './age.js';
import { ageColumn, column, nameColumn, templateColumns } from './columns.js';
import { numberAt, objectsAt, selectableField, textAt, valueAt } from './wire-values.js';
import { selectorText, workloadResource } from './workloads.js';

/** Conditions that are a job's state in one word, the one that tells most first. */
const STATES = ['Complete', 'Failed', 'Terminating', 'Suspended', 'FailureTarget', 'SuccessCriteriaMet'] as const;

function stateOf(job: JsonObject): string {
  const turned = new Set(
    objectsAt(job, 'status', 'conditions')
      .filter(({ status }) => status === 'True')
      .map(({ type }) => type),
  );
  if (textAt(job, 'metadata', 'deletionTimestamp') !== undefined) turned.add('Terminating');
  return STATES.find((state) => turned.has(state)) ?? 'Running';
}

/** `2/5`; of a job without a number of completions any success will do: `0/1 of 3`. */
function completions(job: JsonObject): string {
  const succeeded = numberAt(job, 'status', 'succeeded');
  if (valueAt(job, 'spec', 'completions') !== undefined) return `${succeeded}/${numberAt(job, 'spec', 'completions')}`;
  const parallelism = numberAt(job, 'spec', 'parallelism');
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function duration(job: JsonObject, now: Millis): string {
  const started = parseRfc3339(textAt(job, 'status', 'startTime') ?? '');
  const completed = parseRfc3339(textAt(job, 'status', 'completionTime') ?? '');
  return started === undefined ? '' : humanDuration((completed ?? now) - started);
}

/** batch/v1 Job. */
export const jobs = workloadResource({
  group: 'batch',
  version: 'v1',
  singular: 'job',
  kind: 'Job',
  categories: ['all'],
  columns: [
    nameColumn,
    column('Status', 'Status of the job.', stateOf),
    column('Completions', 'Successes so far, and how many make the job complete.', completions),
    column('Duration', 'Time required to complete the job.', duration),
    ageColumn,
    ...templateColumns(selectorText),
  ],
  fields: { 'status.successful': selectableField('status.succeeded') },
});
