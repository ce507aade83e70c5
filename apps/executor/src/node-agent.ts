import { NoAnswer, RemoteRefusal, type Clock, type IdSource, type MessageBus } from '#domain';
import {
  ask,
  assignSubject,
  nodeCalls,
  nodeRequestSubject,
  parseAssignment,
  type Assignment,
  type Register,
  type RuntimeCondition,
} from '#bus';
import { AssignmentTracker, type SeenState } from './assignment-tracker.js';
import type { NodeStateStore } from './node-state-store.js';
import type { Report } from './report.js';
import { Wakeup } from './wakeup.js';

const ANSWER_MS = 5_000;
const RETRY_MS = { first: 200, max: 5_000 };
/** What was seen is written at most this often: a few revisions less after a crash do no harm. */
const SAVE_MS = 1_000;

export interface NodeAgentOptions {
  readonly bus: MessageBus;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly node: string;
  readonly store: NodeStateStore;
  readonly report: Report;
  readonly heartbeatMs: number;
  /** What the node says of itself. */
  readonly describe: () => Promise<Omit<Register, 'node' | 'cluster'>>;
  /** Whether the container engine answers. */
  readonly runtime: () => RuntimeCondition;
  /** Registered, with a cluster and an epoch: from here on reports count. */
  readonly onSession: (cluster: string) => void;
  /** An assignment that counts, in order. It is carried out later. */
  readonly onAssignment: (assignment: Assignment) => void;
}

/**
 * The node's side of the conversation with the control plane: registers, says that it lives, and takes assignments in
 * their order. Whatever is lost on the way is noticed and asked for again; nothing here decides about pods.
 */
export class NodeAgent {
  private tracker: AssignmentTracker;
  private epoch: number | undefined;
  private needsRegister = true;
  private needsSync = true;
  private readonly wakeup = new Wakeup();
  private readonly life = new AbortController();
  private readonly unsubscribes: (() => void)[] = [];
  private cancelHeartbeat: () => void = () => undefined;
  private saveIsDue = false;
  private cancelSave: () => void = () => undefined;
  private savedState: SeenState | undefined;
  private saveHasFailed = false;
  private finished: Promise<void> = Promise.resolve();

  constructor(private readonly options: NodeAgentOptions) {
    this.tracker = new AssignmentTracker(options.node, undefined);
  }

  /** The epoch to speak under; `undefined` until registered. */
  get nodeEpoch(): number | undefined {
    return this.epoch;
  }

  async start(): Promise<void> {
    const { bus, node, store } = this.options;
    this.savedState = await store.load();
    this.tracker = new AssignmentTracker(node, this.savedState);
    this.unsubscribes.push(
      bus.onConnection((connected) => {
        // Whatever was published meanwhile is lost.
        if (connected) this.syncSoon();
      }),
      bus.subscribe(assignSubject(node), (message) => this.take(parseAssignment(message, 'assignment'), false)),
    );
    this.finished = this.converse();
    this.beat();
  }

  async stop(): Promise<void> {
    this.life.abort();
    for (const unsubscribe of this.unsubscribes) unsubscribe();
    this.cancelHeartbeat();
    this.wakeup.ring();
    await this.finished;
    await this.save();
  }

  /** Asks for everything again. */
  syncSoon(): void {
    this.needsSync = true;
    this.wakeup.ring();
  }

  /**
   * The control plane refuses an epoch. Whether the node is to register again or was deleted is asked, not guessed: a deleted
   * node must not come back by itself.
   */
  epochIsOver(epoch: number): void {
    if (this.epoch === epoch) void this.heartbeat();
  }

  /** Says at once what the next heartbeat would say later. */
  speakNow(): void {
    void this.heartbeat();
  }

  private registerSoon(): void {
    this.needsRegister = true;
    this.wakeup.ring();
  }

  /** Registers and syncs whenever one of the two is due, until it succeeds. */
  private async converse(): Promise<void> {
    let failures = 0;
    while (!this.life.signal.aborted) {
      if (!this.needsRegister && !this.needsSync) {
        await this.wakeup.wait();
        continue;
      }
      if (this.options.bus.connected && (await this.advance())) {
        failures = 0;
        continue;
      }
      failures += 1;
      const waitMs = Math.min(RETRY_MS.max, RETRY_MS.first * 2 ** Math.min(failures - 1, 20));
      await this.options.clock.sleep(waitMs * (0.5 + this.options.ids.random() / 2), this.life.signal);
    }
  }

  private async advance(): Promise<boolean> {
    try {
      if (this.needsRegister) await this.register();
      else await this.sync();
      return true;
    } catch (cause) {
      if (cause instanceof RemoteRefusal && cause.reason === 'StaleNode') this.needsRegister = true;
      else if (cause instanceof RemoteRefusal) this.options.report(`the control plane refuses this node`, cause);
      else if (!(cause instanceof NoAnswer)) throw cause;
      return false;
    }
  }

  private async register(): Promise<void> {
    const { bus, node, describe, onSession } = this.options;
    const cluster = this.tracker.state?.cluster;
    const description = await describe();
    const request: Register = { node, ...(cluster !== undefined && { cluster }), ...description };
    const registered = await ask(bus, nodeRequestSubject(node, 'register'), nodeCalls.register, request, ANSWER_MS);
    if (cluster !== undefined && registered.cluster !== cluster) {
      throw new RemoteRefusal('Forbidden', `this node belongs to cluster ${cluster}, not to ${registered.cluster}`);
    }
    this.epoch = registered.nodeEpoch;
    this.needsRegister = false;
    this.needsSync = true;
    this.tracker.reset();
    onSession(registered.cluster);
    // Only a heartbeat says that pods may come, and some may be waiting for this node.
    void this.heartbeat();
  }

  private async sync(): Promise<void> {
    const { bus, node } = this.options;
    this.needsSync = false;
    try {
      const request = { node, nodeEpoch: this.epoch ?? 0 };
      const full = await ask(bus, nodeRequestSubject(node, 'sync'), nodeCalls.sync, request, ANSWER_MS);
      this.take(full, true);
    } catch (cause) {
      this.needsSync = true;
      throw cause;
    }
  }

  private take(assignment: Assignment, asked: boolean): void {
    const { report, onAssignment } = this.options;
    const verdict = this.tracker.judge(assignment, this.epoch ?? -1, asked);
    switch (verdict) {
      case 'apply':
        this.tracker.take(assignment);
        onAssignment(assignment);
        return this.saveSoon();
      case 'gap':
        return this.syncSoon();
      case 'foreign':
      case 'behind': {
        const { cluster, revision } = this.tracker.state ?? { cluster: '', revision: 0 };
        report(
          `an assignment of cluster ${assignment.cluster} at revision ${assignment.revision} was refused: ` +
            `this node belongs to cluster ${cluster} and has seen revision ${revision}; nothing was removed`,
        );
        // Another replica may know better.
        if (asked) throw new NoAnswer(`the full assignment is ${verdict}`);
        return;
      }
      case 'old':
      case 'stale':
        return;
    }
  }

  private beat(): void {
    if (this.life.signal.aborted) return;
    void this.heartbeat();
    this.cancelHeartbeat = this.options.clock.after(this.options.heartbeatMs, () => this.beat());
  }

  private async heartbeat(): Promise<void> {
    const { bus, clock, node } = this.options;
    const { epoch } = this;
    if (epoch === undefined || !bus.connected) return;
    try {
      const revision = this.tracker.state?.revision ?? 0;
      const message = { node, nodeEpoch: epoch, revision, sentAt: clock.now(), runtime: this.options.runtime() };
      const reply = await ask(bus, nodeRequestSubject(node, 'heartbeat'), nodeCalls.heartbeat, message, ANSWER_MS);
      // A deleted node does not register again by itself; the full assignment it gets is empty.
      if (!reply.known) this.syncSoon();
      else if (reply.nodeEpoch !== epoch) this.registerSoon();
      else if (this.tracker.isBehind(reply.revision)) this.syncSoon();
    } catch (cause) {
      // The next one will do.
      if (!(cause instanceof NoAnswer || cause instanceof RemoteRefusal)) throw cause;
    }
  }

  private saveSoon(): void {
    if (this.saveIsDue) return;
    this.saveIsDue = true;
    this.cancelSave = this.options.clock.after(SAVE_MS, () => void this.save());
  }

  private async save(): Promise<void> {
    this.saveIsDue = false;
    this.cancelSave();
    const { state } = this.tracker;
    if (!state || state === this.savedState) return;
    try {
      await this.options.store.save(state);
      this.savedState = state;
      this.saveHasFailed = false;
    } catch (cause) {
      // A full disk is no reason to leave the pods alone; said once, not each second.
      if (!this.saveHasFailed) this.options.report('what this node has seen cannot be written down yet', cause);
      this.saveHasFailed = true;
      if (!this.life.signal.aborted) this.saveSoon();
    }
  }
}
