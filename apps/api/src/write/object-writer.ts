import {
  DomainError,
  namespaceStream,
  notFound,
  refuseInNamespace,
  rfc3339,
  sameJson,
  type Clock,
  type ClusterState,
  type FieldFault,
  type IdSource,
  type JsonObject,
  type Preconditions,
  type StoredObject,
} from '#domain';
import { ownerReferencesOf, ofKind } from '../resources/editing.js';
import type { ResourceDefinition, Subresource } from '../resources/resource.js';
import { objectAt, stringsAt, textAt, textsAt } from '../resources/wire-values.js';
import { badRequest, methodNotAllowed } from '../status-error.js';
import {
  apiVersionOf,
  defaulted,
  faultsOf,
  faultsOfChange,
  ownershipAfter,
  ownershipDelta,
  warningsOf,
  type GroupVersionKind,
  type Writer,
} from '../wire/index.js';
import { readObject, type RawBody } from './body-reader.js';
import type { Committer } from './commit.js';
import type { Deletion } from './delete-options.js';
import { invalidObject } from './invalid.js';
import { patchOf } from './patching.js';
import { eventContextOf, type RequestContext } from './request-context.js';
import type { WriteOptions } from './write-options.js';

/** An object of a kind, by name, and perhaps one of its subresources. */
export interface Target {
  readonly definition: ResourceDefinition;
  /** Empty for cluster-scoped kinds. */
  readonly namespace: string;
  readonly name: string;
  readonly subresource?: Subresource;
}

/** What a write came to. */
export interface Written {
  /** The object's wire form, or that of the subresource written through; `undefined` when it is gone. */
  readonly object: JsonObject | undefined;
  readonly uid: string;
  readonly warnings: readonly string[];
}

/** One edit of a wire form, made again whenever the object turns out to have changed. */
type Edit = (before: JsonObject) => {
  readonly after: JsonObject;
  readonly warnings: readonly string[];
  readonly preconditions: Preconditions;
};

/** How often a generated name that is taken is drawn again. */
const NAME_DRAWS = 8;
/** Letters of generated names: without vowels, so that they spell nothing. */
const LETTERS = 'bcdfghjklmnpqrstvwxz2456789';
const SUFFIX_LENGTH = 5;
/** The prefix of a generated name is cut so that the whole fits a DNS label. */
const LONGEST_PREFIX = 63 - SUFFIX_LENGTH;

/** The writing verbs, once for every kind. */
export class ObjectWriter {
  constructor(
    private readonly committer: Committer,
    private readonly ids: IdSource,
    private readonly clock: Clock,
  ) {}

  /** Throws `WireError` and `DomainError`: BadRequest, Invalid, AlreadyExists, NotFound or Forbidden of the namespace. */
  async create(
    definition: ResourceDefinition,
    namespace: string,
    body: RawBody,
    options: WriteOptions,
    request: RequestContext,
  ): Promise<Written> {
    const { object, warnings } = readObject(gvkOf(definition), body, options.fieldValidation);
    checkNamespace(definition, namespace, object);
    if (textAt(object, 'metadata', 'resourceVersion'))
      throw badRequest('resourceVersion should not be set on objects to be created');
    const prefix = textAt(object, 'metadata', 'generateName') ?? '';
    const given = textAt(object, 'metadata', 'name') ?? '';
    for (let draw = 1; ; draw += 1) {
      const name = given || (prefix && this.generatedName(prefix));
      try {
        const created = await this.createNamed(definition, namespace, name, object, options, request, draw);
        return { ...created, warnings: [...warnings, ...created.warnings] };
      } catch (error) {
        const taken = error instanceof DomainError && error.reason === 'AlreadyExists';
        if (!taken || given || draw === NAME_DRAWS) throw error;
      }
    }
  }

  /** PUT. Throws NotFound, Conflict of a stale resourceVersion, Invalid. */
  update(target: Target, body: RawBody, options: WriteOptions, request: RequestContext): Promise<Written> {
    const gvk = targetGvk(target);
    const { object, warnings } = readObject(gvk, body, options.fieldValidation);
    checkNamespace(target.definition, target.namespace, object);
    const name = textAt(object, 'metadata', 'name') ?? '';
    if (name !== target.name)
      throw badRequest(`the name of the object (${name}) does not match the name on the URL (${target.name})`);
    return this.edit(
      target,
      () => ({ after: object, warnings, preconditions: preconditionsOf(object) }),
      options,
      request,
    );
  }

  /** PATCH with a JSON, merge or strategic merge patch. Throws as {@link update}, and 415 of any other. */
  patch(target: Target, body: RawBody, options: WriteOptions, request: RequestContext): Promise<Written> {
    const gvk = targetGvk(target);
    const patch = patchOf(gvk, body, options.fieldValidation);
    const edit: Edit = (before) => {
      const { object: after, warnings } = patch(before);
      const asked = preconditionsOf(after);
      const stored = preconditionsOf(before);
      if ((textAt(after, 'metadata', 'name') ?? '') !== target.name)
        throw badRequest(
          `the name of the object (${textAt(after, 'metadata', 'name') ?? ''}) does not match the name on the URL (${target.name})`,
        );
      return {
        after,
        warnings,
        preconditions: {
          ...(asked.uid !== stored.uid && asked.uid && { uid: asked.uid }),
          ...(asked.resourceVersion !== stored.resourceVersion &&
            asked.resourceVersion && { resourceVersion: asked.resourceVersion }),
        },
      };
    };
    return this.edit(target, edit, options, request);
  }

  /** POST to a subresource: a wish about the object. Throws NotFound, Invalid, Conflict. */
  async act(target: Target, body: RawBody, options: WriteOptions, request: RequestContext): Promise<Written> {
    const { definition, namespace, name, subresource } = target;
    const act = subresource?.act;
    if (!subresource || !act) throw methodNotAllowed();
    const { object, warnings } = readObject(subresource.kind, body, options.fieldValidation);
    refuseFaults(subresource.kind.kind, name, subresource.faultsOf?.(object) ?? []);
    const dryRun = options.dryRun || stringsAt(object, 'deleteOptions', 'dryRun').includes('All');
    const after = await this.committer.commit({
      definition,
      stream: definition.streamOf(namespace, name),
      commandId: request.requestId,
      context: eventContextOf(request),
      dryRun,
      decide: (state, current) => act(object, existing(definition, name, current), state),
    });
    return { object: after && definition.wire(after), uid: after?.meta.uid ?? '', warnings };
  }

  /** DELETE. `object` is absent when it went at once. Throws NotFound, Conflict of preconditions, Forbidden. */
  async remove(
    { definition, namespace, name }: Target,
    { dryRun, request: removal }: Deletion,
    request: RequestContext,
    commandId = request.requestId,
  ): Promise<Written> {
    let uid = '';
    const after = await this.committer.commit({
      definition,
      stream: definition.streamOf(namespace, name),
      commandId,
      context: eventContextOf(request),
      dryRun,
      decide: (state, current) => {
        const object = existing(definition, name, current);
        uid = object.meta.uid;
        return definition.remove(removal, object, state);
      },
    });
    return { object: after && definition.wire(after), uid, warnings: [] };
  }

  private async createNamed(
    definition: ResourceDefinition,
    namespace: string,
    name: string,
    sent: JsonObject,
    options: WriteOptions,
    request: RequestContext,
    draw: number,
  ): Promise<Written> {
    const { status: _, ...wished } = sent;
    const object = defaulted({ ...wished, metadata: newMetadata(sent, name, namespace) });
    refuseFaults(definition.kind, name, faultsOf(object));
    const uid = this.ids.uuid();
    const generateName = textAt(sent, 'metadata', 'generateName');
    const meta = {
      uid,
      ...(generateName && { generateName }),
      labels: textsAt(object, 'metadata', 'labels'),
      annotations: textsAt(object, 'metadata', 'annotations'),
      ownerReferences: ownerReferencesOf(object),
      finalizers: stringsAt(object, 'metadata', 'finalizers'),
      fieldManager: options.fieldManager,
      managedFields: ownershipAfter(gvkOf(definition), {}, wished, this.author(definition, options), []),
    };
    const created = await this.committer.commit({
      definition,
      stream: definition.streamOf(namespace, name),
      commandId: draw === 1 ? request.requestId : `${request.requestId}/${draw}`,
      context: eventContextOf(request),
      dryRun: options.dryRun,
      decide: (state) => {
        if (definition.namespaced) checkHome(definition, namespace, name, state);
        return definition.create({ namespace, name, meta, object }, state);
      },
      ...(definition.namespaced && { guards: [namespaceStream(namespace)] }),
    });
    const wire = created && definition.wire(created);
    const warnings = warningsOf(object);
    return { object: wire && options.dryRun ? withoutVersion(wire) : wire, uid, warnings };
  }

  private async edit(target: Target, edit: Edit, options: WriteOptions, request: RequestContext): Promise<Written> {
    const { definition, namespace, name, subresource } = target;
    const change = subresource ? subresource.change : definition.change;
    const view = subresource ? subresource.view : definition.wire;
    if (!change || !view) throw methodNotAllowed();
    let warnings: readonly string[] = [];
    const after = await this.committer.commit({
      definition,
      stream: definition.streamOf(namespace, name),
      commandId: request.requestId,
      context: eventContextOf(request),
      dryRun: options.dryRun,
      decide: (state, current) => {
        const object = existing(definition, name, current);
        const before = view(object);
        const edited = edit(before);
        warnings = edited.warnings;
        const wished = subresource ? edited.after : defaulted(edited.after);
        const faults = subresource ? subresource.faultsOf?.(wished) : faultsOfChange(before, wished);
        refuseFaults(targetGvk(target).kind, name, faults ?? []);
        return change(
          {
            before,
            after: wished,
            preconditions: edited.preconditions,
            fieldManager: options.fieldManager,
            operation: 'Update',
            ...(subresource && { subresource: subresource.name }),
            managedFields: this.ownership(target, before, wished, object, options),
          },
          object,
          state,
        );
      },
    });
    return { object: after && view(after), uid: after?.meta.uid ?? '', warnings };
  }

  private author(definition: ResourceDefinition, { fieldManager }: WriteOptions, subresource?: string): Writer {
    return {
      manager: fieldManager,
      apiVersion: apiVersionOf(definition),
      time: rfc3339(this.clock.now()),
      ...(subresource !== undefined && { subresource }),
    };
  }

  /** Who owns which field after an edit, as the difference from before. A view of another kind has no fields of the object's. */
  private ownership(
    { definition, subresource }: Target,
    before: JsonObject,
    after: JsonObject,
    { meta }: StoredObject,
    options: WriteOptions,
  ): ReturnType<typeof ownershipDelta> {
    if (subresource && subresource.kind.kind !== definition.kind) return [];
    const author = this.author(definition, options, subresource?.name);
    return ownershipDelta(
      meta.managedFields,
      ownershipAfter(gvkOf(definition), before, after, author, meta.managedFields),
    );
  }

  private generatedName(prefix: string): string {
    const letters = Array.from(
      { length: SUFFIX_LENGTH },
      () => LETTERS[Math.floor(this.ids.random() * LETTERS.length)],
    );
    return prefix.slice(0, LONGEST_PREFIX) + letters.join('');
  }
}

const gvkOf = ({ group, version, kind }: ResourceDefinition): GroupVersionKind => ({ group, version, kind });
const targetGvk = ({ definition, subresource }: Target): GroupVersionKind => subresource?.kind ?? gvkOf(definition);

function existing(definition: ResourceDefinition, name: string, current: StoredObject | undefined): StoredObject {
  if (!current) throw notFound(definition.stored, name);
  return ofKind(definition.stored, current);
}

function refuseFaults(kind: string, name: string, faults: readonly FieldFault[]): void {
  if (faults.length > 0) throw invalidObject(kind, name, faults);
}

function checkNamespace(definition: ResourceDefinition, namespace: string, object: JsonObject): void {
  const sent = textAt(object, 'metadata', 'namespace') ?? '';
  if (sent !== '' && sent !== namespace)
    throw badRequest(
      definition.namespaced
        ? `the namespace of the provided object does not match the namespace sent on the request`
        : `namespace is not allowed on this type: ${definition.plural} are cluster-scoped`,
    );
}

/** New objects need a namespace that is there and is not going. */
function checkHome(definition: ResourceDefinition, namespace: string, name: string, state: ClusterState): void {
  const home = state.get(namespaceStream(namespace));
  const group = definition.group === '' ? '' : `.${definition.group}`;
  refuseInNamespace(home && ofKind('Namespace', home), namespace, `${definition.plural}${group} "${name}"`);
}

/** Of a new object's metadata, what is the client's to say. */
function newMetadata(sent: JsonObject, name: string, namespace: string): JsonObject {
  const { labels, annotations, ownerReferences, finalizers, generateName } = objectAt(sent, 'metadata');
  return Object.fromEntries(
    Object.entries({ name, namespace, generateName, labels, annotations, ownerReferences, finalizers }).filter(
      ([, value]) => value !== undefined && value !== '' && !sameJson(value, {}),
    ),
  );
}

function preconditionsOf(object: JsonObject): Preconditions {
  const uid = textAt(object, 'metadata', 'uid');
  const resourceVersion = textAt(object, 'metadata', 'resourceVersion');
  return { ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) };
}

/** A dry run's object has no version: there is nothing it could be compared with. */
function withoutVersion(wire: JsonObject): JsonObject {
  const { resourceVersion: _, ...metadata } = objectAt(wire, 'metadata');
  return { ...wire, metadata };
}
