import { foreignJobLabels, sameJson, type FieldFault } from '#domain';
import { labelSelectorOf, matchesLabels } from '../selectors/label-selector.js';
import type { Wire } from '../schema/wire-type.js';
import { invalid, invalidFor, notNegative, oneOf, required } from './faults.js';
import { failurePolicyFaults, successPolicyFaults } from './job-policies.js';
import { selectorFaults } from './pod-template.js';
import { annotationFaults, labelFaults, metadataChangeFaults, metadataFaults } from './metadata.js';
import { dnsLabelProblems } from './names.js';
import { ignoredFeatures, refusedFeatures } from './not-yet.js';
import { podSpecFaults } from './pod-spec.js';

type Job = Wire<'batch.v1.Job'>;
type JobSpec = Wire<'batch.v1.JobSpec'>;
type PodTemplate = Wire<'core.v1.PodTemplateSpec'>;

const maxIndexedParallelism = 100_000;
/** Of jobs with a limit per index: from here on what is kept of failed indexes is bounded. */
const manyIndexes = 100_000;
const maxOfMany = 10_000;

/** What is wrong with a new job, its defaults included. */
export function validateJob(job: Job): FieldFault[] {
  const { metadata, spec = {} } = job;
  return [
    ...metadataFaults(metadata),
    ...podNameFaults(metadata?.name, spec),
    ...(spec.manualSelector ? manualSelectorFaults(spec, 'spec') : generatedSelectorFaults(metadata?.name, spec)),
    ...jobSpecFaults(spec, 'spec'),
  ];
}

/** What is wrong with an edit of a job. */
export function validateJobUpdate(before: Job, after: Job): FieldFault[] {
  const { spec = {} } = after;
  const fixed = [
    'selector',
    'completionMode',
    'podFailurePolicy',
    'backoffLimitPerIndex',
    'managedBy',
    'successPolicy',
  ] as const;
  return [
    ...metadataFaults(after.metadata),
    ...metadataChangeFaults(before.metadata, after.metadata),
    ...manualSelectorFaults(spec, 'spec'),
    ...jobSpecFaults(spec, 'spec'),
    ...completionsChangeFaults(before.spec ?? {}, spec),
    ...fixed
      .filter((field) => !sameJson(before.spec?.[field], spec[field]))
      .map((field) => invalid(`spec.${field}`, spec[field], 'field is immutable')),
    ...templateChangeFaults(before, spec.template),
  ];
}

/** What a job's pods ask for that is recorded and has no effect yet. */
export const jobWarnings = ({ spec = {} }: Job): string[] => ignoredFeatures('batch.v1.JobSpec', spec, 'spec');

/** What is wrong with a job's spec, in a job or in a cron job's template, but for its selector. */
export function jobSpecFaults(spec: JobSpec, path: string): FieldFault[] {
  const numbers = [
    'parallelism',
    'completions',
    'activeDeadlineSeconds',
    'backoffLimit',
    'ttlSecondsAfterFinished',
    'backoffLimitPerIndex',
    'maxFailedIndexes',
  ] as const;
  return [
    ...numbers.flatMap((field) => notNegative(`${path}.${field}`, spec[field])),
    ...oneOf(`${path}.completionMode`, spec.completionMode, ['NonIndexed', 'Indexed']),
    ...indexedFaults(spec, path),
    ...(spec.podFailurePolicy ? failurePolicyFaults(spec, `${path}.podFailurePolicy`) : []),
    ...replacementFaults(spec, path),
    ...templateFaults(spec, `${path}.template`),
    ...refusedFeatures('batch.v1.JobSpec', spec, path),
  ];
}

function indexedFaults(spec: JobSpec, path: string): FieldFault[] {
  const { completionMode, completions, parallelism = 0, backoffLimitPerIndex, maxFailedIndexes } = spec;
  const needsIndexes = 'requires indexed completion mode';
  const limited = backoffLimitPerIndex !== undefined;
  if (completionMode !== 'Indexed') {
    return [
      ...(limited ? [invalid(`${path}.backoffLimitPerIndex`, backoffLimitPerIndex, needsIndexes)] : []),
      ...(maxFailedIndexes === undefined ? [] : [invalid(`${path}.maxFailedIndexes`, maxFailedIndexes, needsIndexes)]),
      ...(spec.successPolicy ? [invalid(`${path}.successPolicy`, spec.successPolicy, needsIndexes)] : []),
    ];
  }
  const atMost = (
    field: 'parallelism' | 'maxFailedIndexes',
    value: number,
    most: number,
    when: string,
  ): FieldFault[] =>
    value > most ? [invalid(`${path}.${field}`, value, `must be less than or equal to ${most} ${when}`)] : [];
  const many = limited && (completions ?? 0) > manyIndexes;
  const whenMany = `when completions are above ${manyIndexes} and used with backoff limit per index`;
  return [
    ...(completions === undefined ? [required(`${path}.completions`, 'when completion mode is Indexed')] : []),
    ...atMost('parallelism', parallelism, maxIndexedParallelism, 'when completion mode is Indexed'),
    ...(maxFailedIndexes !== undefined && !limited
      ? [required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified')]
      : []),
    ...(maxFailedIndexes !== undefined && completions !== undefined && maxFailedIndexes > completions
      ? [invalid(`${path}.maxFailedIndexes`, maxFailedIndexes, 'must be less than or equal to completions')]
      : []),
    ...(many && maxFailedIndexes === undefined
      ? [required(`${path}.maxFailedIndexes`, `must be specified when completions is above ${manyIndexes}`)]
      : []),
    ...(many ? atMost('parallelism', parallelism, maxOfMany, whenMany) : []),
    ...(many ? atMost('maxFailedIndexes', maxFailedIndexes ?? 0, maxOfMany, whenMany) : []),
    ...(spec.successPolicy ? successPolicyFaults(spec, `${path}.successPolicy`) : []),
  ];
}

const replacementFaults = ({ podReplacementPolicy, podFailurePolicy }: JobSpec, path: string): FieldFault[] =>
  oneOf(
    `${path}.podReplacementPolicy`,
    podReplacementPolicy,
    podFailurePolicy ? ['Failed'] : ['Failed', 'TerminatingOrFailed'],
  );

function templateFaults({ template, podFailurePolicy }: JobSpec, path: string): FieldFault[] {
  if (!template) return [required(path)];
  const { metadata = {}, spec = {} } = template;
  const { restartPolicy = 'Always' } = spec;
  const at = `${path}.spec.restartPolicy`;
  return [
    ...labelFaults(metadata.labels, `${path}.metadata.labels`),
    ...annotationFaults(metadata.annotations, `${path}.metadata.annotations`),
    ...podSpecFaults(spec, `${path}.spec`),
    ...(restartPolicy === 'Always'
      ? [required(at, 'valid values: "OnFailure", "Never"')]
      : oneOf(at, restartPolicy, ['OnFailure', 'Never'])),
    ...(podFailurePolicy && restartPolicy === 'OnFailure'
      ? [invalid(at, restartPolicy, 'only "Never" is supported when podFailurePolicy is specified')]
      : []),
  ];
}

/** Indexes become hostnames: the highest must be one. */
function podNameFaults(name: string | undefined, { completionMode, completions = 0 }: JobSpec): FieldFault[] {
  if (!name || completionMode !== 'Indexed' || completions < 1) return [];
  const longest = `${name}-${completions - 1}`;
  return dnsLabelProblems(longest).length === 0
    ? []
    : [invalid('metadata.name', name, `will not able to create pod with invalid DNS label: ${longest}`)];
}

/** A job that names no selector of its own gets one, and labels to go with it, when it is taken in. */
function generatedSelectorFaults(name = '', { selector, template }: JobSpec): FieldFault[] {
  const labels = template?.metadata?.labels ?? {};
  return [
    ...(selector ? [invalid('spec.selector', selector, '`selector` not auto-generated')] : []),
    ...foreignJobLabels(labels, name).map((key) =>
      invalid(`spec.template.metadata.labels[${key}]`, labels[key] ?? '', 'is generated, and must not be given'),
    ),
    ...(name.length > 63 ? invalidFor('metadata.name', name, ['must be no more than 63 characters']) : []),
  ];
}

function manualSelectorFaults({ selector, template }: JobSpec, path: string): FieldFault[] {
  if (!selector) return [required(`${path}.selector`)];
  const broken = selectorFaults(selector, `${path}.selector`);
  const labels = template?.metadata?.labels ?? {};
  if (broken.length > 0 || matchesLabels(labelSelectorOf(selector), labels)) return broken;
  return [invalid(`${path}.template.metadata.labels`, labels, '`selector` does not match template `labels`')];
}

/** Of an indexed job, completions move only together with parallelism. */
function completionsChangeFaults(before: JobSpec, after: JobSpec): FieldFault[] {
  if (before.completions === after.completions) return [];
  if (after.completionMode !== 'Indexed') {
    return [invalid('spec.completions', after.completions, 'field is immutable')];
  }
  return after.completions === after.parallelism
    ? []
    : [invalid('spec.completions', after.completions, 'can only be modified in tandem with spec.parallelism')];
}

/** Before a job has ever started, while it is suspended, where its pods may run can still be said. */
const canBeDirected = ({ spec, status }: Job): boolean => spec?.suspend === true && status?.startTime === undefined;

/** A template without what can still be said. What is absent and what is undefined are the same. */
const undirected = ({ metadata, spec, ...rest }: PodTemplate): PodTemplate => ({
  ...rest,
  metadata: { ...metadata, labels: undefined, annotations: undefined },
  spec: { ...spec, nodeSelector: undefined, affinity: undefined, tolerations: undefined, schedulingGates: undefined },
});

function templateChangeFaults(before: Job, after: PodTemplate | undefined): FieldFault[] {
  const known = before.spec?.template;
  const fixed = (template: PodTemplate | undefined): PodTemplate | undefined =>
    template && canBeDirected(before) ? undirected(template) : template;
  return sameJson(fixed(known), fixed(after)) ? [] : [invalid('spec.template', after, 'field is immutable')];
}
