import {
  assignedPod,
  decidePod,
  DomainError,
  evolvePod,
  podPhase,
  podStream,
  RemoteRefusal,
  type JsonObject,
  type MessageBus,
  type PodCommand,
  type PodEvent,
  type PodFact,
  type PodSpec,
  type PodState,
  type Recorded,
} from '#domain';
import { answerNodes, assignSubject, nodeCalls, type DeltaAssignment, type FullAssignment, type Register } from '#bus';
import { aMeta } from './builders.js';
import { recorded } from './given.js';

/**
 * What one node sees of a control plane: it assigns pods and records facts through the real decider, on no log. Its faults
 * are switches.
 */
export class FakeControlPlane {
  cluster = 'cluster-1';
  epoch = 0;
  /** Grows with every change of the assignment. */
  revision = 100;
  readonly registrations: Register[] = [];
  /** Every event of every pod, in order, by pod uid. */
  readonly events = new Map<string, Recorded<PodEvent>[]>();
  /** Ids of facts as they arrived, repeats included. */
  readonly heard: string[] = [];
  heartbeats = 0;
  /** So many reports are recorded and their answers lost. */
  answersToLose = 0;
  /** Reports are lost on their way: nothing of them is recorded or answered. */
  deaf = false;
  /** Assignments are not sent, as if the bus had dropped them. */
  silent = false;
  /** Each assignment is sent this many times. */
  copies = 1;
  nodeKnown = true;
  private readonly pods = new Map<string, PodState>();
  private readonly seen = new Set<string>();
  private made = 0;

  constructor(
    private readonly bus: MessageBus,
    readonly node = 'n1',
  ) {
    answerNodes(bus, nodeCalls.register, async (request) => {
      if (request.cluster !== undefined && request.cluster !== this.cluster) {
        throw new RemoteRefusal('Forbidden', `this is cluster ${this.cluster}`);
      }
      this.registrations.push(request);
      this.epoch += 1;
      return { cluster: this.cluster, nodeEpoch: this.epoch };
    });
    answerNodes(bus, nodeCalls.heartbeat, async () => {
      this.heartbeats += 1;
      return { revision: this.revision, nodeEpoch: this.epoch, known: this.nodeKnown };
    });
    answerNodes(bus, nodeCalls.sync, async ({ nodeEpoch }) => {
      if (this.nodeKnown && nodeEpoch !== this.epoch) throw new DomainError('StaleNode', 'another epoch');
      return this.fullAssignment();
    });
    answerNodes(bus, nodeCalls.facts, async ({ nodeEpoch, pod, facts }) => {
      if (this.deaf) return new Promise<never>(() => undefined);
      if (nodeEpoch !== this.epoch) throw new DomainError('StaleNode', 'another epoch');
      const ids = facts.map(({ id }) => id);
      if (!this.pods.has(pod.uid)) return { acknowledged: ids, unknownPod: true };
      for (const fact of facts) this.record(pod.uid, fact);
      if (this.answersToLose > 0) {
        this.answersToLose -= 1;
        return new Promise<never>(() => undefined);
      }
      return { acknowledged: ids };
    });
  }

  /** A pod is requested and placed on the node; answers its uid. */
  run(name: string, spec: PodSpec, annotations: Readonly<Record<string, string>> = {}): string {
    this.made += 1;
    const uid = `uid-${this.made}`;
    this.events.set(uid, []);
    const meta = aMeta({ uid, annotations });
    this.command(uid, { type: 'RequestPod', namespace: 'shop', name, meta, spec });
    this.command(uid, { type: 'SchedulePod', uid, node: this.node, by: 'scheduler' });
    return uid;
  }

  delete(uid: string, gracePeriodSeconds = 30): void {
    const requested = { propagation: 'Background', reason: 'Requested', nodeReady: true } as const;
    this.command(uid, { type: 'TerminatePod', preconditions: {}, gracePeriodSeconds, ...requested });
  }

  editImage(uid: string, container: string, image: string): void {
    const pod = this.pod(uid);
    const containers = pod.spec.containers.map((one) => (one.name === container ? { ...one, image } : one));
    this.keep(uid, { ...pod, spec: { ...pod.spec, containers } });
  }

  /** The pod has ended for the log, whatever runs of it here. */
  giveUp(uid: string): void {
    this.command(uid, { type: 'GiveUpPod', uid, reason: 'NodeLost', message: 'The node was silent' });
  }

  /** The object goes without the node's word, as under a forced deletion. */
  forget(uid: string): void {
    this.keep(uid, undefined);
  }

  /** The pod. Throws when it is gone. */
  pod(uid: string): PodState {
    const pod = this.pods.get(uid);
    if (!pod) throw new Error(`pod ${uid} is gone`);
    return pod;
  }

  has(uid: string): boolean {
    return this.pods.has(uid);
  }

  phase(uid: string): string {
    return podPhase(this.pod(uid));
  }

  /** Types of a pod's events, in order. */
  history(uid: string): string[] {
    return (this.events.get(uid) ?? []).map(({ type }) => type);
  }

  /** Data of a pod's events of one type. */
  dataOf<Type extends PodEvent['type']>(uid: string, type: Type): DataOf<Type>[] {
    const events = (this.events.get(uid) ?? []).filter((event) => event.type === type);
    return events.map(({ data }) => data as DataOf<Type>);
  }

  fullAssignment(): FullAssignment {
    const { cluster, node, epoch: nodeEpoch, revision } = this;
    const pods = [...this.pods.values()].map((pod) => asMessage(assignedPod(pod)));
    return { kind: 'full', cluster, node, nodeEpoch, revision, pods };
  }

  /** Sends an assignment as it is. */
  send(assignment: FullAssignment | DeltaAssignment): void {
    this.bus.publish(assignSubject(this.node), assignment);
  }

  private record(uid: string, fact: JsonObject & { readonly id: string }): void {
    this.heard.push(fact.id);
    if (this.seen.has(fact.id)) return;
    this.seen.add(fact.id);
    this.command(uid, { type: 'ReportFact', uid, node: this.node, fact: fact as JsonObject & PodFact });
  }

  private command(uid: string, command: PodCommand): void {
    const before = this.pods.get(uid);
    const events = decidePod(command, before);
    if (events.length === 0) return;
    const history = this.events.get(uid) ?? [];
    const from = { revision: this.revision + 1, version: history.length + 1 };
    const news = recorded(podStream('shop', uid), events, from);
    this.events.set(uid, [...history, ...news]);
    this.keep(
      uid,
      news.reduce<PodState | undefined>((pod, event) => evolvePod(pod, event), before),
    );
  }

  private keep(uid: string, after: PodState | undefined): void {
    const before = this.pods.get(uid);
    if (after) this.pods.set(uid, after);
    else this.pods.delete(uid);
    if (after?.nodeName === undefined && before?.nodeName === undefined) return;
    const prev = this.revision;
    this.revision += 1;
    const { cluster, node, epoch: nodeEpoch, revision } = this;
    const delta: DeltaAssignment = {
      ...{ kind: 'delta', cluster, node, nodeEpoch, prev, revision },
      upserts: after ? [asMessage(assignedPod(after))] : [],
      removed: after ? [] : [uid],
    };
    if (this.silent) return;
    for (let copy = 0; copy < this.copies; copy += 1) this.send(delta);
  }
}

const asMessage = (value: object): JsonObject => JSON.parse(JSON.stringify(value)) as JsonObject;

type DataOf<Type extends PodEvent['type']> = Extract<PodEvent, { type: Type }>['data'];
