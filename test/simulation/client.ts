import { DomainError, LogUnavailable, VersionConflict, type JsonObject, type StoredObject } from '#domain';
import type { ApiCore } from '../../apps/api/src/api-core.js';
import { StatusError } from '../../apps/api/src/status-error.js';
import { WireError } from '../../apps/api/src/wire/index.js';
import type { Written } from '../../apps/api/src/write/object-writer.js';
import type { EventLoop } from './event-loop.js';
import type { Acknowledged } from './invariants.js';
import { lineOf } from './oracle.js';
import type { Random } from './random.js';
import type { ApiReplica } from './replicas.js';
import { definitionOf, targetOf, type WriteRequest } from './requests.js';
import { errorText } from './sim-process.js';
import type { Verdicts } from './verdicts.js';

/** How a request ended. `unavailable`: it may or may not have been carried out. */
export type Answer<T> =
  | { readonly kind: 'ok'; readonly value: T; readonly replica: ApiReplica }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'unavailable' };

export interface ClientOptions {
  readonly loop: EventLoop;
  readonly random: Random;
  readonly replicas: readonly ApiReplica[];
  readonly verdicts: Verdicts;
  readonly onAcknowledged: (write: Acknowledged, changed: boolean) => void;
  /** Whether the log says that the object of this uid went. */
  readonly isGone: (uid: string) => boolean;
  /** A revision at which it is known which pods there were, and which: `namespace/name uid resourceVersion`. */
  readonly knownList: () => { readonly revision: number; readonly pods: readonly string[] } | undefined;
}

/** A client gives up after this long, in milliseconds. */
const PATIENCE_MS = 15_000;
const TRIES = 4;

/** Somebody with kubectl: one replica after the other, trying again when nobody answers. */
export class Client {
  private turn = 0;
  private requests = 0;
  private readonly ids;
  /** Writes that were acknowledged. */
  acknowledged = 0;
  /** Writes under way. */
  pending = 0;

  constructor(private readonly options: ClientOptions) {
    this.ids = options.random.ids();
  }

  /** Carries a write out, and checks what was promised about it. Resolves to the object's wire form when it was acknowledged. */
  async write(request: WriteRequest): Promise<Written | undefined> {
    this.pending += 1;
    const written = await this.tryWrite(request);
    this.pending -= 1;
    return written;
  }

  private async tryWrite(request: WriteRequest): Promise<Written | undefined> {
    const { loop, random, onAcknowledged } = this.options;
    for (let attempt = 1; attempt <= TRIES; attempt += 1) {
      this.requests += 1;
      const requestId = `request-${this.requests}-${this.ids.uuid()}`;
      const answer = await this.ask(`${request.what} ${request.namespace}/${request.name}`, (core) =>
        request.run(core, targetOf(core, request), { user: 'alice', requestId }),
      );
      if (answer.kind === 'refused') return undefined;
      if (answer.kind === 'ok') {
        this.acknowledged += 1;
        const core = answer.replica.core;
        const { object } = answer.value;
        const revision = revisionOf(object);
        const stream = core && targetOf(core, request).definition.streamOf(request.namespace, request.name);
        if (stream !== undefined)
          onAcknowledged(
            {
              ...{ requestId, stream, what: request.what },
              ...(revision !== undefined && { revision }),
              ...(request.basedOn !== undefined && { basedOn: request.basedOn }),
            },
            request.what === 'create',
          );
        if (random.chance(0.4)) await this.readBack(request, answer.replica, answer.value.uid, revision);
        return answer.value;
      }
      await new Promise<void>((resolve) => loop.schedule(random.spread(200, 4_000), 'client tries again', resolve));
    }
    return undefined;
  }

  /** A read through another replica, after the write was acknowledged, shows that write or what came after it. */
  private async readBack(
    { what, resource, namespace, name }: WriteRequest,
    wroteTo: ApiReplica,
    uid: string,
    revision: number | undefined,
  ): Promise<void> {
    if (revision === undefined) return;
    const answer = await this.ask<StoredObject | undefined>(
      `get ${namespace}/${name}`,
      async (core) => {
        try {
          return await core.reader.get(definitionOf(core, resource), namespace, name);
        } catch (error) {
          if (error instanceof DomainError && error.reason === 'NotFound') return undefined;
          throw error;
        }
      },
      wroteTo,
    );
    if (answer.kind !== 'ok') return;
    const { value } = answer;
    const isNewer = value !== undefined && value.meta.resourceVersion >= revision;
    const isGone = value?.meta.uid !== uid && this.options.isGone(uid);
    this.options.verdicts.check(
      isNewer || isGone,
      'a read after an acknowledged write shows it',
      () =>
        `${what} ${namespace}/${name} was acknowledged at ${revision} by ${wroteTo.name}; ` +
        `${answer.replica.name} then showed ${value?.meta.resourceVersion ?? 'nothing'}`,
    );
  }

  /** An object as it is now; `undefined` when it is not there or nobody answers. */
  async read({
    resource,
    namespace,
    name,
  }: Pick<WriteRequest, 'resource' | 'namespace' | 'name'>): Promise<StoredObject | undefined> {
    const answer = await this.ask(`get ${namespace}/${name}`, (core) =>
      core.reader.get(definitionOf(core, resource), namespace, name),
    );
    return answer.kind === 'ok' ? answer.value : undefined;
  }

  /** All pods as they were at some revision: a list at that very revision shows those and no others. */
  async listExactly(): Promise<void> {
    const known = this.options.knownList();
    if (!known) return;
    const query = { resourceVersion: String(known.revision), resourceVersionMatch: 'Exact' };
    const answer = await this.ask(`list pods at ${known.revision}`, (core) =>
      core.reader.list(definitionOf(core, 'core/pods'), undefined, query),
    );
    if (answer.kind !== 'ok') return;
    const shown = answer.value.objects.map(lineOf).sort();
    this.options.verdicts.check(
      shown.join() === known.pods.join(),
      'a list at a revision is what was then',
      () => `${answer.replica.name} shows at ${known.revision}: ${shown.join(', ')}; it was ${known.pods.join(', ')}`,
    );
  }

  /** One request to the next replica: it arrives in a task of its process, and is answered in one of ours. */
  async ask<T>(label: string, handle: (core: ApiCore) => Promise<T>, not?: ApiReplica): Promise<Answer<T>> {
    const { loop, random } = this.options;
    const replica = this.nextReplica(not);
    return new Promise((resolve) => {
      let isOpen = true;
      const end = (answer: Answer<T>, summary: string): void => {
        loop.schedule(random.spread(0.2, 5), `client: ${label} = ${summary}`, () => {
          if (!isOpen) return;
          isOpen = false;
          cancel();
          resolve(answer);
        });
      };
      const cancel = loop.schedule(PATIENCE_MS, `client gives up: ${label}`, () => {
        isOpen = false;
        resolve({ kind: 'unavailable' });
      });
      const { process } = replica;
      loop.schedule(
        random.spread(0.2, 5),
        `HTTP ${label}`,
        () => {
          const { core } = replica;
          if (!core || !process) return end({ kind: 'unavailable' }, 'refused connection');
          handle(core).then(
            (value) => end({ kind: 'ok', value, replica }, 'ok'),
            (error: unknown) => end(this.answerTo(label, error), errorText(error)),
          );
        },
        process,
      );
    });
  }

  private nextReplica(not: ApiReplica | undefined): ApiReplica {
    const { replicas, random } = this.options;
    this.turn += 1;
    const next = replicas[this.turn % replicas.length] ?? random.pick(replicas);
    return next === not ? this.nextReplica(undefined) : next;
  }

  /** What an error is to a client. No input makes a 5xx but 503 and 504. */
  private answerTo(label: string, error: unknown): Answer<never> {
    if (error instanceof DomainError || error instanceof WireError || error instanceof VersionConflict)
      return { kind: 'refused', reason: errorText(error) };
    if (error instanceof LogUnavailable || (error instanceof StatusError && error.code === 504))
      return { kind: 'unavailable' };
    if (error instanceof StatusError && error.code < 500) return { kind: 'refused', reason: error.message };
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.options.verdicts.fail('no input makes a 5xx', `${label}: ${text}`);
    return { kind: 'unavailable' };
  }
}

function revisionOf(object: JsonObject | undefined): number | undefined {
  const metadata = object?.['metadata'];
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) return undefined;
  const revision = Object.entries(metadata).find(([key]) => key === 'resourceVersion')?.[1];
  return typeof revision === 'string' ? Number(revision) : undefined;
}
