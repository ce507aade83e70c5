import { sameJson, type FieldFault } from '#domain';
import type { Wire } from '../schema/wire-type.js';
import { duplicates, forbidden, invalid, invalidFor, oneOf, required } from './faults.js';
import { finalizerFaults, metadataChangeFaults, metadataFaults } from './metadata.js';
import { dnsLabelProblems, labelKeyProblems, labelValueProblems } from './names.js';

type Namespace = Wire<'core.v1.Namespace'>;
type Node = Wire<'core.v1.Node'>;
type CoreEvent = Wire<'core.v1.Event'>;
type NewEvent = Wire<'events.v1.Event'>;

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
  return [...placedEventFaults(event), ...(event.eventTime ? [] : [required('eventTime')]), ...newEventFaults(event)];
}

/** What of an event tells what happened: through events.k8s.io/v1 only its series and its metadata are edited. */
const toldOnce = [
  'regarding',
  'related',
  'reason',
  'note',
  'type',
  'action',
  'eventTime',
  'reportingController',
  'reportingInstance',
  'deprecatedSource',
  'deprecatedFirstTimestamp',
  'deprecatedLastTimestamp',
  'deprecatedCount',
] as const;

/**
 * What is wrong with an edit through events.k8s.io/v1. Events of core/v1 are edited there too, and are not held to rules that
 * came after them. Source: Kubernetes' validation of event updates.
 */
export function validateNewEventUpdate(before: NewEvent, after: NewEvent): FieldFault[] {
  return [
    ...placedEventFaults(after),
    ...metadataChangeFaults(before.metadata, after.metadata),
    ...(after.eventTime ? newEventFaults(after) : []),
    ...toldOnce
      .filter((field) => !sameJson(before[field] ?? null, after[field] ?? null))
      .map((field) => invalid(field, after[field], 'field is immutable')),
  ];
}

const placedEventFaults = ({ metadata, regarding }: NewEvent): FieldFault[] => [
  ...metadataFaults(metadata),
  ...placeFaults(metadata?.namespace, regarding?.namespace, 'regarding.namespace'),
];

const newEventFaults = ({ reportingController, ...rest }: NewEvent): FieldFault[] =>
  seriesEventFaults({ ...rest, reportingComponent: reportingController }, 'reportingController');

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
