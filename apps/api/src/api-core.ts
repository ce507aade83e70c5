import type { Clock, EventFeed, EventLog, IdSource, MessageBus, SecretVault } from '#domain';
import type { ClusterProjection, CommandBus } from '#eventlog';
import { LogService } from './logs/log-service.js';
import { NodeRequests } from './nodes/node-requests.js';
import { PodConfigDesk } from './nodes/pod-config.js';
import { History } from './read/history.js';
import { ObjectReader } from './read/object-reader.js';
import { RecentChanges } from './read/recent-changes.js';
import { AssignmentPublisher } from './relay/assignment-publisher.js';
import { ConfigPublisher } from './relay/config-publisher.js';
import { Relay } from './relay/relay.js';
import { Registry } from './resources/registry.js';
import { KeyShredder } from './secrets/key-shredder.js';
import type { RandomBytes } from './secrets/object-key.js';
import { SecretKeys } from './secrets/secret-keys.js';
import { makeSystemObjects } from './system-objects.js';
import { WatchService } from './watch/watch-service.js';
import { Committer } from './write/commit.js';
import { ObjectWriter } from './write/object-writer.js';

/** What the API stands on. */
export interface ApiPorts {
  readonly log: EventLog;
  /** Started: it has caught up with the log. */
  readonly projection: ClusterProjection;
  readonly commands: CommandBus;
  readonly bus: MessageBus;
  readonly feed: EventFeed;
  readonly vault: SecretVault;
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
  /** Gives the bytes that encryption needs; only a simulation replaces it. */
  readonly random?: RandomBytes;
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
  const { log, projection, commands, bus, feed, vault, clock, ids } = ports;
  const cluster = await log.clusterId();
  const recent = new RecentChanges(projection);
  const history = new History(log);
  const committer = new Committer(projection, recent, commands, clock);
  const keys = new SecretKeys(vault, options.random);
  const assignments = new AssignmentPublisher(projection, bus, cluster);
  const configChanges = new ConfigPublisher(projection, bus);
  const { identity: holder, feedWindowEvents: windowEvents, report } = options;
  const relay = new Relay({
    log,
    feed,
    clock,
    publishers: [assignments, configChanges],
    holder,
    ...(windowEvents !== undefined && { windowEvents }),
    ...(report && { report }),
  });
  const nodeRequests = new NodeRequests({
    ...{ projection, commands, bus, ids, cluster },
    config: new PodConfigDesk(projection, keys, options.random),
  });
  const shredder = new KeyShredder({
    ...{ projection, keys, clock },
    olderThan: (ageMs) => vault.olderThan(ageMs),
    report: report ?? (() => undefined),
  });
  return {
    registry: new Registry(),
    reader: new ObjectReader(projection, recent, history, keys),
    writer: new ObjectWriter(committer, ids, clock, keys),
    watches: new WatchService(projection, recent, history, clock, ids, keys),
    logs: new LogService(projection, bus, clock, ids),
    start: async (signal) => {
      const endRequests = nodeRequests.start();
      const endShredding = shredder.start();
      const end = async (): Promise<void> => {
        endRequests();
        assignments.stop();
        configChanges.stop();
        recent.stop();
        await endShredding();
      };
      try {
        await makeSystemObjects(commands, ids);
      } catch (error) {
        await end();
        throw error;
      }
      return { ended: relay.run(signal).finally(end) };
    },
  };
}
