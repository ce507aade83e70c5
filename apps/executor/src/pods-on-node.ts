import { admission, type Admission, type AssignedPod, type ObservedContainer, type PodKey } from '#domain';
import { keyOf } from './pod-wish.js';
import { PodWorker, type PodWorkerDeps } from './pod-worker.js';

/** SIGTERM to SIGKILL for a pod that nobody assigned, in milliseconds; kubelet gives its orphans as little. */
const UNASSIGNED_GRACE_MS = 1_000;

/** All pods of this node, each with its worker. */
export class PodsOnNode {
  private readonly workers = new Map<string, PodWorker>();
  private assigned: ReadonlySet<string> | undefined;
  private readonly deps: PodWorkerDeps;

  constructor(deps: Omit<PodWorkerDeps, 'onGone' | 'onFreed'>) {
    this.deps = { ...deps, onGone: (uid) => this.dropGone(uid), onFreed: () => this.wakeWaiting() };
  }

  /** Uids of the pods that the control plane wants here; `undefined` until it has said so. */
  get assignedUids(): ReadonlySet<string> | undefined {
    return this.assigned;
  }

  /**
   * Everything this node should run. Pods that are not in it end. `found` is what the engine has: a pod that has containers
   * was admitted before, and is not asked again.
   */
  assign(pods: readonly AssignedPod[], found: readonly ObservedContainer[]): void {
    this.assigned = new Set(pods.map(({ key }) => key.uid));
    const present = new Set(found.map(({ pod }) => pod.uid));
    this.wantAll(pods, present);
    for (const worker of [...this.workers.values()]) {
      if (!this.assigned.has(worker.key.uid)) this.end(worker.key);
    }
  }

  /** What changed since. */
  change(upserts: readonly AssignedPod[], removed: readonly string[]): void {
    const assigned = new Set(this.assigned);
    for (const { key } of upserts) assigned.add(key.uid);
    for (const uid of removed) assigned.delete(uid);
    this.assigned = assigned;
    for (const uid of removed) {
      const worker = this.workers.get(uid);
      if (worker) this.end(worker.key);
    }
    this.wantAll(upserts, new Set());
  }

  /** Ends a pod that is not assigned, known or found. */
  end(key: PodKey): void {
    const deadline = this.deps.clock.now() + UNASSIGNED_GRACE_MS;
    const wish = { kind: 'unassigned', key, deadline } as const;
    const worker = this.workers.get(key.uid);
    if (worker) {
      if (worker.wanted.kind === 'assigned') worker.want(wish);
      this.wakeWaiting();
    } else this.workers.set(key.uid, new PodWorker(this.deps, wish));
  }

  /** Something may have happened to a pod, or to any. */
  wake(uid?: string): void {
    if (uid !== undefined) this.workers.get(uid)?.wake();
    else for (const worker of this.workers.values()) worker.wake();
  }

  /** The configuration of some pods may have changed, or of all. */
  refreshConfig(uids?: readonly string[]): void {
    if (uids) for (const uid of uids) this.workers.get(uid)?.refreshConfig();
    else for (const worker of this.workers.values()) worker.refreshConfig();
  }

  /** Resolves when nothing is asked of the engine any more; pods go on. */
  async stop(): Promise<void> {
    await Promise.all([...this.workers.values()].map((worker) => worker.stop()));
  }

  /** Those that are not asked whether they fit come first: what they hold is taken. */
  private wantAll(pods: readonly AssignedPod[], present: ReadonlySet<string>): void {
    const begins = ({ key, deletion, terminated, attempts }: AssignedPod): boolean =>
      present.has(key.uid) || deletion !== undefined || terminated || Object.keys(attempts).length > 0;
    for (const pod of pods.filter(begins)) this.want(pod, () => 'begin');
    for (const pod of pods.filter((one) => !begins(one)).sort(byPlacement)) this.want(pod, () => this.admit(pod));
  }

  private want(pod: AssignedPod, admit: () => Admission): void {
    const wish = { kind: 'assigned', pod } as const;
    const worker = this.workers.get(pod.key.uid);
    if (worker) worker.want(wish);
    else this.workers.set(pod.key.uid, new PodWorker(this.deps, wish, admit));
  }

  /** Of pods that wait, who came first is served first. */
  private admit(pod: AssignedPod): Admission {
    const staying: AssignedPod[] = [];
    const leaving: AssignedPod[] = [];
    let isBehind = false;
    for (const { key, wanted, holdsResources, isWaiting } of this.workers.values()) {
      if (key.uid === pod.key.uid) isBehind = true;
      else if (wanted.kind === 'assigned' && holdsResources && !(isWaiting && isBehind))
        (wanted.pod.terminated ? leaving : staying).push(wanted.pod);
    }
    return admission(pod, { staying, leaving }, this.deps.node.allocatable);
  }

  private wakeWaiting(): void {
    for (const worker of this.workers.values()) if (worker.isWaiting) worker.wake();
  }

  private dropGone(uid: string): void {
    const worker = this.workers.get(uid);
    if (!worker || worker.wanted.kind === 'assigned') return;
    this.workers.delete(uid);
    void worker.stop();
    this.deps.reporter.forget(keyOf(worker.wanted).uid);
  }
}

/** Who was placed first is admitted first. */
const byPlacement = (a: AssignedPod, b: AssignedPod): number =>
  a.scheduledAt - b.scheduledAt || (a.key.uid < b.key.uid ? -1 : 1);
