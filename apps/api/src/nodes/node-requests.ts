import {
  decideNode,
  decidePod,
  DomainError,
  nodeStream,
  podNetworksStream,
  podStream,
  RemoteRefusal,
  stableHash,
  type IdSource,
  type MessageBus,
  type NodeDescription,
  type PodFact,
  type Unsubscribe,
} from '#domain';
import {
  answerNodes,
  nodeCalls,
  type FullAssignment,
  type Heartbeat,
  type HeartbeatReply,
  type Register,
  type Registered,
  type Report,
  type ReportReply,
  type SyncRequest,
} from '#bus';
import type { ClusterProjection, Command, CommandBus } from '#eventlog';
import { untilLatest } from '../read/revisions.js';
import { asMessage } from '../relay/assignment-publisher.js';
import { textsAt } from '../resources/wire-values.js';
import { readFact } from './fact-check.js';
import { allocatePodCidr } from './pod-cidr.js';
import type { PodConfigDesk } from './pod-config.js';
import { refuseStale, staleNode } from './stale-node.js';

/** Longer ids of facts are hashed, so that the command's stays within the 200 characters that the log takes. */
const LONGEST_FACT_ID = 120;

export interface NodeRequestsOptions {
  readonly projection: ClusterProjection;
  readonly commands: CommandBus;
  readonly bus: MessageBus;
  readonly ids: IdSource;
  /** Id of this cluster. */
  readonly cluster: string;
  /** Answers what the pods of a node name. */
  readonly config: PodConfigDesk;
}

/**
 * What nodes ask and report. Each request is answered by one replica, in the name of the node whose subject it came on.
 */
export class NodeRequests {
  /** Registrations one by one: those of new nodes all write the stream of pod networks, and would conflict. */
  private registering: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: NodeRequestsOptions) {}

  /** Answers until the returned function is called. */
  start(): Unsubscribe {
    const { bus } = this.options;
    const ends = [
      answerNodes(bus, nodeCalls.register, (request) => this.register(request)),
      answerNodes(bus, nodeCalls.heartbeat, (request) => Promise.resolve(this.heartbeat(request))),
      answerNodes(bus, nodeCalls.sync, (request) => this.sync(request)),
      answerNodes(bus, nodeCalls.facts, (request) => this.report(request)),
      answerNodes(bus, nodeCalls.config, (request) => this.options.config.answer(request)),
    ];
    return () => ends.forEach((end) => end());
  }

  /** An executor is there: its node joins, or comes back under a new epoch. */
  private async register(request: Register): Promise<Registered> {
    const { cluster } = this.options;
    if (request.cluster !== undefined && request.cluster !== cluster)
      throw new RemoteRefusal(
        'OtherCluster',
        `node ${request.node} belongs to cluster ${request.cluster}, this is ${cluster}`,
      );
    const turn = this.registering.then(() => this.recordRegistration(request));
    this.registering = turn.catch(() => undefined);
    await turn;
    const node = this.options.projection.state.node(request.node);
    if (!node) throw new DomainError('Conflict', `node ${request.node} was deleted while it registered`);
    return { cluster, nodeEpoch: node.nodeEpoch, podCIDR: node.podCIDR };
  }

  private async recordRegistration(request: Register): Promise<void> {
    const { commands, projection, ids } = this.options;
    const id = `register/${ids.uuid()}`;
    const uid = ids.uuid();
    await untilLatest(projection);
    await commands.execute({
      commandId: id,
      context: { actor: { kind: 'node', name: request.node }, requestId: id, correlationId: id },
      decide: (state) => {
        const known = state.node(request.node);
        const podCIDR = known?.podCIDR || allocatePodCidr(state);
        const description = descriptionOf(request);
        const stream = nodeStream(request.node);
        const streamVersion = state.version(stream);
        const command = { type: 'RegisterNode', name: request.node, uid, podCIDR, description, streamVersion } as const;
        const allocated = { type: 'PodNetworkAllocated', data: { node: request.node, podCIDR } } as const;
        return [
          { stream, events: decideNode(command, known) },
          { stream: podNetworksStream, events: known?.podCIDR === podCIDR ? [] : [allocated] },
        ];
      },
    });
  }

  private heartbeat({ node }: Heartbeat): HeartbeatReply {
    const { state } = this.options.projection;
    const known = state.node(node);
    return {
      revision: state.assignmentRevision(node),
      nodeEpoch: known?.nodeEpoch ?? 0,
      known: known !== undefined,
    };
  }

  /** Everything the node is to have. What a stale replica does not know yet must not be taken for gone, so the log is asked first. */
  private async sync({ node, nodeEpoch }: SyncRequest): Promise<FullAssignment> {
    const { projection, cluster } = this.options;
    await untilLatest(projection);
    const known = projection.state.node(node);
    if (known && known.nodeEpoch !== nodeEpoch) throw staleNode(projection.state, node, nodeEpoch);
    const { revision, pods } = projection.state.assignmentOf(node);
    // A node that was deleted is assigned nothing, under the epoch it still believes in.
    return { kind: 'full', cluster, node, nodeEpoch, revision, pods: pods.map(asMessage) };
  }

  /** Facts become events, one command each, acknowledged when they are in the log: a repeat is recognised by its id. */
  private async report({ node, nodeEpoch, pod, facts }: Report): Promise<ReportReply> {
    const { projection } = this.options;
    const read = facts.map(readFact);
    const acknowledged = read.map(({ id }) => id);
    if (!this.isBound(pod.uid, node)) await untilLatest(projection);
    if (projection.state.node(node)?.nodeEpoch !== nodeEpoch) {
      await untilLatest(projection);
      refuseStale(projection.state, node, nodeEpoch);
    }
    // A pod that went, or was never this node's: nothing is left to record, and the node need not keep it in mind.
    if (!this.isBound(pod.uid, node)) return { acknowledged, unknownPod: true };
    for (const fact of read) await this.record(node, nodeEpoch, pod.uid, fact);
    return { acknowledged };
  }

  private isBound(uid: string, node: string): boolean {
    return this.options.projection.state.podByUid(uid)?.nodeName === node;
  }

  private async record(node: string, nodeEpoch: number, uid: string, fact: PodFact): Promise<void> {
    if (fact.type === 'PodContainersRemoved' && fact.data.node !== node)
      throw new DomainError('BadRequest', `node ${node} cannot say that nothing is left on ${fact.data.node}`);
    const { commands, projection } = this.options;
    const commandId = `fact/${uid}/${fact.id.length <= LONGEST_FACT_ID ? fact.id : stableHash(fact.id)}`;
    const command: Command = {
      commandId,
      context: { actor: { kind: 'node', name: node }, requestId: commandId, correlationId: uid },
      decide: (state) => {
        refuseStale(state, node, nodeEpoch);
        const pod = state.podByUid(uid);
        if (!pod) return [];
        const { namespace, name } = pod.meta;
        return [
          { stream: podStream(namespace, name), events: decidePod({ type: 'ReportFact', uid, node, fact }, pod) },
        ];
      },
      guards: () => [nodeStream(node)],
    };
    const seen = projection.revision;
    if ((await commands.execute(command)).changed) return;
    // Known already, or so it looks to a replica that may lag: what is acknowledged for nothing is never told again.
    await untilLatest(projection);
    if (projection.revision !== seen) await commands.execute(command);
  }
}

/** The engine's own id is what it calls the machine it is on; it changes when its state is lost. */
function descriptionOf({ labels, capacity, allocatable, info, addresses, sealKey }: Register): NodeDescription {
  const words = textsAt({ info }, 'info');
  return {
    labels,
    capacity,
    allocatable,
    info: words,
    addresses,
    engineId: words['machineID'] ?? '',
    ...(sealKey !== undefined && { sealKey }),
  };
}
