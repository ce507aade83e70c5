import { sameJson, type JsonObject, type ManagedFieldsEntry } from '#domain';
import { ownMembers, isJsonObject, member } from '../patch/json-members.js';
import { typeOfKind, type GroupVersionKind } from '../schema/schema.js';
import { changedFields } from './changed-fields.js';
import { difference, isEmptySet, present, union } from './field-set.js';

/** Who writes, and how. */
export interface Writer {
  readonly manager: string;
  /** The object's `apiVersion`. */
  readonly apiVersion: string;
  /** RFC 3339, whole seconds. */
  readonly time: string;
  readonly subresource?: string;
}

/** Entries of ordinary writes that an object may have; of more, the oldest become one. Kubernetes' number. */
const maxUpdateEntries = 10;
const ancient = 'ancient-changes';

/**
 * `metadata.managedFields` after an ordinary write (an Update): the writer owns what the write made or changed, nobody
 * else does any more, and what is gone from the object is gone from every set. Of a create, `before` is empty and `after`
 * what was sent. A write that changes nothing leaves the list as it was. Server-side apply will stand beside this: it
 * takes the same sets and refuses conflicts between them.
 */
export function ownershipAfter(
  gvk: GroupVersionKind,
  before: JsonObject,
  after: JsonObject,
  writer: Writer,
  managedFields: readonly ManagedFieldsEntry[],
): readonly ManagedFieldsEntry[] {
  const type = typeOfKind(gvk);
  if (!type) return managedFields;
  const changed = changedFields(type, owned(before, writer.subresource), owned(after, writer.subresource));
  const entries = managedFields.flatMap((entry) => {
    const kept = present(entry.fieldsV1, after);
    const fieldsV1 = isWriters(entry, writer) ? kept : difference(kept, changed);
    if (isEmptySet(fieldsV1)) return [];
    return sameJson(fieldsV1, entry.fieldsV1) ? [entry] : [{ ...entry, fieldsV1 }];
  });
  return isEmptySet(changed) ? entries : bounded(withChanges(entries, writer, changed));
}

function withChanges(
  entries: readonly ManagedFieldsEntry[],
  writer: Writer,
  changed: JsonObject,
): readonly ManagedFieldsEntry[] {
  const { manager, apiVersion, time, subresource } = writer;
  const entry: ManagedFieldsEntry = {
    manager,
    operation: 'Update',
    apiVersion,
    time,
    fieldsType: 'FieldsV1',
    fieldsV1: union(entries.find((candidate) => isWriters(candidate, writer))?.fieldsV1 ?? {}, changed),
    ...(subresource === undefined ? {} : { subresource }),
  };
  const at = entries.findIndex((candidate) => isWriters(candidate, writer));
  return at < 0 ? [...entries, entry] : entries.map((candidate, index) => (index === at ? entry : candidate));
}

const isWriters = (entry: ManagedFieldsEntry, { manager, subresource }: Writer): boolean =>
  entry.operation === 'Update' && entry.manager === manager && entry.subresource === subresource;

/** Members of metadata that the server sets, and nobody owns. */
const serversOwn: readonly string[] = [
  'creationTimestamp',
  'deletionGracePeriodSeconds',
  'deletionTimestamp',
  'generation',
  'managedFields',
  'name',
  'namespace',
  'resourceVersion',
  'selfLink',
  'uid',
];

/** The part of an object that a write can own: not the status, unless it is written through `/status`, and then not the spec. */
function owned(object: JsonObject, subresource: string | undefined): JsonObject {
  const hidden = ['apiVersion', 'kind', subresource === 'status' ? 'spec' : 'status'];
  const part = ownMembers(object, (key) => !hidden.includes(key));
  const metadata = member(object, 'metadata');
  return isJsonObject(metadata)
    ? { ...part, metadata: ownMembers(metadata, (key) => !serversOwn.includes(key)) }
    : part;
}

function bounded(entries: readonly ManagedFieldsEntry[]): readonly ManagedFieldsEntry[] {
  const updates = entries.filter(({ operation }) => operation === 'Update');
  if (updates.length <= maxUpdateEntries) return entries;
  const byAge = [...updates].sort((a, b) => compare(a.time ?? '', b.time ?? ''));
  const old = new Set(byAge.slice(0, updates.length - maxUpdateEntries + 1));
  const last = [...old].at(-1);
  if (!last) return entries;
  const { subresource: _, ...rest } = last;
  const fieldsV1 = [...old].reduce<JsonObject>((set, entry) => union(set, entry.fieldsV1), {});
  return [{ ...rest, manager: ancient, fieldsV1 }, ...entries.filter((entry) => !old.has(entry))];
}

const compare = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);

/**
 * The entries that tell `after` from `before`, as events carry them: new and changed ones whole, those that are gone with
 * empty `fieldsV1`.
 */
export function ownershipDelta(
  before: readonly ManagedFieldsEntry[],
  after: readonly ManagedFieldsEntry[],
): readonly ManagedFieldsEntry[] {
  const key = ({ manager, operation, subresource }: ManagedFieldsEntry): string =>
    JSON.stringify([manager, operation, subresource ?? '']);
  const [was, is] = [new Map(before.map((entry) => [key(entry), entry])), new Set(after.map(key))];
  const gone = before.filter((entry) => !is.has(key(entry))).map((entry) => ({ ...entry, fieldsV1: {} }));
  return [...gone, ...after.filter((entry) => !sameEntry(was.get(key(entry)), entry))];
}

const sameEntry = (a: ManagedFieldsEntry | undefined, b: ManagedFieldsEntry): boolean =>
  a !== undefined && a.time === b.time && a.apiVersion === b.apiVersion && sameJson(a.fieldsV1, b.fieldsV1);
