import type { FieldFault } from '#domain';
import type { Wire } from '../schema/wire-type.js';
import type { ObjectMeta } from '../wire-objects.js';
import { forbidden, invalid, invalidFor, required, tooLong } from './faults.js';
import { dnsSubdomainProblems, labelKeyProblems, labelValueProblems } from './names.js';

/** How much the keys and values of an object's annotations may have together. Bytes; Kubernetes' limit. */
export const maxAnnotationBytes = 256 * 1024;

/** What is wrong with an object's metadata. `nameProblems` is the grammar of the kind's names. */
export function metadataFaults(
  metadata: ObjectMeta = {},
  nameProblems: (name: string) => string[] = dnsSubdomainProblems,
  path = 'metadata',
): FieldFault[] {
  const { name, generateName, labels, annotations, ownerReferences = [], finalizers = [] } = metadata;
  const faults: FieldFault[] = [];
  if (generateName) {
    // What is generated begins with this, so all but its last character must already be right.
    faults.push(...invalidFor(`${path}.generateName`, generateName, nameProblems(`${generateName}a`)));
  }
  if (name) faults.push(...invalidFor(`${path}.name`, name, nameProblems(name)));
  else if (!generateName) faults.push(required(`${path}.name`, 'name or generateName is required'));
  return [
    ...faults,
    ...labelFaults(labels, `${path}.labels`),
    ...annotationFaults(annotations, `${path}.annotations`),
    ...ownerFaults(ownerReferences, `${path}.ownerReferences`),
    ...finalizers.flatMap((finalizer, index) => finalizerFaults(finalizer, `${path}.finalizers[${index}]`)),
  ];
}

export function labelFaults(labels: Readonly<Record<string, string>> = {}, path: string): FieldFault[] {
  return Object.entries(labels).flatMap(([key, value]) => [
    ...invalidFor(path, key, labelKeyProblems(key)),
    ...invalidFor(path, value, labelValueProblems(value)),
  ]);
}

export function annotationFaults(annotations: Readonly<Record<string, string>> = {}, path: string): FieldFault[] {
  const entries = Object.entries(annotations);
  const bytes = entries.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
  return [
    // Keys of annotations may have capital letters.
    ...entries.flatMap(([key]) => invalidFor(path, key, labelKeyProblems(key.toLowerCase()))),
    ...(bytes > maxAnnotationBytes ? [tooLong(path, maxAnnotationBytes)] : []),
  ];
}

function ownerFaults(owners: readonly Wire<'meta.v1.OwnerReference'>[], path: string): FieldFault[] {
  const faults = owners.flatMap((owner, index) => {
    const at = `${path}[${index}]`;
    const missing = (['apiVersion', 'kind', 'name', 'uid'] as const).filter((field) => !owner[field]);
    return [
      ...missing.map((field) => required(`${at}.${field}`)),
      ...(owner.apiVersion === 'v1' && owner.kind === 'Event'
        ? [invalid(at, `${owner.apiVersion}, Kind=Event`, 'is disallowed from being an owner')]
        : []),
    ];
  });
  const controllers = owners.filter((owner) => owner.controller);
  if (controllers.length > 1) {
    const names = controllers.map((owner) => owner.name ?? '').join(', ');
    faults.push(invalid(path, names, 'Only one reference can have Controller set to true'));
  }
  return faults;
}

const standardFinalizers: readonly string[] = ['kubernetes', 'orphan', 'foregroundDeletion'];

export function finalizerFaults(finalizer: string, path: string): FieldFault[] {
  const problems = labelKeyProblems(finalizer);
  if (problems.length > 0) return invalidFor(path, finalizer, problems);
  if (finalizer.includes('/') || standardFinalizers.includes(finalizer)) return [];
  return [invalid(path, finalizer, 'name is neither a standard finalizer name nor is it fully qualified')];
}

/** What an update may not change, of any kind. */
export function metadataChangeFaults(before: ObjectMeta = {}, after: ObjectMeta = {}): FieldFault[] {
  const known = new Set(before.finalizers);
  const fixed = [
    'name',
    'namespace',
    'uid',
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
  ] as const;
  return [
    ...fixed
      .filter((field) => after[field] !== undefined && after[field] !== before[field])
      .map((field) => invalid(`metadata.${field}`, after[field], 'field is immutable')),
    ...(before.deletionTimestamp
      ? (after.finalizers ?? [])
          .filter((finalizer) => !known.has(finalizer))
          .map((finalizer) =>
            forbidden(
              'metadata.finalizers',
              `no new finalizers can be added if the object is being deleted, found new finalizers ${JSON.stringify([finalizer])}`,
            ),
          )
      : []),
  ];
}
