import type { Clock } from '#domain';
import type { PodsOnNode } from './pods-on-node.js';
import type { Report } from './report.js';
import { RuntimeError, type ContainerRuntime } from './runtime/container-runtime.js';

const SWEEP_MS = 60_000;

/**
 * Ends what the engine has of pods that are not assigned here: left by a crash, or by a pod that went while the node was
 * away. Only what carries this cluster's and this node's labels is ever seen, and nothing is touched before the control
 * plane has said what belongs here.
 */
export class Orphans {
  private cancel: () => void = () => undefined;
  private stopped = false;

  constructor(
    private readonly runtime: ContainerRuntime,
    private readonly pods: PodsOnNode,
    private readonly clock: Clock,
    private readonly report: Report,
  ) {}

  /** Sweeps now and from time to time. */
  async sweep(): Promise<void> {
    this.cancel();
    try {
      await this.sweepOnce();
    } catch (cause) {
      // The engine is away; the workers say so.
      if (!(cause instanceof RuntimeError)) throw cause;
    }
    if (this.stopped) return;
    this.cancel();
    this.cancel = this.clock.after(SWEEP_MS, () => void this.sweep());
  }

  stop(): void {
    this.stopped = true;
    this.cancel();
  }

  private async sweepOnce(): Promise<void> {
    const [containers, volumeOwners] = await Promise.all([this.runtime.list(), this.runtime.podsWithVolumes()]);
    const assigned = this.pods.assignedUids;
    if (assigned === undefined || this.stopped) return;
    const orphans = new Map(volumeOwners.map((uid) => [uid, { uid, namespace: '', name: '' }]));
    for (const { pod } of containers) orphans.set(pod.uid, pod);
    for (const key of orphans.values()) {
      if (assigned.has(key.uid)) continue;
      this.report(`removing what is left of pod ${key.namespace}/${key.name} (${key.uid}), which is not assigned here`);
      this.pods.end(key);
    }
  }
}
