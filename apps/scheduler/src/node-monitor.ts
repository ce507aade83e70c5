import {
  assessNodes,
  type ClusterState,
  clusterStream,
  decideNode,
  decidePod,
  type EventLog,
  type HealthStep,
  type Heard,
  hearMore,
  type JsonObject,
  type MessageBus,
  type Millis,
  nodeStream,
  type ObjectChange,
  saysNotReady,
  type SilentTogether,
} from '#domain';
import type { Heartbeat } from '#bus';
import type { StreamDecision } from '#eventlog';
import type { HeartbeatSource } from './heartbeats.js';
import { podAt, streamOfObject } from './objects.js';
import type { Controller } from './reconcile-loop.js';
import { settleAll } from './settle-all.js';
import { type Cause, type Footing, footingOf, type Outcome } from './term.js';
import type { Workplace } from './workplace.js';

/** How often silence is measured. */
const TICK_MS = 1_000;

/** A tick that comes this late means that this process stood still, and heard nothing meanwhile: 3 s. */
const STOOD_STILL_MS = 3_000;

const NODES = 'nodes';

export interface NodeMonitorOptions extends Workplace {
  readonly log: Pick<EventLog, 'readStream'>;
  readonly bus: Pick<MessageBus, 'connected' | 'onConnection'>;
  readonly heartbeats: HeartbeatSource;
}

/**
 * Hears nodes and records when one becomes ready, falls silent, is lost or returns. Heartbeats stay in memory; the clock of
 * silence runs only while this process leads, is connected and is not standing still.
 */
export class NodeMonitor implements Controller {
  readonly name = 'nodes';
  readonly #heard = new Map<string, Heard>();
  /** Absent while nothing can be heard. */
  #listeningSince: Millis | undefined;
  #lastTick: Millis;
  #silentTogether: SilentTogether | undefined;
  #heardAgainAt: Millis | undefined;

  private constructor(private readonly options: NodeMonitorOptions) {
    this.#lastTick = options.clock.now();
    this.#listen(options.bus.connected);
  }

  /** With what an earlier scheduler recorded of a mass silence. Throws `LogUnavailable`. */
  static async create(options: NodeMonitorOptions): Promise<NodeMonitor> {
    const monitor = new NodeMonitor(options);
    for (const { type, data } of await options.log.readStream(clusterStream)) {
      if (type === 'NodesSilentTogether') monitor.#silentTogether = data as JsonObject & SilentTogether;
      if (type === 'NodesHeardAgain') monitor.#silentTogether = undefined;
    }
    return monitor;
  }

  all(): Iterable<string> {
    return [NODES];
  }

  concerned({ kind, before, after }: ObjectChange): Iterable<string> {
    if (kind !== 'Node') return [];
    if (after?.kind !== 'Node') {
      if (before) this.#heard.delete(before.meta.name);
      return [];
    }
    const epochBefore = before?.kind === 'Node' ? before.nodeEpoch : undefined;
    if (epochBefore !== after.nodeEpoch && !after.lost) {
      // A registration is a word of the node, though not yet that it can run pods.
      this.#hear(after.meta.name, { at: this.options.clock.now(), nodeEpoch: after.nodeEpoch, ready: false });
    }
    return [NODES];
  }

  open(wake: (key: string) => void): () => void {
    const { bus, clock, heartbeats } = this.options;
    let cancelTick: () => void = () => undefined;
    const tick = (): void => {
      const now = clock.now();
      if (now - this.#lastTick > STOOD_STILL_MS) this.#listen(bus.connected);
      this.#lastTick = now;
      wake(NODES);
      cancelTick = clock.after(TICK_MS, tick);
    };
    tick();
    const closers = [
      heartbeats((heartbeat) => {
        if (this.#accept(heartbeat)) wake(NODES);
      }),
      bus.onConnection((connected) => this.#listen(connected)),
      () => cancelTick(),
    ];
    return () => closers.forEach((close) => close());
  }

  async reconcile(_key: string, cause: Cause | undefined): Promise<Millis | undefined> {
    const { projection, clock } = this.options;
    const { state } = projection;
    const now = clock.now();
    // Not a word between two ticks that are far apart: the next tick will find that out, and nothing is judged before.
    if (this.#listeningSince === undefined || now - this.#lastTick > STOOD_STILL_MS) return undefined;
    const steps = assessNodes({
      now,
      listeningSince: this.#listeningSince,
      nodes: state.nodes(),
      podsOnNode: (node) => state.podsOnNode(node),
      heard: this.#heard,
      ...(this.#silentTogether && { silentTogether: this.#silentTogether }),
      ...(this.#heardAgainAt !== undefined && { heardAgainAt: this.#heardAgainAt }),
    });
    const moved = await this.#carryOut(state, steps, cause);
    return moved ? clock.now() : undefined;
  }

  /** Mass silence is on record before its nodes are, and a node's loss before its pods are given up. */
  async #carryOut(state: ClusterState, steps: readonly HealthStep[], cause: Cause | undefined): Promise<boolean> {
    const stages: HealthStep['type'][][] = [
      ['SilentTogether', 'HeardAgain'],
      ['NodeReady', 'NodeNotReady', 'NodeSilent'],
      ['NodeLost'],
      ['GiveUpPod'],
    ];
    const outcomes: Outcome[] = [];
    for (const stage of stages) {
      const staged = steps.filter(({ type }) => stage.includes(type));
      outcomes.push(...(await settleAll(staged.map((step) => this.#record(state, step, cause)))));
    }
    return outcomes.includes('moved');
  }

  async #record(state: ClusterState, step: HealthStep, cause: Cause | undefined): Promise<Outcome> {
    const decided = (footing: Footing, decide: (current: ClusterState) => readonly StreamDecision[]) =>
      this.options.term.execute({ ...(cause && { cause }), footing, decide });
    switch (step.type) {
      case 'SilentTogether': {
        const data: SilentTogether = { nodes: step.nodes, total: step.total };
        const event = { type: 'NodesSilentTogether', data } as const;
        await decided(new Map(), () => [{ stream: clusterStream, events: [event] }]);
        this.#silentTogether = data;
        return 'recorded';
      }
      case 'HeardAgain': {
        const event = { type: 'NodesHeardAgain', data: { nodes: step.nodes } } as const;
        await decided(new Map(), () => [{ stream: clusterStream, events: [event] }]);
        this.#silentTogether = undefined;
        this.#heardAgainAt = this.options.clock.now();
        return 'recorded';
      }
      case 'NodeReady':
      case 'NodeNotReady':
      case 'NodeSilent':
      case 'NodeLost': {
        const { name } = step.node.meta;
        const stream = nodeStream(name);
        return decided(footingOf(state, [stream]), (current) => [
          { stream, events: decideNode(commandOf(step), current.node(name)) },
        ]);
      }
      case 'GiveUpPod': {
        const { pod, message } = step;
        const stream = streamOfObject(pod);
        const node = nodeStream(pod.nodeName ?? '');
        return decided(footingOf(state, [stream, node]), (current) => {
          // Given up only behind a fence: a node that has registered anew in the meantime keeps its pods.
          if (!current.node(pod.nodeName ?? '')?.lost) return [];
          const command = { type: 'GiveUpPod', uid: pod.meta.uid, reason: 'NodeLost', message } as const;
          return [{ stream, events: decidePod(command, podAt(current, stream)) }];
        });
      }
    }
  }

  /** Whether the heartbeat is news to the log. */
  #accept({ node, nodeEpoch, runtime }: Heartbeat): boolean {
    const ready = runtime?.ready ?? true;
    const problem = ready ? {} : { problem: runtime?.message ?? '' };
    this.#hear(node, { at: this.options.clock.now(), nodeEpoch, ready, ...problem });
    const known = this.options.projection.state.node(node);
    return known?.nodeEpoch === nodeEpoch && (ready ? known.ready.status !== 'True' : !saysNotReady(known));
  }

  #hear(node: string, word: Heard): void {
    this.#heard.set(node, hearMore(this.#heard.get(node), word));
  }

  #listen(connected: boolean): void {
    this.#listeningSince = connected ? this.options.clock.now() : undefined;
  }
}

function commandOf(
  step: Extract<HealthStep, { readonly type: 'NodeReady' | 'NodeNotReady' | 'NodeSilent' | 'NodeLost' }>,
) {
  const { nodeEpoch } = step.node;
  switch (step.type) {
    case 'NodeReady':
      return { type: 'RecordNodeReady', nodeEpoch } as const;
    case 'NodeNotReady':
      return { type: 'RecordNodeNotReady', nodeEpoch, message: step.message } as const;
    case 'NodeSilent': {
      const { message, lastHeardAt } = step;
      const heard = lastHeardAt === undefined ? {} : { lastHeartbeatAt: lastHeardAt };
      return { type: 'RecordNodeSilent', nodeEpoch, message, ...heard } as const;
    }
    case 'NodeLost':
      return { type: 'RecordNodeLost', nodeEpoch, message: step.message } as const;
  }
}
