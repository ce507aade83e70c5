import { Buffer } from 'node:buffer';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock, JsonObject } from '#domain';
import type { ApiCore } from '../api-core.js';
import { parseRevision } from '../read/revisions.js';
import { selectionOf, type ListQuery } from '../read/object-reader.js';
import { ofKind } from '../resources/editing.js';
import { textAt } from '../resources/wire-values.js';
import { invalidOption, methodNotAllowed, noSuchPath } from '../status-error.js';
import { negotiate, parseIncludeObject, type OfferedForm, type Verb } from '../wire/index.js';
import type { RawBody } from '../write/body-reader.js';
import { deletionOf } from '../write/delete-options.js';
import type { Target, Written } from '../write/object-writer.js';
import type { RequestContext } from '../write/request-context.js';
import { booleanOption, integerOption, writeOptions, type WriteOptions } from '../write/write-options.js';
import { sendObject } from './answers.js';
import type { ResourcePath } from './path.js';
import { presentList, presentObject, WatchPresenter, type View } from './presentation.js';
import { Query } from './query.js';
import { refusalOf } from './status.js';
import { streamReply } from './stream-reply.js';

/** Longest watch, in seconds: beyond it lies no use, only an overflow of timers. */
const longestWatchSeconds = 24 * 3_600;
/** Objects of one deletecollection that are being deleted at a time. */
const deletedAtOnce = 16;

/** One request for a resource. */
export interface ResourceRequest {
  readonly path: ResourcePath;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly context: RequestContext;
  readonly query: Query;
}

/** The verbs over HTTP, once for every kind: reads the request, asks the core, writes the answer in the form asked for. */
export class ResourceHandler {
  /** One for each open stream. */
  private readonly streams = new Set<AbortController>();
  private stopping = false;

  constructor(
    private readonly core: ApiCore,
    private readonly clock: Clock,
  ) {}

  /** Ends the streams that are open, so that the server can close. */
  stop(): void {
    this.stopping = true;
    for (const stream of this.streams) stream.abort();
  }

  async handle(one: ResourceRequest): Promise<void> {
    const { path, request } = one;
    if (path.subresource) return this.subresource(one, path.subresource.name);
    const { name } = path;
    switch (request.method) {
      case 'GET': {
        const watch = booleanOption('watch', one.query.get('watch'));
        if (watch) return this.allowed(one, 'watch', () => this.watch(one));
        return name === undefined
          ? this.allowed(one, 'list', () => this.list(one))
          : this.allowed(one, 'get', () => this.get(one, name));
      }
      case 'POST':
        if (name !== undefined) throw methodNotAllowed();
        return this.allowed(one, 'create', () => this.create(one));
      case 'PUT':
      case 'PATCH': {
        if (name === undefined) throw methodNotAllowed();
        const verb = request.method === 'PUT' ? 'update' : 'patch';
        return this.allowed(one, verb, () => this.edit(one, verb));
      }
      case 'DELETE':
        return name === undefined
          ? this.allowed(one, 'deletecollection', () => this.deleteCollection(one))
          : this.allowed(one, 'delete', () => this.remove(one, name));
      default:
        throw methodNotAllowed();
    }
  }

  private allowed({ path }: ResourceRequest, verb: Verb, run: () => Promise<void>): Promise<void> {
    if (!path.definition.verbs.includes(verb)) throw methodNotAllowed();
    return run();
  }

  private async get(one: ResourceRequest, name: string): Promise<void> {
    const { view, encoding } = this.view(one, ['Table', 'PartialObjectMetadata']);
    const { definition, namespace = '' } = one.path;
    const object = await this.core.reader.get(definition, namespace, name, one.query.get('resourceVersion'));
    await sendObject(one.reply, 200, presentObject(view, definition.wire(object), this.clock.now()), { encoding });
  }

  private async list(one: ResourceRequest): Promise<void> {
    const { view, encoding } = this.view(one, ['Table', 'PartialObjectMetadataList']);
    const page = await this.core.reader.list(one.path.definition, one.path.namespace, listQuery(one.query));
    await sendObject(one.reply, 200, presentList(view, page, this.clock.now()), { encoding });
  }

  private async watch(one: ResourceRequest): Promise<void> {
    const { view } = this.view(one, ['Table', 'PartialObjectMetadata']);
    const request = watchRequest(one);
    const { gone, release } = this.goneSignal(one);
    try {
      const events = await this.core.watches.open(request, gone);
      const stream = streamReply(one.reply, 'application/json');
      const presenter = new WatchPresenter(view);
      try {
        for await (const batch of events) {
          const now = this.clock.now();
          if (batch.length > 0) await stream.write(batch.map((event) => presenter.line(event, now)).join(''));
        }
      } catch (error) {
        const { status, internal } = refusalOf(error, { definition: one.path.definition });
        await stream.write(`${JSON.stringify({ type: 'ERROR', object: status })}\n`);
        if (internal) one.request.log.error(error);
      }
      stream.end();
    } finally {
      release();
    }
  }

  /** Aborts when the client is gone or the server ends. */
  private goneSignal({ reply }: ResourceRequest): { readonly gone: AbortSignal; readonly release: () => void } {
    const gone = new AbortController();
    this.streams.add(gone);
    reply.raw.on('close', () => gone.abort());
    if (this.stopping || reply.raw.destroyed) gone.abort();
    return {
      gone: gone.signal,
      release: () => {
        this.streams.delete(gone);
        gone.abort();
      },
    };
  }

  private async create(one: ResourceRequest): Promise<void> {
    const { definition, namespace } = one.path;
    if (definition.namespaced && namespace === undefined) throw methodNotAllowed();
    const { view, encoding } = this.view(one, ['Table', 'PartialObjectMetadata']);
    const written = await this.core.writer.create(definition, namespace ?? '', bodyOf(one), options(one), one.context);
    await sendObject(one.reply, 201, presentObject(view, written.object ?? {}, this.clock.now()), {
      encoding,
      warnings: written.warnings,
    });
  }

  private async edit(one: ResourceRequest, verb: 'update' | 'patch'): Promise<void> {
    const { view, encoding } = this.view(one, ['Table', 'PartialObjectMetadata']);
    const target = targetOf(one.path);
    const { writer } = this.core;
    const written =
      verb === 'update'
        ? await writer.update(target, bodyOf(one), options(one), one.context)
        : await writer.patch(target, bodyOf(one), options(one), one.context);
    const object = written.object ?? goneStatus(target, written);
    // What a subresource shows is no object of the kind: its columns would not fit.
    const shown = target.subresource ? object : presentObject(view, object, this.clock.now());
    await sendObject(one.reply, 200, shown, { encoding, warnings: written.warnings });
  }

  private async remove(one: ResourceRequest, name: string): Promise<void> {
    const { encoding } = this.view(one, []);
    const target = targetOf({ ...one.path, name });
    const written = await this.core.writer.remove(target, deletionOf(bodyOf(one), deleteQuery(one)), one.context);
    await sendObject(one.reply, 200, written.object ?? goneStatus(target, written), { encoding });
  }

  private async deleteCollection(one: ResourceRequest): Promise<void> {
    const { definition, namespace } = one.path;
    if (definition.namespaced && namespace === undefined) throw methodNotAllowed();
    const { view, encoding } = this.view(one, ['PartialObjectMetadataList']);
    const deletion = deletionOf(bodyOf(one), deleteQuery(one));
    const page = await this.core.reader.list(definition, namespace, listQuery(one.query));
    const targets = page.objects.map(({ meta }) => ({ definition, namespace: meta.namespace, name: meta.name }));
    for (let at = 0; at < targets.length; at += deletedAtOnce) {
      const some = targets.slice(at, at + deletedAtOnce);
      await Promise.all(
        some.map((target, index) =>
          this.core.writer
            .remove(target, deletion, one.context, `${one.context.requestId}/${at + index}`)
            .catch(ignoreNotFound),
        ),
      );
    }
    await sendObject(one.reply, 200, presentList(view, page, this.clock.now()), { encoding });
  }

  private async subresource(one: ResourceRequest, name: string): Promise<void> {
    const { path, request } = one;
    const { subresource, definition } = path;
    if (!subresource) throw noSuchPath();
    const allows = (verb: Verb): boolean => subresource.verbs.includes(verb);
    if (request.method === 'POST' && allows('create')) return this.act(one);
    if (path.bindings) throw methodNotAllowed();
    if (request.method === 'GET' && name === 'log') return this.log(one);
    if (request.method === 'GET' && allows('get') && subresource.view) {
      const { encoding } = this.view(one, []);
      const version = one.query.get('resourceVersion');
      const object = await this.core.reader.get(definition, path.namespace ?? '', path.name ?? '', version);
      return sendObject(one.reply, 200, subresource.view(object), { encoding });
    }
    if (request.method === 'PUT' && allows('update')) return this.edit(one, 'update');
    if (request.method === 'PATCH' && allows('patch')) return this.edit(one, 'patch');
    if (subresource.notYet !== undefined) throw methodNotAllowed(subresource.notYet);
    throw methodNotAllowed();
  }

  private async act(one: ResourceRequest): Promise<void> {
    const { encoding } = this.view(one, []);
    const { warnings } = await this.core.writer.act(actTarget(one), bodyOf(one), options(one), one.context);
    const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
    await sendObject(one.reply, 201, status, { encoding, warnings });
  }

  private async log(one: ResourceRequest): Promise<void> {
    const { definition, namespace = '', name = '' } = one.path;
    const pod = ofKind('Pod', await this.core.reader.get(definition, namespace, name));
    const query = one.query.pick(
      'container',
      'follow',
      'previous',
      'sinceSeconds',
      'sinceTime',
      'timestamps',
      'tailLines',
      'limitBytes',
    );
    const { gone, release } = this.goneSignal(one);
    try {
      const pieces = await this.core.logs.open(pod, query, gone);
      const stream = streamReply(one.reply, 'text/plain');
      for await (const piece of pieces) await stream.write(piece);
      stream.end();
    } finally {
      release();
    }
  }

  private view(
    { path, request, query }: ResourceRequest,
    offered: readonly OfferedForm[],
  ): { readonly view: View; readonly encoding: 'json' | 'yaml' } {
    const { form, encoding } = negotiate(request.headers.accept, offered);
    const includeObject = parseIncludeObject(query.get('includeObject'));
    return { view: { definition: path.definition, form, includeObject }, encoding };
  }
}

function bodyOf({ request }: ResourceRequest): RawBody {
  const contentType = request.headers['content-type'];
  return {
    bytes: Buffer.isBuffer(request.body) ? request.body : new Uint8Array(),
    ...(contentType !== undefined && { contentType }),
  };
}

function options({ query, context }: ResourceRequest): WriteOptions {
  const given = { ...query.pick('fieldValidation', 'fieldManager'), dryRun: query.all('dryRun') };
  return writeOptions(given, context.userAgent);
}

const deleteQuery = ({ query }: ResourceRequest): Parameters<typeof deletionOf>[1] => ({
  ...query.pick('gracePeriodSeconds', 'propagationPolicy', 'orphanDependents'),
  dryRun: query.all('dryRun'),
});

const listQuery = (query: Query): ListQuery =>
  query.pick('labelSelector', 'fieldSelector', 'limit', 'continue', 'resourceVersion', 'resourceVersionMatch');

const targetOf = ({ definition, namespace = '', name = '', subresource }: ResourcePath): Target => ({
  definition,
  namespace,
  name,
  ...(subresource && { subresource }),
});

/** `POST .../bindings` names its pod in the body only. */
function actTarget(one: ResourceRequest): Target {
  if (!one.path.bindings) return targetOf(one.path);
  let name: string | undefined;
  try {
    const body: unknown = JSON.parse(Buffer.from(bodyOf(one).bytes).toString('utf8'));
    name = textAt(body as JsonObject, 'metadata', 'name');
  } catch {
    // What cannot be read has no name; reading the body for real says what is wrong with it.
  }
  return targetOf({ ...one.path, name: name ?? '' });
}

/** The answer to a deletion that is done: the object is gone. */
function goneStatus({ definition, name }: Target, { uid }: Written): JsonObject {
  const { group, plural } = definition;
  const details = { name, ...(group !== '' && { group }), kind: plural, uid };
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
}

function ignoreNotFound(error: unknown): void {
  if (refusalOf(error).code !== 404) throw error;
}

function watchRequest({ path, query }: ResourceRequest): Parameters<ApiCore['watches']['open']>[0] {
  const named = path.name === undefined ? [] : [`metadata.name=${path.name}`];
  const fieldSelector = [query.get('fieldSelector') ?? '', ...named].filter((text) => text !== '').join(',');
  const selection = selectionOf(path.definition, path.namespace, { ...query.pick('labelSelector'), fieldSelector });
  const revision = parseRevision(query.get('resourceVersion'));
  const match = query.get('resourceVersionMatch') || undefined;
  const sendInitial = query.get('sendInitialEvents');
  if (sendInitial !== undefined && match !== 'NotOlderThan')
    throw invalidOption(
      'ListOptions',
      'resourceVersionMatch',
      'Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
    );
  if (sendInitial === undefined && match !== undefined)
    throw invalidOption(
      'ListOptions',
      'resourceVersionMatch',
      'Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
    );
  const initial = sendInitial === undefined ? !revision : booleanOption('sendInitialEvents', sendInitial);
  const seconds = integerOption('timeoutSeconds', query.get('timeoutSeconds'));
  const timeoutMs = seconds !== undefined && seconds > 0 ? Math.min(seconds, longestWatchSeconds) * 1000 : undefined;
  const bookmarks = booleanOption('allowWatchBookmarks', query.get('allowWatchBookmarks'));
  return {
    definition: path.definition,
    selection,
    ...(revision && !initial && { after: revision }),
    ...(revision !== undefined && { atLeast: revision }),
    initialEvents: initial,
    markInitialEventsEnd: sendInitial !== undefined && initial,
    bookmarks,
    ...(timeoutMs !== undefined && { timeoutMs }),
  };
}
