import { type FieldFault, type Json, sameJson } from '#domain';
import type { Wire } from '../schema/wire-type.js';
import { forbidden, invalid, notNegative, notSupported, required } from './faults.js';
import { metadataChangeFaults, metadataFaults } from './metadata.js';
import { selectorOfWorkloadFaults, templateFaults, templateWarnings } from './pod-template.js';

type ReplicaSet = Wire<'apps.v1.ReplicaSet'>;
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
export function rollingFaults(
  { maxSurge, maxUnavailable }: { readonly maxSurge?: IntOrString; readonly maxUnavailable?: IntOrString },
  at: string,
): FieldFault[] {
  return [
    ...shareFaults(maxUnavailable, `${at}.maxUnavailable`),
    ...shareFaults(maxSurge, `${at}.maxSurge`),
    ...(isZero(maxUnavailable) && isZero(maxSurge)
      ? [invalid(`${at}.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0')]
      : []),
    ...(typeof maxUnavailable === 'string' && Number.parseInt(maxUnavailable, 10) > 100
      ? [invalid(`${at}.maxUnavailable`, maxUnavailable, 'must not be greater than 100%')]
      : []),
  ];
}

const isZero = (value: IntOrString | undefined): boolean => value === 0 || value === '0%';

function shareFaults(value: Json | undefined, at: string): FieldFault[] {
  if (typeof value === 'number') return notNegative(at, value);
  if (typeof value !== 'string' || /^\d+%$/.test(value)) return [];
  const rule =
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";
  return [invalid(at, value, rule)];
}
