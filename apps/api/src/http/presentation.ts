import type { JsonObject, Millis, Revision, StoredObject } from '#domain';
import type { ListPage } from '../read/object-reader.js';
import type { ResourceDefinition } from '../resources/resource.js';
import { objectAt } from '../resources/wire-values.js';
import type { WatchEvent } from '../watch/watch-event.js';
import {
  apiVersionOf,
  partialObjectMetadata,
  partialObjectMetadataList,
  tableOf,
  type AnswerForm,
  type IncludeObject,
  type TableRow,
} from '../wire/index.js';

/** How the answers to one request look. */
export interface View {
  readonly definition: ResourceDefinition;
  readonly form: AnswerForm;
  readonly includeObject: IncludeObject;
}

/** One object in the form asked for. */
export function presentObject({ definition, form, includeObject }: View, object: JsonObject, now: Millis): JsonObject {
  switch (form.as) {
    case 'Table': {
      const { resourceVersion } = objectAt(object, 'metadata');
      return tableOf([rowOf(definition, object, now)], {
        version: form.version,
        include: includeObject,
        metadata: { resourceVersion },
        columns: definition.columns,
      });
    }
    case 'PartialObjectMetadata':
      return partialObjectMetadata(object, form.version);
    default:
      return object;
  }
}

/** A list in the form asked for. Items of typed lists carry no kind: the list's says it. */
export function presentList({ definition, form, includeObject }: View, page: ListPage, now: Millis): JsonObject {
  const metadata: JsonObject = {
    resourceVersion: String(page.revision),
    ...(page.continue !== undefined && { continue: page.continue }),
    ...(page.remaining !== undefined && { remainingItemCount: page.remaining }),
  };
  const wires = page.objects.map((object) => definition.wire(object));
  switch (form.as) {
    case 'Table':
      return tableOf(
        wires.map((wire) => rowOf(definition, wire, now)),
        { version: form.version, include: includeObject, metadata, columns: definition.columns },
      );
    case 'PartialObjectMetadataList':
      return partialObjectMetadataList(wires, metadata, form.version);
    default:
      return {
        kind: `${definition.kind}List`,
        apiVersion: apiVersionOf(definition),
        metadata,
        items: wires.map(({ kind: _kind, apiVersion: _apiVersion, ...item }) => item),
      };
  }
}

/** The lines of one watch. Column definitions go with its first Table only. */
export class WatchPresenter {
  private first = true;

  constructor(private readonly view: View) {}

  line(event: WatchEvent, now: Millis): string {
    const object =
      event.type === 'BOOKMARK'
        ? this.bookmark(event.revision, event.initialEventsEnd)
        : this.object(event.object, now);
    return `${JSON.stringify({ type: event.type, object })}\n`;
  }

  private object(object: StoredObject, now: Millis): JsonObject {
    const { definition, form, includeObject } = this.view;
    const wire = definition.wire(object);
    if (form.as !== 'Table') return presentObject(this.view, wire, now);
    const { resourceVersion } = objectAt(wire, 'metadata');
    return tableOf([rowOf(definition, wire, now)], {
      version: form.version,
      include: includeObject,
      metadata: { resourceVersion },
      ...this.columnsOnce(),
    });
  }

  private bookmark(revision: Revision, initialEventsEnd: boolean): JsonObject {
    const { definition, form } = this.view;
    const metadata: JsonObject = {
      resourceVersion: String(revision),
      creationTimestamp: null,
      ...(initialEventsEnd && { annotations: { 'k8s.io/initial-events-end': 'true' } }),
    };
    switch (form.as) {
      case 'Table':
        return tableOf([], {
          version: form.version,
          include: 'None',
          metadata: { resourceVersion: String(revision) },
          ...this.columnsOnce(),
        });
      case 'PartialObjectMetadata':
        return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${form.version}`, metadata };
      default:
        return { kind: definition.kind, apiVersion: apiVersionOf(definition), metadata };
    }
  }

  private columnsOnce(): Pick<ResourceDefinition, 'columns'> | undefined {
    const columns = this.first ? { columns: this.view.definition.columns } : undefined;
    this.first = false;
    return columns;
  }
}

const rowOf = (definition: ResourceDefinition, object: JsonObject, now: Millis): TableRow => ({
  cells: definition.columns.map(({ cell }) => cell(object, now)),
  object,
});
