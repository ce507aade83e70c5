import type { JsonObject, Millis, Revision } from '#domain';
import { nodeNamePattern } from './subjects.js';
import { count, dictionary, flag, list, object, oneOf, optional, shape, text, type Check } from './shape.js';

/**
 * What travels between the control plane and the nodes. Aliases, not interfaces, so that a message is a `JsonObject` as it
 * stands. Each has a parser of the same name: nothing that arrives is used unparsed.
 */

/** A sign of life, every few seconds, over core NATS. It never enters the log. */
export type Heartbeat = {
  readonly node: string;
  /** As given by {@link Registered}; a heartbeat under another is answered with the current one and counts for nothing. */
  readonly nodeEpoch: number;
  /** Highest assignment revision the node has seen. */
  readonly revision: Revision;
  readonly sentAt: Millis;
  /** Whether the node's container engine answers. Absent from executors that do not look: it is taken to. */
  readonly runtime?: RuntimeCondition;
};

/** What a node knows of its container engine. */
export type RuntimeCondition = {
  readonly ready: boolean;
  /** Why it is not. */
  readonly message: string;
};

export type HeartbeatReply = {
  /** The newest assignment of the node. Later than what the node has seen: it lost a message and must sync. */
  readonly revision: Revision;
  /** The node's current epoch. Another than its own: it must register again. */
  readonly nodeEpoch: number;
  /** False when the log has no such node: it must register, or was deleted. */
  readonly known: boolean;
};

/** What a node can hold, or what of it pods may use. */
export type Resources = {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly pods: number;
};

/** A node says that it is there, at each start of its executor. Raises its epoch. */
export type Register = {
  readonly node: string;
  /** The cluster it belonged to before. It is refused when that is another one. */
  readonly cluster?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly capacity: Resources;
  readonly allocatable: Resources;
  /** `status.nodeInfo` as Kubernetes has it. */
  readonly info: JsonObject;
  /** `status.addresses`. */
  readonly addresses: readonly { readonly type: string; readonly address: string }[];
  /** Public key that secrets for this node are sealed to. */
  readonly sealKey?: string;
};

export type Registered = {
  readonly cluster: string;
  readonly nodeEpoch: number;
  readonly podCIDR?: string;
};

/** Asks for everything the node should run, as after a gap. */
export type SyncRequest = {
  readonly node: string;
  readonly nodeEpoch: number;
};

/** One pod as a node is told of it: uid, spec and wish, in the domain's form. */
export type AssignedPod = JsonObject;

/** All pods of a node as of a revision: what is not in it is not the node's. */
export type FullAssignment = {
  readonly kind: 'full';
  readonly cluster: string;
  readonly node: string;
  readonly nodeEpoch: number;
  readonly revision: Revision;
  readonly pods: readonly AssignedPod[];
};

/** What changed since the node's assignment `prev`. A node that is not at `prev` asks for a full one. */
export type DeltaAssignment = {
  readonly kind: 'delta';
  readonly cluster: string;
  readonly node: string;
  readonly nodeEpoch: number;
  readonly prev: Revision;
  readonly revision: Revision;
  readonly upserts: readonly AssignedPod[];
  /** Uids of pods the node should forget. */
  readonly removed: readonly string[];
};

export type Assignment = FullAssignment | DeltaAssignment;

/** Something observed on a node. The id is made of the container and what happened to it, so a repeat is recognised. */
export type Fact = JsonObject & { readonly id: string };

/** A pod's newest state and every fact about it that is not acknowledged yet. */
export type Report = {
  readonly node: string;
  readonly nodeEpoch: number;
  readonly pod: { readonly namespace: string; readonly name: string; readonly uid: string };
  readonly facts: readonly Fact[];
};

export type ReportReply = {
  /** Ids of facts that are in the log for good. */
  readonly acknowledged: readonly string[];
  /** The log has no such pod, or bound it to another node: the node may remove it. */
  readonly unknownPod?: boolean;
};

/**
 * Asks for the ConfigMaps and Secrets that a pod names (`configRefsOf` of its spec). Refused (NotFound) for a pod that is not
 * bound to the node, and (StaleNode) under another epoch.
 */
export type ConfigRequest = {
  readonly node: string;
  readonly nodeEpoch: number;
  readonly uid: string;
  /** Where to go on, as the last reply's `next` said; absent: at the beginning. */
  readonly from?: number;
};

/** A ConfigMap as a pod sees it. */
export type ConfigMapContent = {
  readonly data: Readonly<Record<string, string>>;
  /** Base64. */
  readonly binaryData: Readonly<Record<string, string>>;
};

/** A Secret as a pod sees it. It travels in a sealed box only (`sealSecret`, `openSecret`). */
export type SecretContent = {
  readonly type: string;
  /** Base64. */
  readonly data: Readonly<Record<string, string>>;
};

/** What a pod names and the cluster has. A name that is asked for and is in no page does not exist. */
export type ConfigReply = {
  /** Up to where the log was read. Pages of one answer may differ in it. */
  readonly revision: Revision;
  /** By name. */
  readonly configMaps: Readonly<Record<string, ConfigMapContent>>;
  /** By name: boxes that only the node's own key opens. */
  readonly secrets: Readonly<Record<string, string>>;
  /** There is more: ask again with this as `from`. */
  readonly next?: number;
};

/** A hint, by core NATS: what these pods name has changed, so ask again. Losing it costs time only. */
export type ConfigChanged = {
  readonly node: string;
  readonly revision: Revision;
  readonly uids: readonly string[];
};

/** Asks a node for a container's output; it comes in {@link StreamChunk}s. */
export type LogsRequest = {
  readonly uid: string;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** Engine id, where the API knows which run of the container is meant. */
  readonly containerId?: string;
  readonly options: LogsOptions;
  /** Subject to send the chunks to: `streams.<node>.<id>`. */
  readonly stream: string;
};

/** As in Kubernetes' PodLogOptions. */
export type LogsOptions = {
  readonly follow?: boolean;
  readonly previous?: boolean;
  readonly timestamps?: boolean;
  readonly sinceTime?: Millis;
  readonly tailLines?: number;
  readonly limitBytes?: number;
};

/** The node has begun to send. */
export type LogsReply = { readonly accepted: true };

/** One piece of an opened stream, sent by request and reply: the next one waits for the reply, so a slow reader slows the node. */
export type StreamChunk = {
  /** Counts from 0; a gap means a lost piece and ends the stream. */
  readonly sequence: number;
  /** Base64 of the bytes. */
  readonly data: string;
  /** The last one. With `error`, why it ended early. */
  readonly end?: boolean;
  readonly error?: string;
};

/** `proceed: false`: the reader is gone, send no more. */
export type StreamReply = { readonly proceed: boolean };

/** A machine that holds a one-time token asks to become a node. Its key pair is its own; only the public half is here. */
export type JoinRequest = {
  readonly token: string;
  readonly node: string;
  /** Public nkey of a user (`U…`). */
  readonly publicKey: string;
};

export type JoinReply = {
  readonly cluster: string;
  /** The node's credential, to be kept with its own seed. Absent where the operator runs NATS and hands out credentials. */
  readonly jwt?: string;
};

/** More than one object of at most 1 MiB can be in base64, in characters. */
const configBytes = 2 * 1024 * 1024;
const nodeName = text(253, nodeNamePattern);
const name = text(253);
const uid = text(128);
const resources = shape<Resources>({ cpuMillis: count, memoryBytes: count, pods: count });
const fact: Check<Fact> = (value, path) => ({
  ...object(value, path),
  ...shape<{ id: string }>({ id: text(200) })(value, path),
});

export const parseHeartbeat = shape<Heartbeat>({
  node: nodeName,
  nodeEpoch: count,
  revision: count,
  sentAt: count,
  runtime: optional(shape<RuntimeCondition>({ ready: flag, message: text(1_024) })),
});
export const parseHeartbeatReply = shape<HeartbeatReply>({ revision: count, nodeEpoch: count, known: flag });
export const parseRegister = shape<Register>({
  node: nodeName,
  cluster: optional(text(128)),
  labels: dictionary(text(63)),
  capacity: resources,
  allocatable: resources,
  info: object,
  addresses: list(shape<{ type: string; address: string }>({ type: text(64), address: text(253) }), 64),
  sealKey: optional(text(1_024)),
});
export const parseRegistered = shape<Registered>({ cluster: text(128), nodeEpoch: count, podCIDR: optional(text(64)) });
export const parseSyncRequest = shape<SyncRequest>({ node: nodeName, nodeEpoch: count });
export const parseFullAssignment = shape<FullAssignment>({
  kind: oneOf('full'),
  cluster: text(128),
  node: nodeName,
  nodeEpoch: count,
  revision: count,
  pods: list(object),
});
const parseDeltaAssignment = shape<DeltaAssignment>({
  kind: oneOf('delta'),
  cluster: text(128),
  node: nodeName,
  nodeEpoch: count,
  prev: count,
  revision: count,
  upserts: list(object),
  removed: list(uid),
});
export const parseAssignment: Check<Assignment> = (value, path) =>
  object(value, path)['kind'] === 'full' ? parseFullAssignment(value, path) : parseDeltaAssignment(value, path);
export const parseReport = shape<Report>({
  node: nodeName,
  nodeEpoch: count,
  pod: shape<Report['pod']>({ namespace: name, name, uid }),
  facts: list(fact, 10_000),
});
export const parseReportReply = shape<ReportReply>({
  acknowledged: list(text(200), 10_000),
  unknownPod: optional(flag),
});
export const parseConfigRequest = shape<ConfigRequest>({
  node: nodeName,
  nodeEpoch: count,
  uid,
  from: optional(count),
});
const words = dictionary(text(configBytes));
const parseConfigMapContent = shape<ConfigMapContent>({ data: words, binaryData: words });
export const parseSecretContent = shape<SecretContent>({ type: text(253), data: words });
export const parseConfigReply = shape<ConfigReply>({
  revision: count,
  configMaps: dictionary(parseConfigMapContent),
  secrets: dictionary(text(2 * configBytes)),
  next: optional(count),
});
export const parseConfigChanged = shape<ConfigChanged>({
  node: nodeName,
  revision: count,
  uids: list(uid, 10_000),
});
export const parseLogsRequest = shape<LogsRequest>({
  uid,
  namespace: name,
  pod: name,
  container: name,
  containerId: optional(text(128)),
  options: shape<LogsOptions>({
    follow: optional(flag),
    previous: optional(flag),
    timestamps: optional(flag),
    sinceTime: optional(count),
    tailLines: optional(count),
    limitBytes: optional(count),
  }),
  stream: text(512, /^streams\.[a-z0-9_-]+\.[A-Za-z0-9-]+$/),
});
export const parseLogsReply: Check<LogsReply> = (value, path) => {
  object(value, path);
  return { accepted: true };
};
export const parseStreamChunk = shape<StreamChunk>({
  sequence: count,
  data: text(6 * 1024 * 1024, /^[A-Za-z0-9+/]*={0,2}$/),
  end: optional(flag),
  error: optional(text(4_096)),
});
export const parseStreamReply = shape<StreamReply>({ proceed: flag });
export const parseJoinRequest = shape<JoinRequest>({ token: text(256), node: nodeName, publicKey: text(128) });
export const parseJoinReply = shape<JoinReply>({ cluster: text(128), jwt: optional(text(16 * 1024)) });
