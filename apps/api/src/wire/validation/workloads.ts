import { type FieldFault, type Json, sameJson } from '#domain';
import type { Wire } from '../schema/wire-type.js';
import { forbidden, invalid, notNegative, notSupported, required } from './faults.js';
import { metadataChangeFaults, metadataFaults } from './metadata.js';
import { selectorOfWorkloadFaults, templateFaults, templateWarnings } from './pod-template.js';

type ReplicaSet = Wire<'apps.v1.ReplicaSet'>;
type ControllerRevision = Wire<'apps.v1.ControllerRevision'>;
type DaemonSet = Wire<'apps.v1.DaemonSet'>;
type Deployment = Wire<'apps.v1.Deployment'>;
type IntOrString = number | string;

/** As much of a workload as all of its kind have alike. */
interface Workload {
  readonly metadata?: Wire<'meta.v1.ObjectMeta'>;
  readonly spec?: {
    readonly selector?: Wire<'meta.v1.LabelSelector'>;
    readonly template?: Wire<'core.v1.PodTemplateSpec'>;
  };
}

/** What an edit may not do to a workload of any kind: its selector is fixed. */
export const workloadChangeFaults = (before: Workload, after: Workload): FieldFault[] => [
  ...metadataChangeFaults(before.metadata, after.metadata),
  ...(sameJson(before.spec?.selector, after.spec?.selector)
    ? []
    : [invalid('spec.selector', after.spec?.selector, 'field is immutable')]),
];

/** What the pods of a workload ask for that is recorded and has no effect yet. */
export const workloadWarnings = (workload: Workload): string[] => templateWarnings(workload.spec?.template);

/** What is wrong with a replica set, its defaults included. */
export function validateReplicaSet({ metadata, spec = {} }: ReplicaSet): FieldFault[] {
  return [
    ...metadataFaults(metadata),
    ...notNegative('spec.replicas', spec.replicas),
    ...notNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...selectorOfWorkloadFaults(spec.selector, spec.template, 'a replica set'),
    ...templateFaults(spec.template, ['Always']),
  ];
}

/** What is wrong with a deployment, its defaults included. */
export function validateDeployment({ metadata, spec = {} }: Deployment): FieldFault[] {
  const { minReadySeconds = 0, progressDeadlineSeconds } = spec;
  return [
    ...metadataFaults(metadata),
    ...notNegative('spec.replicas', spec.replicas),
    ...selectorOfWorkloadFaults(spec.selector, spec.template, 'deployment'),
    ...templateFaults(spec.template, ['Always']),
    ...strategyFaults(spec.strategy),
    ...notNegative('spec.minReadySeconds', minReadySeconds),
    ...notNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit),
    ...notNegative('spec.progressDeadlineSeconds', progressDeadlineSeconds),
    ...(progressDeadlineSeconds !== undefined && progressDeadlineSeconds <= minReadySeconds
      ? [invalid('spec.progressDeadlineSeconds', progressDeadlineSeconds, 'must be greater than minReadySeconds')]
      : []),
  ];
}

/** What is wrong with a template kept for a rollback. */
export function validateControllerRevision({ metadata, data, revision }: ControllerRevision): FieldFault[] {
  return [
    ...metadataFaults(metadata),
    ...notNegative('revision', revision),
    ...(data === undefined ? [required('data', 'data is mandatory')] : []),
  ];
}

/** What is wrong with an edit of one: what it holds is fixed. */
export const validateControllerRevisionUpdate = (
  before: ControllerRevision,
  after: ControllerRevision,
): FieldFault[] => [
  ...validateControllerRevision(after),
  ...metadataChangeFaults(before.metadata, after.metadata),
  ...(sameJson(before.data, after.data) ? [] : [invalid('data', after.data, 'field is immutable')]),
];

/** What is wrong with a daemon set, its defaults included. */
export function validateDaemonSet({ metadata, spec = {} }: DaemonSet): FieldFault[] {
  return [
    ...metadataFaults(metadata),
    ...selectorOfWorkloadFaults(spec.selector, spec.template, 'daemonset'),
    ...templateFaults(spec.template, ['Always']),
    ...notNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...notNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit),
    ...daemonStrategyFaults(spec.updateStrategy),
  ];
}

function daemonStrategyFaults(strategy: Wire<'apps.v1.DaemonSetUpdateStrategy'> | undefined): FieldFault[] {
  const at = 'spec.updateStrategy';
  const { type, rollingUpdate } = strategy ?? {};
  if (type === undefined || type === 'OnDelete') return [];
  if (type !== 'RollingUpdate') return [notSupported(`${at}.type`, type, ['OnDelete', 'RollingUpdate'])];
  if (!rollingUpdate) return [required(`${at}.rollingUpdate`)];
  const { maxSurge, maxUnavailable } = rollingUpdate;
  const isBoth = !isZero(maxSurge ?? 0) && !isZero(maxUnavailable ?? 0);
  return [
    ...shareFaults(maxUnavailable, `${at}.rollingUpdate.maxUnavailable`),
    ...shareFaults(maxSurge, `${at}.rollingUpdate.maxSurge`),
    ...atMostAll(maxUnavailable, `${at}.rollingUpdate.maxUnavailable`),
    ...atMostAll(maxSurge, `${at}.rollingUpdate.maxSurge`),
    ...(isBoth
      ? [invalid(`${at}.rollingUpdate.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero')]
      : []),
    ...(isZero(maxSurge) && isZero(maxUnavailable)
      ? [required(`${at}.rollingUpdate.maxUnavailable`, 'cannot be 0 when maxSurge is 0')]
      : []),
  ];
}

function strategyFaults(strategy: Wire<'apps.v1.DeploymentStrategy'> | undefined): FieldFault[] {
  const at = 'spec.strategy';
  if (strategy?.type === undefined) return [];
  switch (strategy.type) {
    case 'Recreate':
      return strategy.rollingUpdate
        ? [forbidden(`${at}.rollingUpdate`, "may not be specified when strategy `type` is 'Recreate'")]
        : [];
    case 'RollingUpdate':
      return strategy.rollingUpdate
        ? rollingFaults(strategy.rollingUpdate, `${at}.rollingUpdate`)
        : [required(`${at}.rollingUpdate`, 'this should be defaulted and never be nil')];
    default:
      return [notSupported(`${at}.type`, strategy.type, ['Recreate', 'RollingUpdate'])];
  }
}

/** How far an update may go. That both are zero would leave it no way to move. */
function rollingFaults(
  { maxSurge, maxUnavailable }: { readonly maxSurge?: IntOrString; readonly maxUnavailable?: IntOrString },
  at: string,
): FieldFault[] {
  return [
    ...shareFaults(maxUnavailable, `${at}.maxUnavailable`),
    ...shareFaults(maxSurge, `${at}.maxSurge`),
    ...(isZero(maxUnavailable) && isZero(maxSurge)
      ? [invalid(`${at}.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0')]
      : []),
    ...atMostAll(maxUnavailable, `${at}.maxUnavailable`),
  ];
}

const atMostAll = (value: IntOrString | undefined, at: string): FieldFault[] =>
  typeof value === 'string' && Number.parseInt(value, 10) > 100
    ? [invalid(at, value, 'must not be greater than 100%')]
    : [];

const isZero = (value: IntOrString | undefined): boolean => value === 0 || value === '0%';

function shareFaults(value: Json | undefined, at: string): FieldFault[] {
  if (typeof value === 'number') return notNegative(at, value);
  if (typeof value !== 'string' || /^\d+%$/.test(value)) return [];
  const rule =
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";
  return [invalid(at, value, rule)];
}
