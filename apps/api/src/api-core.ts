import {
  decideNamespace,
  namespaceStream,
  SYSTEM_NAMESPACES,
  type Clock,
  type EventFeed,
  type EventLog,
  type IdSource,
  type MessageBus,
} from '#domain';
import type { ClusterProjection, CommandBus } from '#eventlog';
import { LogService } from './logs/log-service.js';
import { NodeRequests } from './nodes/node-requests.js';
import { History } from './read/history.js';
import { ObjectReader } from './read/object-reader.js';
import { RecentChanges } from './read/recent-changes.js';
import { AssignmentPublisher } from './relay/assignment-publisher.js';
import { Relay } from './relay/relay.js';
import { Registry } from './resources/registry.js';
import { WatchService } from './watch/watch-service.js';
import { Committer } from './write/commit.js';
import { ObjectWriter } from './write/object-writer.js';
import { systemContext } from './write/request-context.js';

/** What the API stands on. */
export interface ApiPorts {
  readonly log: EventLog;
  /** Started: it has caught up with the log. */
  readonly projection: ClusterProjection;
  readonly commands: CommandBus;
  readonly bus: MessageBus;
  readonly feed: EventFeed;
  readonly clock: Clock;
  readonly ids: IdSource;
}

export interface ApiCoreOptions {
  /** Unique among the API's replicas: the relay's name as the holder of its lease. */
  readonly identity: string;
  /** How many of the newest events a stream EVENTS that is made anew begins with. */
  readonly feedWindowEvents?: number;
  /** Told of what a person should look at. */
  readonly report?: (problem: string, cause?: unknown) => void;
}

/** One replica of the API below HTTP: the simulation runs these as they are. */
export interface ApiCore {
  readonly registry: Registry;
  readonly reader: ObjectReader;
  readonly writer: ObjectWriter;
  readonly watches: WatchService;
  readonly logs: LogService;
  /**
   * Answers nodes, and relays when it is its turn, until the signal aborts. Resolves when the namespaces that are always there
   * are. `ended` settles when all has stopped, and rejects when something broke for good: the process should then stop.
   */
  start(signal: AbortSignal): Promise<{ readonly ended: Promise<void> }>;
}

/** Puts a replica together. Nothing runs before {@link ApiCore.start}, but changes are remembered from here on. */
export async function createApiCore(ports: ApiPorts, options: ApiCoreOptions): Promise<ApiCore> {
  const { log, projection, commands, bus, feed, clock, ids } = ports;
  const cluster = await log.clusterId();
  const recent = new RecentChanges(projection);
  const history = new History(log);
  const committer = new Committer(projection, recent, commands, clock);
  const assignments = new AssignmentPublisher(projection, bus, cluster);
  const { identity: holder, feedWindowEvents: windowEvents, report } = options;
  const relay = new Relay({
    log,
    feed,
    clock,
    assignments,
    holder,
    ...(windowEvents !== undefined && { windowEvents }),
    ...(report && { report }),
  });
  const nodeRequests = new NodeRequests({ projection, commands, bus, ids, cluster });
  return {
    registry: new Registry(),
    reader: new ObjectReader(projection, recent, history),
    writer: new ObjectWriter(committer, ids, clock),
    watches: new WatchService(projection, recent, history, clock, ids),
    logs: new LogService(projection, bus, clock, ids),
    start: async (signal) => {
      const endRequests = nodeRequests.start();
      const end = (): void => {
        endRequests();
        assignments.stop();
        recent.stop();
      };
      try {
        await makeSystemNamespaces(commands, ids);
      } catch (error) {
        end();
        throw error;
      }
      return { ended: relay.run(signal).finally(end) };
    },
  };
}

/** The namespaces that are always there, each made once in the life of a cluster, whoever comes first. */
async function makeSystemNamespaces(commands: CommandBus, ids: IdSource): Promise<void> {
  for (const name of SYSTEM_NAMESPACES) {
    const meta = {
      uid: ids.uuid(),
      labels: {},
      annotations: {},
      ownerReferences: [],
      finalizers: [],
      fieldManager: 'podledger-api',
      managedFields: [],
    };
    const commandId = `system-namespace/${name}`;
    const stream = namespaceStream(name);
    await commands.execute({
      commandId,
      context: systemContext(commandId),
      decide: (state) => {
        // One that was deleted stays deleted.
        if (state.version(stream) > 0) return [];
        return [{ stream, events: decideNamespace({ type: 'RequestNamespace', name, meta }, undefined) }];
      },
    });
  }
}
