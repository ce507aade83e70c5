import { notFound, type Kind, type Revision, type StoredObject } from '#domain';
import type { ClusterProjection } from '#eventlog';
import type { ResourceDefinition } from '../resources/resource.js';
import type { SecretKeys } from '../secrets/secret-keys.js';
import { badRequest, invalidOption } from '../status-error.js';
import type { Selection } from '../watch/watch-event.js';
import { isSelected } from '../watch/watch-event.js';
import { matchesFields, matchesLabels, parseFieldSelector, parseLabelSelector, selectedName } from '../wire/index.js';
import { decodeContinue, encodeContinue, listKey } from './continue-token.js';
import type { History } from './history.js';
import type { RecentChanges } from './recent-changes.js';
import { parseRevision, untilLatest, untilReached } from './revisions.js';

/** Query parameters of a list, as sent. */
export interface ListQuery {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: string;
  readonly continue?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: string;
}

/** One page of a list: a consistent snapshot at `revision`, whatever has happened since. */
export interface ListPage {
  readonly objects: readonly StoredObject[];
  readonly revision: Revision;
  readonly continue?: string;
  /** How many are left, where that is known without reading on. */
  readonly remaining?: number;
}

/** Reads objects: now, at least as new as a revision, or exactly as they were at one. */
export class ObjectReader {
  constructor(
    private readonly projection: ClusterProjection,
    private readonly recent: RecentChanges,
    private readonly history: History,
    private readonly keys: SecretKeys,
  ) {}

  /**
   * One object. Without a resourceVersion it is what the log held when asked. Throws NotFound, 400 of a malformed
   * version, 504 of one that does not come.
   */
  async get(
    definition: ResourceDefinition,
    namespace: string,
    name: string,
    resourceVersion?: string,
  ): Promise<StoredObject> {
    const atLeast = parseRevision(resourceVersion);
    if (atLeast === undefined) await untilLatest(this.projection);
    else await untilReached(this.projection, atLeast);
    const object = this.projection.state.get(definition.streamOf(namespace, name));
    const [shown] = await this.keys.reveal(definition, object ? [object] : []);
    if (!shown) throw notFound(definition.stored, name);
    return shown;
  }

  async list(definition: ResourceDefinition, namespace: string | undefined, query: ListQuery): Promise<ListPage> {
    const selection = selectionOf(definition, namespace, query);
    const limit = parseLimit(query.limit);
    const from = query.continue ? continued(query) : undefined;
    const revision = from ? await this.known(from.revision) : await this.settle(query, limit);
    const objects = (await this.listAt(revision, selection.kind, namespace))
      .filter((object) => isSelected(selection, object))
      .map((object) => ({ key: listKey(object.meta), object }))
      .filter(({ key }) => from === undefined || key > from.after)
      .sort((a, b) => (a.key < b.key ? -1 : 1));
    const page = limit === undefined ? objects : objects.slice(0, limit);
    const last = page.at(-1);
    const remaining = objects.length - page.length;
    const selects = Boolean(query.labelSelector) || Boolean(query.fieldSelector);
    return {
      objects: await this.keys.reveal(
        definition,
        page.map(({ object }) => object),
      ),
      revision,
      ...(remaining > 0 && last && { continue: encodeContinue({ revision, after: last.key }) }),
      ...(remaining > 0 && !selects && { remaining }),
    };
  }

  /** The revision of a continue token: another replica may have given it, but no token comes from the future. Throws 400. */
  private async known(revision: Revision): Promise<Revision> {
    if (this.projection.revision < revision && (await untilLatest(this.projection)) < revision)
      throw badRequest('continue key is not valid: there is no such revision');
    return revision;
  }

  /** Waits until the revision that the query asks for is there, and says which it is. */
  private async settle(query: ListQuery, limit: number | undefined): Promise<Revision> {
    const wanted = parseRevision(query.resourceVersion);
    const match = query.resourceVersionMatch || undefined;
    if (match !== undefined && match !== 'Exact' && match !== 'NotOlderThan')
      throw invalidOption(
        'ListOptions',
        'resourceVersionMatch',
        `Unsupported value: ${JSON.stringify(match)}: supported values: "Exact", "NotOlderThan", ""`,
      );
    if (match !== undefined && wanted === undefined)
      throw invalidOption(
        'ListOptions',
        'resourceVersionMatch',
        'Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
      );
    if (match === 'Exact' && wanted === 0)
      throw invalidOption(
        'ListOptions',
        'resourceVersionMatch',
        'Forbidden: resourceVersionMatch "Exact" is forbidden for resourceVersion "0"',
      );
    if (wanted === undefined) await untilLatest(this.projection);
    else await untilReached(this.projection, wanted);
    // A page at a bare version has meant that very version since before there was resourceVersionMatch.
    const exact =
      match === 'Exact' || (match === undefined && limit !== undefined && wanted !== undefined && wanted > 0);
    return exact && wanted !== undefined ? wanted : this.projection.revision;
  }

  private async listAt(revision: Revision, kind: Kind, namespace: string | undefined): Promise<StoredObject[]> {
    if (this.recent.covers(revision)) return this.recent.listAt(revision, kind);
    return (await this.history.at(revision)).list(kind, namespace);
  }
}

/** What a list or a watch is about. Throws 400 on selectors that cannot be read. */
export function selectionOf(
  definition: ResourceDefinition,
  namespace: string | undefined,
  query: Pick<ListQuery, 'labelSelector' | 'fieldSelector'>,
): Selection {
  const { stored: kind, fields, wire } = definition;
  const labels = parseLabelSelector(query.labelSelector ?? '');
  const requirements = parseFieldSelector(query.fieldSelector ?? '', Object.keys(fields));
  const name = selectedName(requirements);
  const matches = (object: StoredObject): boolean => {
    if (name !== undefined && object.meta.name !== name) return false;
    if (!matchesLabels(labels, object.meta.labels)) return false;
    if (requirements.length === 0) return true;
    const form = wire(object);
    return matchesFields(requirements, (field) => {
      if (field === 'metadata.name') return object.meta.name;
      if (field === 'metadata.namespace') return object.meta.namespace;
      return fields[field]?.(form);
    });
  };
  return { kind, ...(namespace !== undefined && { namespace }), matches };
}

function continued(query: ListQuery): { revision: Revision; after: string } {
  if (query.resourceVersionMatch)
    throw invalidOption(
      'ListOptions',
      'resourceVersionMatch',
      'Forbidden: resourceVersionMatch is forbidden when continue is provided',
    );
  const wanted = parseRevision(query.resourceVersion);
  if (wanted !== undefined && wanted !== 0)
    throw badRequest('specifying resource version is not allowed when using continue');
  return decodeContinue(query.continue ?? '');
}

/** `undefined`: no limit, as `0` means. */
function parseLimit(text: string | undefined): number | undefined {
  if (text === undefined || text === '' || text === '0') return undefined;
  if (!/^\d{1,9}$/.test(text))
    throw badRequest(`Invalid value: ${JSON.stringify(text)}: limit must be a number of 0 or more`);
  return Number(text) || undefined;
}
