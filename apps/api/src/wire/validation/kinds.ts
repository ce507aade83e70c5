import { sameJson, type FieldFault } from '#domain';
import type { Wire } from '../schema/wire-type.js';
import { duplicates, forbidden, invalid, invalidFor, notNegative, oneOf, required } from './faults.js';
import { finalizerFaults, labelFaults, metadataChangeFaults, metadataFaults } from './metadata.js';
import { dnsLabelProblems, labelKeyProblems, labelValueProblems } from './names.js';
import { ignoredFeatures, refusedFeatures } from './not-yet.js';
import { podAnnotationFaults } from './pod-annotations.js';
import { podSpecFaults } from './pod-spec.js';
import { labelSelectorOf, matchesLabels } from '../selectors/label-selector.js';

type ReplicaSet = Wire<'apps.v1.ReplicaSet'>;
type Namespace = Wire<'core.v1.Namespace'>;
type Node = Wire<'core.v1.Node'>;
type CoreEvent = Wire<'core.v1.Event'>;
type NewEvent = Wire<'events.v1.Event'>;
type LabelSelector = Wire<'meta.v1.LabelSelector'>;

/** What is wrong with a new replica set, its defaults included. */
export function validateReplicaSet(set: ReplicaSet): FieldFault[] {
  return [...metadataFaults(set.metadata), ...replicaSetSpecFaults(set.spec ?? {})];
}

/** What is wrong with an edit of a replica set. */
export function validateReplicaSetUpdate(before: ReplicaSet, after: ReplicaSet): FieldFault[] {
  const { selector } = after.spec ?? {};
  return [
    ...metadataFaults(after.metadata),
    ...metadataChangeFaults(before.metadata, after.metadata),
    ...replicaSetSpecFaults(after.spec ?? {}),
    ...(sameJson(before.spec?.selector, selector) ? [] : [invalid('spec.selector', selector, 'field is immutable')]),
  ];
}

/** What a replica set's pods ask for that is recorded and has no effect yet. */
export const replicaSetWarnings = (set: ReplicaSet): string[] =>
  ignoredFeatures('core.v1.PodSpec', set.spec?.template?.spec ?? {}, 'spec.template.spec');

function replicaSetSpecFaults(spec: Wire<'apps.v1.ReplicaSetSpec'>): FieldFault[] {
  const { selector, template } = spec;
  const faults = [
    ...notNegative('spec.replicas', spec.replicas),
    ...notNegative('spec.minReadySeconds', spec.minReadySeconds),
  ];
  const broken = selector ? selectorFaults(selector, 'spec.selector') : [required('spec.selector')];
  faults.push(...broken);
  if (selector && isEmptySelector(selector)) {
    faults.push(invalid('spec.selector', selector, 'empty selector is invalid for a replica set'));
  }
  if (!template) return [...faults, required('spec.template')];
  const labels = template.metadata?.labels;
  faults.push(...labelFaults(labels, 'spec.template.metadata.labels'));
  if (selector && broken.length === 0 && !matchesLabels(labelSelectorOf(selector), labels)) {
    faults.push(invalid('spec.template.metadata.labels', labels ?? {}, '`selector` does not match template `labels`'));
  }
  const podSpec = template.spec ?? {};
  return [
    ...faults,
    ...podAnnotationFaults(template.metadata?.annotations, podSpec, 'spec.template.metadata.annotations'),
    ...podSpecFaults(podSpec, 'spec.template.spec'),
    ...(podSpec.restartPolicy === undefined || podSpec.restartPolicy === 'Always'
      ? []
      : oneOf('spec.template.spec.restartPolicy', podSpec.restartPolicy, ['Always'])),
    ...refusedFeatures('core.v1.PodSpec', podSpec, 'spec.template.spec'),
  ];
}

const isEmptySelector = ({ matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean =>
  Object.keys(matchLabels).length === 0 && matchExpressions.length === 0;

/** What is wrong with a label selector. */
export function selectorFaults({ matchLabels, matchExpressions = [] }: LabelSelector, path: string): FieldFault[] {
  return [
    ...labelFaults(matchLabels, `${path}.matchLabels`),
    ...matchExpressions.flatMap(({ key, operator, values = [] }, index) => {
      const at = `${path}.matchExpressions[${index}]`;
      const listed = operator === 'In' || operator === 'NotIn';
      const bare = operator === 'Exists' || operator === 'DoesNotExist';
      return [
        ...(key ? invalidFor(`${at}.key`, key, labelKeyProblems(key)) : [required(`${at}.key`)]),
        ...(listed || bare ? [] : [invalid(`${at}.operator`, operator ?? '', 'not a valid selector operator')]),
        ...(listed && values.length === 0
          ? [required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'")]
          : []),
        ...(bare && values.length > 0
          ? [forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")]
          : []),
        ...values.flatMap((value) => invalidFor(`${at}.values`, value, labelValueProblems(value))),
      ];
    }),
  ];
}

/** What is wrong with a new namespace. */
export function validateNamespace(namespace: Namespace): FieldFault[] {
  return [
    ...metadataFaults(namespace.metadata, dnsLabelProblems),
    ...(namespace.spec?.finalizers ?? []).flatMap((finalizer, index) =>
      finalizerFaults(finalizer, `spec.finalizers[${index}]`),
    ),
  ];
}

/** What is wrong with an edit of a namespace. */
export const validateNamespaceUpdate = (before: Namespace, after: Namespace): FieldFault[] => [
  ...validateNamespace(after),
  ...metadataChangeFaults(before.metadata, after.metadata),
];

/** What is wrong with a node. */
export function validateNode(node: Node): FieldFault[] {
  const taints = node.spec?.taints ?? [];
  return [
    ...metadataFaults(node.metadata),
    ...taints.flatMap(({ key, value, effect }, index) => {
      const at = `spec.taints[${index}]`;
      return [
        ...(key ? invalidFor(`${at}.key`, key, labelKeyProblems(key)) : [required(`${at}.key`)]),
        ...(value ? invalidFor(`${at}.value`, value, labelValueProblems(value)) : []),
        ...(effect
          ? oneOf(`${at}.effect`, effect, ['NoExecute', 'NoSchedule', 'PreferNoSchedule'])
          : [required(`${at}.effect`)]),
      ];
    }),
    ...duplicates(
      taints,
      ({ key = '', effect = '' }) => `${key}:${effect}`,
      (index) => `spec.taints[${index}]`,
    ),
  ];
}

/** What is wrong with an edit of a node: where it is and which addresses its pods get is its own to say. */
export function validateNodeUpdate(before: Node, after: Node): FieldFault[] {
  const fixed = ['podCIDR', 'podCIDRs', 'providerID', 'externalID', 'configSource'] as const;
  return [
    ...validateNode(after),
    ...metadataChangeFaults(before.metadata, after.metadata),
    ...fixed
      .filter((field) => after.spec?.[field] !== undefined && !sameJson(before.spec?.[field], after.spec[field]))
      .map((field) => forbidden(`spec.${field}`, 'node updates may not change this field')),
  ];
}

/** What is wrong with an event of core/v1. */
export function validateEvent(event: CoreEvent): FieldFault[] {
  const { involvedObject } = event;
  const place = placeFaults(event.metadata?.namespace, involvedObject?.namespace, 'involvedObject.namespace');
  return [...metadataFaults(event.metadata), ...place, ...(event.eventTime ? seriesEventFaults(event) : [])];
}

/** What is wrong with an event of events.k8s.io/v1. */
export function validateNewEvent(event: NewEvent): FieldFault[] {
  const place = placeFaults(event.metadata?.namespace, event.regarding?.namespace, 'regarding.namespace');
  const { reportingController, ...rest } = event;
  return [
    ...metadataFaults(event.metadata),
    ...place,
    ...(event.eventTime ? [] : [required('eventTime')]),
    ...seriesEventFaults({ ...rest, reportingComponent: reportingController }, 'reportingController'),
  ];
}

/** An event lies in the namespace of what it is about; those about cluster-scoped things in `default`. */
function placeFaults(namespace = '', involved = '', path: string): FieldFault[] {
  if (involved === namespace || (involved === '' && ['', 'default', 'kube-system'].includes(namespace))) return [];
  return [invalid(path, involved, 'does not match event.namespace')];
}

/** The rules that came with `eventTime`; older events are not held to them. */
function seriesEventFaults(
  {
    reportingComponent,
    reportingInstance,
    action,
    reason,
    type,
  }: Partial<Pick<CoreEvent, 'reportingComponent' | 'reportingInstance' | 'action' | 'reason' | 'type'>>,
  component = 'reportingComponent',
): FieldFault[] {
  const long = (field: string, value = ''): FieldFault[] =>
    value.length > 128 ? [invalid(field, '', 'can have at most 128 characters')] : [];
  return [
    ...(reportingComponent
      ? invalidFor(component, reportingComponent, labelKeyProblems(reportingComponent))
      : [required(component)]),
    ...(reportingInstance ? long('reportingInstance', reportingInstance) : [required('reportingInstance')]),
    ...(action ? long('action', action) : [required('action')]),
    ...(reason ? long('reason', reason) : [required('reason')]),
    ...(type === 'Normal' || type === 'Warning'
      ? []
      : [invalid('type', type ?? '', 'has invalid value: Normal or Warning')]),
  ];
}
