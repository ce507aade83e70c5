import {
  NoAnswer,
  RemoteRefusal,
  type Clock,
  type IdSource,
  type MessageBus,
  type PodFact,
  type PodKey,
} from '#domain';
import { ask, nodeCalls, nodeRequestSubject, tooLarge, type Fact } from '#bus';
import type { Report } from './report.js';
import { Wakeup } from './wakeup.js';

const ANSWER_MS = 10_000;
const RETRY_MS = { first: 100, max: 10_000 };
/** Facts in one message; the rest follows. */
const BATCH = 500;
/** Refusals that a repeat cannot change. */
const FINAL: readonly string[] = ['BadRequest', tooLarge];

export interface FactReporterOptions {
  readonly bus: MessageBus;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly node: string;
  readonly report: Report;
  /** The epoch to speak under; `undefined` while the node is not registered. */
  readonly epoch: () => number | undefined;
  /** The control plane refuses this epoch. */
  readonly onStale: (epoch: number) => void;
  /** The log has no such pod for this node. */
  readonly onUnknownPod: (uid: string) => void;
  /** Facts of this pod came into the log. */
  readonly onAcknowledged: (uid: string) => void;
}

/**
 * Tells the log what was seen, until it says that it has it: each pod's facts in their order, each until acknowledged. A
 * repeat is harmless, for the fact's id is the command's. What the engine still shows is offered again after a restart, so
 * nothing is kept on disk; of news that supersede each other only the newest waits, so nothing grows while nobody listens.
 * A fact that the log will never take is dropped and reported: it must not hold up what happened after it.
 */
export class FactReporter {
  private readonly pods = new Map<string, PodFacts>();
  private stopped = false;

  constructor(private readonly options: FactReporterOptions) {}

  /** Everything that can be said of a pod now. What was told before is not told again. */
  offer(pod: PodKey, facts: readonly PodFact[]): void {
    const entry = this.entryOf(pod);
    const current = new Set(facts.map(({ id }) => id));
    for (const id of entry.acknowledged) if (!current.has(id)) entry.acknowledged.delete(id);
    this.tell(pod, facts);
  }

  /** News that will not be offered again. */
  tell(pod: PodKey, facts: readonly PodFact[]): void {
    const entry = this.entryOf(pod);
    for (const fact of facts) {
      if (entry.acknowledged.has(fact.id) || entry.pending.has(fact.id)) continue;
      const supersedes = supersededBy(fact);
      for (const [id, older] of entry.pending) {
        if (supersedes !== undefined && supersededBy(older) === supersedes) entry.pending.delete(id);
      }
      entry.pending.set(fact.id, fact);
    }
    if (entry.pending.size > 0) entry.wakeup.ring();
  }

  isAcknowledged(uid: string, factId: string): boolean {
    return this.pods.get(uid)?.acknowledged.has(factId) ?? false;
  }

  /** A pod is gone, or nobody's: nothing more is said of it. */
  forget(uid: string): void {
    const entry = this.pods.get(uid);
    if (!entry) return;
    entry.over = true;
    entry.retry.abort();
    entry.wakeup.ring();
    this.pods.delete(uid);
  }

  /** Tries at once, as after a reconnection or a new epoch. */
  retryNow(): void {
    for (const { retry } of this.pods.values()) retry.abort();
  }

  /** True when the log has everything. */
  get isIdle(): boolean {
    return [...this.pods.values()].every(({ pending }) => pending.size === 0);
  }

  stop(): void {
    this.stopped = true;
    for (const uid of [...this.pods.keys()]) this.forget(uid);
  }

  private entryOf(pod: PodKey): PodFacts {
    const known = this.pods.get(pod.uid);
    if (known) return known;
    const entry = new PodFacts(pod);
    if (this.stopped) return entry;
    this.pods.set(pod.uid, entry);
    void this.send(entry);
    return entry;
  }

  /** One pod's facts, one message at a time: that keeps their order. */
  private async send(entry: PodFacts): Promise<void> {
    let failures = 0;
    for (;;) {
      if (entry.pending.size === 0) await entry.wakeup.wait();
      if (entry.over) return;
      if (entry.pending.size === 0) continue;
      if (await this.sendBatch(entry)) {
        failures = 0;
        continue;
      }
      failures += 1;
      const waitMs = Math.min(RETRY_MS.max, RETRY_MS.first * 2 ** Math.min(failures - 1, 20));
      entry.retry = new AbortController();
      await this.options.clock.sleep(waitMs * (0.5 + this.options.ids.random() / 2), entry.retry.signal);
    }
  }

  /** True when the answer came. */
  private async sendBatch(entry: PodFacts): Promise<boolean> {
    const { bus, node, epoch, onStale, onUnknownPod, onAcknowledged, report } = this.options;
    const nodeEpoch = epoch();
    if (nodeEpoch === undefined || !bus.connected) return false;
    const facts = [...entry.pending.values()].slice(0, entry.batch).map(onWire);
    const message = { node, nodeEpoch, pod: { ...entry.pod }, facts };
    try {
      const answer = await ask(bus, nodeRequestSubject(node, 'facts'), nodeCalls.facts, message, ANSWER_MS);
      const settled = answer.unknownPod ? facts.map(({ id }) => id) : answer.acknowledged;
      for (const id of settled) if (entry.pending.delete(id)) entry.acknowledged.add(id);
      if (answer.unknownPod) onUnknownPod(entry.pod.uid);
      if (settled.length > 0) onAcknowledged(entry.pod.uid);
      entry.batch = Math.min(BATCH, entry.batch * 2);
      return settled.length > 0;
    } catch (cause) {
      if (cause instanceof RemoteRefusal && FINAL.includes(cause.reason)) return this.isolate(entry, facts, cause);
      if (cause instanceof RemoteRefusal && cause.reason === 'StaleNode') onStale(nodeEpoch);
      else if (cause instanceof RemoteRefusal) {
        report(`facts of pod ${entry.pod.namespace}/${entry.pod.name} were refused`, cause);
      } else if (!(cause instanceof NoAnswer)) throw cause;
      return false;
    }
  }

  /** Finds the fact that a message was refused for, by halves, and drops it. */
  private isolate(entry: PodFacts, [first, ...others]: readonly Fact[], cause: RemoteRefusal): boolean {
    if (!first) return false;
    if (others.length > 0) {
      entry.batch = Math.ceil(others.length / 2);
      return true;
    }
    const { pod, pending, acknowledged } = entry;
    const { id, type } = first;
    this.options.report(
      `PodFactRejected: fact ${id} (${String(type)}) of pod ${pod.namespace}/${pod.name} is dropped`,
      cause,
    );
    // Nobody waits for it any more: its container may be removed.
    if (pending.delete(id)) acknowledged.add(id);
    this.options.onAcknowledged(pod.uid);
    return true;
  }
}

class PodFacts {
  /** How many facts the next message may hold. */
  batch = BATCH;
  readonly pending = new Map<string, PodFact>();
  readonly acknowledged = new Set<string>();
  readonly wakeup = new Wakeup();
  retry = new AbortController();
  over = false;

  constructor(readonly pod: PodKey) {}
}

/** Engines write pages of errors; more characters than this are no message. The log takes no fact that is much longer. */
const LONGEST_MESSAGE = 4_096;

function onWire({ id, type, data }: PodFact): Fact {
  const message = 'message' in data &&
    data.message !== undefined && { message: data.message.slice(0, LONGEST_MESSAGE) };
  return { id, type, data: { ...data, ...message } };
}

/** News of one key replace each other: only how things stand now is worth telling. `undefined`: it must be told. */
function supersededBy({ type, data }: PodFact): string | undefined {
  switch (type) {
    case 'ImagePullProgressed':
      return `${type}/${data.container}`;
    case 'ImagePullFailed':
      return `${type}/${data.reason}/${data.container}`;
    case 'ContainerCreateFailed':
    case 'ImagePullStarted':
      return `${type}/${data.container}`;
    case 'PodSandboxFailed':
      return type;
    case 'ContainerProbeFailed':
      // One that condemns its container is its end: there is no newer.
      return `${type}/${data.containerId}/${data.probe}`;
    case 'ContainerReadinessChanged':
      return `${type}/${data.containerId}`;
    default:
      return undefined;
  }
}
