import type { GrowthNews } from '#eventlog';

/**
 * What the command line needs of the three apps. Each runs in this process or in one of its own from the same settings; the
 * two ways differ in nothing else.
 */

/** A part that runs. */
export interface Running {
  /** Resolves when the part does its work, where that may be long after its start. */
  readonly ready?: Promise<void>;
  /** Settles when the part is over; rejects when it broke for good: the process has to end and begin anew from the log. */
  readonly ended?: Promise<unknown>;
  /** Stops in good order; pods go on. Resolves when nothing of it runs any more. */
  stop(): Promise<void>;
}

/** How to reach NATS, and as whom. */
export interface BusAccess {
  readonly url: string;
  /** Text of a NATS credentials file (JWT or nkey seed). Absent: the server asks for none. */
  readonly credentials?: string;
  /** PEM of the authority that signed the server's certificate. Present: the connection is TLS. */
  readonly ca?: string;
}

export interface LogAccess {
  /** `postgres://` address of the role that may append and read, and nothing else. */
  readonly databaseUrl: string;
  /** Shared by the apps of one process: what one appends is handed to the others. */
  readonly growth?: GrowthNews;
}

export interface ApiConfig extends LogAccess {
  readonly bus: BusAccess;
  readonly listen: { readonly host: string; readonly port: number };
  /** PEM texts. */
  readonly tls: { readonly key: string; readonly cert: string; readonly ca: string };
  /** The bearer token of the administrator. */
  readonly token: string;
  /** The key that wraps the keys of secrets: 32 bytes in base64. */
  readonly masterKey: string;
  /** Holds the keys that sign and revoke nodes' credentials. Absent where the operator runs NATS and hands them out. */
  readonly natsKeysDirectory?: string;
}

export interface RunningApi extends Running {
  /** A token with which one machine may become a node within `ttlMs`. */
  issueJoinToken(ttlMs: number): Promise<string>;
}

export interface SchedulerConfig extends LogAccess {
  readonly bus: BusAccess;
  /** Unique among the schedulers of the cluster. */
  readonly identity: string;
}

export interface ExecutorConfig {
  readonly bus: BusAccess;
  readonly nodeName: string;
  /** This node's part of the engine's capacity, in (0, 1]: several executors may share one engine. */
  readonly capacityShare: number;
  /** `unix:///var/run/docker.sock`. */
  readonly dockerHost: string;
  /** Where the executor keeps its few files. */
  readonly stateDirectory: string;
}

/** The three apps. Each start resolves when the app runs: the API answers, the scheduler stands by, the executor looks for its engine. */
export interface Apps {
  startApi(config: ApiConfig): Promise<RunningApi>;
  startScheduler(config: SchedulerConfig): Promise<Running>;
  startExecutor(config: ExecutorConfig): Promise<Running>;
}
