import {
  DomainError,
  generatedName,
  namespaceStream,
  notFound,
  refuseInNamespace,
  rfc3339,
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
import { stringsAt, textAt, textsAt } from '../resources/wire-values.js';
import type { KeyRing, SecretKeys } from '../secrets/secret-keys.js';
import { badRequest, methodNotAllowed } from '../status-error.js';
import {
  apiVersionOf,
  asKept,
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
import { newMetadata, preconditionsOf, withoutVersion } from './client-metadata.js';
import { isRefusal, type Committer } from './commit.js';
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

/** The writing verbs, once for every kind. */
export class ObjectWriter {
  constructor(
    private readonly committer: Committer,
    private readonly ids: IdSource,
    private readonly clock: Clock,
    private readonly keys: SecretKeys,
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
      const name = given || (prefix && generatedName(prefix, () => this.ids.random()));
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
    const [shown] = await this.keys.reveal(definition, after ? [after] : []);
    return { object: shown && definition.wire(shown), uid, warnings: [] };
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
    const { status: _, ...given } = sent;
    const wished = asKept(given);
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
    const key = definition.reveal && (options.dryRun ? this.keys.passing(uid) : await this.keys.obtain(uid));
    const intent = {
      definition,
      stream: definition.streamOf(namespace, name),
      commandId: draw === 1 ? request.requestId : `${request.requestId}/${draw}`,
      context: eventContextOf(request),
      dryRun: options.dryRun,
      decide: (state: ClusterState) => {
        if (definition.namespaced) checkHome(definition, namespace, name, state);
        return definition.create({ namespace, name, meta, object, ...(key && { key }) }, state);
      },
      ...(definition.namespaced && { guards: [namespaceStream(namespace)] }),
    };
    const created = await this.committer.commit(intent).catch(async (error: unknown) => {
      // Nothing was recorded, so nothing will ever be encrypted with the key.
      if (key && !options.dryRun && isRefusal(error)) await this.keys.destroy([uid]);
      throw error;
    });
    const wire = created && definition.wire(definition.reveal?.(created, key) ?? created);
    const warnings = warningsOf(object);
    return { object: wire && options.dryRun ? withoutVersion(wire) : wire, uid, warnings };
  }

  private edit(target: Target, edit: Edit, options: WriteOptions, request: RequestContext): Promise<Written> {
    const keys = this.keys.ring();
    return keys.supply(() => this.editWith(keys, target, edit, options, request));
  }

  private async editWith(
    keys: KeyRing,
    target: Target,
    edit: Edit,
    options: WriteOptions,
    request: RequestContext,
  ): Promise<Written> {
    const { definition, namespace, name, subresource } = target;
    const change = subresource ? subresource.change : definition.change;
    const show = subresource ? subresource.view : definition.wire;
    if (!change || !show) throw methodNotAllowed();
    const view = (object: StoredObject): JsonObject =>
      show(definition.reveal?.(object, keys.keyOf(object.meta.uid)) ?? object);
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
        const after = definition.settle?.(before, edited.after) ?? edited.after;
        const wished = subresource ? edited.after : defaulted(after);
        const key = definition.reveal && keys.keyOf(object.meta.uid);
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
            ...(key && { key }),
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
