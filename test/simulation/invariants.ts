import {
  initContainersOf,
  isSidecar,
  podPhase,
  podRequests,
  type ObjectChange,
  type PodState,
  type Recorded,
  type Revision,
} from '#domain';
import type { InMemoryEventStream } from '#bus';
import type { ClusterProjection } from '#eventlog';
import type { FakeContainer, FakeEngine } from '../support/fake-engine.js';
import { hashOf, Oracle, type LoggedCommand } from './oracle.js';
import type { SimProcess } from './sim-process.js';
import type { Verdicts } from './verdicts.js';

/** A write that a client was told of. */
export interface Acknowledged {
  readonly requestId: string;
  readonly what: string;
  readonly stream: string;
  /** The object's resourceVersion in the answer; absent when the answer had no object. */
  readonly revision?: Revision;
  /** The resourceVersion that the write insisted on. */
  readonly basedOn?: Revision;
}

const PHASES = ['Pending', 'Running', 'Succeeded', 'Failed'] as const;

/** What must hold at every moment (DESIGN section 6). Each check sits where the thing it speaks of can change. */
export class Invariants {
  private readonly phases = new Map<string, (typeof PHASES)[number]>();
  private readonly bound = new Map<string, string>();
  private readonly placedByScheduler = new Set<string>();
  private readonly nodesOfUid = new Map<string, string>();
  /** Containers that began, and that succeeded, by sandbox and name. */
  private readonly begun = new Set<string>();
  private readonly succeeded = new Set<string>();
  /** By stream and resourceVersion: the resourceVersion before. */
  private readonly versionBefore = new Map<string, Revision>();
  private published = { base: -1, count: 0 };
  private lastTime = 0;

  constructor(private readonly verdicts: Verdicts) {}

  /** Called for every command when it is in the log. */
  onCommand(oracle: Oracle, { events, changes }: LoggedCommand): void {
    for (const event of events) {
      this.verdicts.check(event.time >= this.lastTime, 'time never runs back', () => `revision ${event.revision}`);
      this.lastTime = event.time;
      if (event.type === 'PodScheduled') this.onScheduled(oracle, event);
    }
    for (const change of changes) {
      if (change.kind === 'Pod') this.onPod(change);
      const { stream, before, after } = change;
      if (before && after)
        this.versionBefore.set(`${stream} ${after.meta.resourceVersion}`, before.meta.resourceVersion);
    }
  }

  /** Every reader sees every command, whole and in order, and has the state that everybody has at that revision. */
  onProjection(oracle: Oracle, process: SimProcess, projection: ClusterProjection): void {
    let seen: Revision | undefined;
    projection.onChanges((_changes, revision) => {
      const expected = seen === undefined ? revision : oracle.endAfter(seen);
      this.verdicts.check(
        expected === revision && revision <= oracle.state.revision,
        'revisions are consecutive for every reader',
        () => `${process.name} was shown revision ${revision} after ${seen}, the next command ended at ${expected}`,
      );
      seen = revision;
      const hash = oracle.hashAt(revision);
      if (hash !== undefined) this.compare(process.name, projection, revision, hash);
    });
  }

  compare(name: string, projection: ClusterProjection, revision: Revision, hash: string): void {
    this.verdicts.check(
      projection.revision === revision && hashOf(projection.state) === hash,
      'the same log gives the same state',
      () => `${name} differs at revision ${revision}`,
    );
  }

  /** A container changed on an engine. */
  onContainer(oracle: Oracle, node: string, engine: FakeEngine, container: FakeContainer): void {
    const { seen } = container;
    const run = `${seen.sandboxId}/${seen.name}`;
    if (seen.startedAt !== undefined) this.begun.add(run);
    if (seen.state === 'exited' && seen.exitCode === 0 && !seen.infrastructureExit) this.succeeded.add(run);
    if (seen.state !== 'running') return;
    const { uid, name } = seen.pod;
    const other = this.nodesOfUid.get(uid);
    this.verdicts.check(
      other === undefined || other === node,
      'a pod is on at most one node',
      () => `containers of ${name} (${uid}) ran on ${other} and now on ${node}`,
    );
    this.nodesOfUid.set(uid, node);
    const boundTo = this.bound.get(uid);
    this.verdicts.check(
      boundTo === node,
      'a pod runs where it is bound',
      () => `${name} (${uid}) runs on ${node}, bound to ${boundTo}`,
    );
    const pod = oracle.state.podByUid(uid);
    if (!pod || seen.role !== 'app') return;
    this.checkCapacity(oracle, node, engine);
    const isApp = pod.spec.containers.some(({ name }) => name === seen.name);
    if (pod.sharedFate && isApp) this.checkMadeTogether(pod, engine, container);
    if (isApp) this.checkInitialized(pod, container);
  }

  /** The stream EVENTS is a contiguous window of the log: what came since the last look is looked at. */
  onStream(oracle: Oracle, stream: InMemoryEventStream): void {
    const { messages } = stream;
    const base = stream.inspect()?.base;
    if (base === undefined) return;
    const [first] = messages;
    if (base !== this.published.base || messages.length < this.published.count) {
      this.published = { base, count: 0 };
      this.verdicts.check(first === undefined || first.sequence === 1, 'EVENTS begins with 1', () => `${base}`);
    }
    for (const { sequence, event } of messages.slice(this.published.count)) {
      const revision = base + sequence;
      this.verdicts.check(
        event.revision === revision && oracle.event(revision)?.id === event.id,
        'EVENTS is a contiguous window of the log',
        () => `sequence ${sequence} over base ${base} holds revision ${event.revision}`,
      );
    }
    this.published.count = messages.length;
  }

  /** Nothing acknowledged is lost: what a client was told of is in the log. */
  onAcknowledged(oracle: Oracle, write: Acknowledged, changed: boolean): void {
    const { requestId, what, stream, revision, basedOn } = write;
    if (changed)
      this.verdicts.check(
        oracle.hasCommand(requestId),
        'nothing acknowledged is lost',
        () => `${what} (${requestId}) was acknowledged and is not in the log`,
      );
    if (revision === undefined) return;
    const event = oracle.event(revision);
    this.verdicts.check(event?.stream === stream, 'nothing acknowledged is lost', () => {
      return `${what} was acknowledged at revision ${revision}: ${event?.type ?? 'nothing'} of ${event?.stream}`;
    });
    if (basedOn === undefined || revision === basedOn) return;
    const before = this.versionBefore.get(`${stream} ${revision}`);
    this.verdicts.check(before === basedOn, 'no edit is lost', () => {
      return `${what} of ${stream} insisted on ${basedOn} and was applied to ${before} at ${revision}`;
    });
  }

  private onScheduled(oracle: Oracle, event: Recorded): void {
    const uid = String(event.data['uid']);
    const node = String(event.data['node']);
    const before = this.bound.get(uid);
    this.verdicts.check(
      before === undefined || before === node,
      'a pod is bound once',
      () => `${event.stream} (${uid}) was bound to ${before} and at revision ${event.revision} to ${node}`,
    );
    this.bound.set(uid, node);
    if (event.data['by'] !== 'scheduler') return;
    this.placedByScheduler.add(uid);
    // What bypasses the scheduler is the node's to refuse; what it placed itself must always fit.
    const placed = oracle.state.podsOnNode(node).filter(({ meta }) => this.placedByScheduler.has(meta.uid));
    this.checkFits(`placed by the scheduler on ${node} at revision ${event.revision}`, oracle, node, placed);
  }

  private onPod({ before, after }: ObjectChange): void {
    if (after?.kind !== 'Pod') return;
    const phase = podPhase(after);
    const known = before?.kind === 'Pod' && before.meta.uid === after.meta.uid ? podPhase(before) : undefined;
    const earlier = this.phases.get(after.meta.uid) ?? known ?? 'Pending';
    const isForward = earlier === phase || (PHASES.indexOf(phase) > PHASES.indexOf(earlier) && earlier !== 'Succeeded');
    this.verdicts.check(
      isForward,
      'phases never go back',
      () => `${after.meta.namespace}/${after.meta.name} went from ${earlier} to ${phase}`,
    );
    this.phases.set(after.meta.uid, phase);
  }

  /**
   * What runs on an engine fits its node. Not counted are pods that the log has given up or forgotten (they are being ended
   * there) and those it knows to have ended (their helpers are).
   */
  private checkCapacity(oracle: Oracle, node: string, engine: FakeEngine): void {
    const uids = new Set<string>();
    for (const { seen } of engine.all().containers)
      if (seen.role === 'app' && seen.state === 'running') uids.add(seen.pod.uid);
    const pods = [...uids].flatMap((uid) => oracle.state.podByUid(uid) ?? []);
    this.checkFits(`running on ${node}`, oracle, node, pods);
  }

  private checkFits(what: string, oracle: Oracle, node: string, pods: readonly PodState[]): void {
    const allocatable = oracle.state.node(node)?.description.allocatable;
    if (!allocatable) return;
    const active = pods.filter(({ terminated }) => !terminated).map(({ spec }) => podRequests(spec));
    const cpuMillis = active.reduce((sum, requests) => sum + requests.cpuMillis, 0);
    const memoryBytes = active.reduce((sum, requests) => sum + requests.memoryBytes, 0);
    this.verdicts.check(
      cpuMillis <= allocatable.cpuMillis && memoryBytes <= allocatable.memoryBytes,
      'no node is above capacity',
      () => `${what}: ${active.length} pods, ${cpuMillis}m of ${allocatable.cpuMillis}m, ${memoryBytes} bytes`,
    );
  }

  /** When an app container starts, every init container has run beside the sandbox that it is joined to, sidecars have begun. */
  private checkInitialized({ spec, meta }: PodState, { seen }: FakeContainer): void {
    const missing = initContainersOf(spec).filter((container) => {
      const run = `${seen.sandboxId}/${container.name}`;
      return !(isSidecar(container) ? this.begun : this.succeeded).has(run);
    });
    this.verdicts.check(
      missing.length === 0,
      'app containers start after their init containers',
      () => `${meta.name}: ${seen.name} runs, ${missing.map(({ name }) => name).join(', ')} did not`,
    );
  }

  /** Co-creation: when one of a pod's containers starts, all of them have been made. */
  private checkMadeTogether({ spec, meta }: PodState, engine: FakeEngine, { seen }: FakeContainer): void {
    const own = engine.all().containers.filter((one) => one.seen.pod.uid === meta.uid && one.seen.role === 'app');
    const missing = spec.containers.filter(({ name }) => !own.some((one) => one.seen.name === name));
    this.verdicts.check(
      missing.length === 0,
      'containers of a pod are created together',
      () => `${meta.name}: ${seen.name} runs while ${missing.map(({ name }) => name).join(', ')} was never made`,
    );
  }
}
