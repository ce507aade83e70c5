import { podStream, type JsonObject, type NewEvent, type StoredObject } from '#domain';
import { InMemoryBroker, InMemoryEventFeed, InMemoryEventStream, type InMemoryBus } from '#bus';
import { ClusterProjection, CommandBus, InMemoryEventLog, InMemorySecretVault, LogState, VaultState } from '#eventlog';
import { createApiCore, type ApiCore } from '../../apps/api/src/api-core.js';
import type { ResourceDefinition } from '../../apps/api/src/resources/resource.js';
import { SecretKeys } from '../../apps/api/src/secrets/secret-keys.js';
import type { RawBody } from '../../apps/api/src/write/body-reader.js';
import type { Target, Written } from '../../apps/api/src/write/object-writer.js';
import type { WriteOptions } from '../../apps/api/src/write/write-options.js';
import { ManualClock } from './manual-clock.js';
import { SeededIds } from './seeded-ids.js';

export interface ApiReplica {
  readonly core: ApiCore;
  readonly projection: ClusterProjection;
  readonly commands: CommandBus;
  readonly log: InMemoryEventLog;
  readonly bus: InMemoryBus;
}

const body = (object: JsonObject, contentType = 'application/json'): RawBody => ({
  bytes: Buffer.from(JSON.stringify(object)),
  contentType,
});

/** A pod as a client would write it. */
export const podNamed = (name: string, over: JsonObject = {}): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: [{ name: 'app', image: 'busybox:1' }] },
  ...over,
});

/** Of the kinds that are not in the legacy group. */
const GROUPS: Readonly<Record<string, string>> = { replicasets: 'apps', priorityclasses: 'scheduling.k8s.io' };

/** Replicas of the API below HTTP, on one log in memory, with time that moves only when a test says so. */
export class ApiWorld {
  readonly clock = new ManualClock();
  readonly ids = new SeededIds();
  readonly state = new LogState(this.clock, this.ids);
  readonly stream = new InMemoryEventStream();
  readonly broker = new InMemoryBroker({ clock: this.clock, ids: this.ids });
  readonly vaultState = new VaultState();
  private readonly ending = new AbortController();
  private readonly ended: Promise<unknown>[] = [];
  private requests = 0;

  async replica(name = 'api-1'): Promise<ApiReplica> {
    const { clock, ids } = this;
    const log = new InMemoryEventLog({ clock, ids, state: this.state });
    const projection = new ClusterProjection({ log, clock });
    const { ended } = await projection.start(this.ending.signal);
    const commands = new CommandBus({ log, projection });
    const bus = this.broker.connect(name);
    const feed = new InMemoryEventFeed(this.stream);
    const core = await createApiCore(
      { log, projection, commands, bus, feed, vault: this.vault(), clock, ids },
      { identity: name },
    );
    const worked = await core.start(this.ending.signal);
    this.ended.push(ended, worked.ended);
    return { core, projection, commands, log, bus };
  }

  /** The keys of secrets, as every replica sees them. */
  vault(): InMemorySecretVault {
    return new InMemorySecretVault({ clock: this.clock, state: this.vaultState });
  }

  keys(): SecretKeys {
    return new SecretKeys(this.vault());
  }

  /** Ends all replicas, and fails if one of them broke. */
  async stop(): Promise<void> {
    this.ending.abort();
    await Promise.all(this.ended);
  }

  resource({ core }: ApiReplica, plural: string, group = ''): ResourceDefinition {
    const found = core.registry.find(group, 'v1', plural);
    if (!found) throw new Error(`${plural} is not served`);
    return found;
  }

  /** POST, by `tester`, under a request id of its own. */
  create(
    replica: ApiReplica,
    plural: string,
    namespace: string,
    object: JsonObject,
    options: Partial<WriteOptions> = {},
  ): Promise<Written> {
    const definition = this.resource(replica, plural, GROUPS[plural] ?? '');
    return replica.core.writer.create(definition, namespace, body(object), this.options(options), this.request());
  }

  update(replica: ApiReplica, target: Target, object: JsonObject): Promise<Written> {
    return replica.core.writer.update(target, body(object), this.options(), this.request());
  }

  /** A merge patch. */
  patch(replica: ApiReplica, target: Target, patch: JsonObject, options: Partial<WriteOptions> = {}): Promise<Written> {
    const sent = body(patch, 'application/merge-patch+json');
    return replica.core.writer.patch(target, sent, this.options(options), this.request());
  }

  remove(replica: ApiReplica, target: Target, gracePeriodSeconds?: number): Promise<Written> {
    const request = {
      preconditions: {},
      propagation: 'Background',
      reason: 'Requested',
      ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
    } as const;
    return replica.core.writer.remove(target, { dryRun: false, request }, this.request());
  }

  pod(replica: ApiReplica, name: string, namespace = 'default'): Target {
    return { definition: this.resource(replica, 'pods'), namespace, name };
  }

  /** Records events of a pod's stream as they stand, past every decider. */
  async record(replica: ApiReplica, name: string, ...events: NewEvent<string, unknown>[]): Promise<void> {
    const { requestId } = this.request();
    await replica.commands.execute({
      commandId: requestId,
      context: { actor: { kind: 'system', name: 'test' }, requestId, correlationId: requestId },
      decide: () => [{ stream: podStream('default', name), events }],
    });
  }

  request(): { user: string; requestId: string } {
    this.requests += 1;
    return { user: 'tester', requestId: `request-${this.requests}` };
  }

  private options(over: Partial<WriteOptions> = {}): WriteOptions {
    return { dryRun: false, fieldValidation: 'Strict', fieldManager: 'tests', ...over };
  }
}

/** `namespace/name` of objects, in their order. */
export const namesOf = (objects: readonly StoredObject[]): string[] =>
  objects.map(({ meta }) => `${meta.namespace}/${meta.name}`);
