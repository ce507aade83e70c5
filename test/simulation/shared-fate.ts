import { sidecarsOf, type Millis } from '#domain';
import type { EventLoop } from './event-loop.js';
import type { Network } from './network.js';
import type { ApiReplica, ExecutorReplica } from './replicas.js';
import type { Oracle } from './oracle.js';
import type { Verdicts } from './verdicts.js';

/** How often engines are looked at, in milliseconds. */
const LOOK_MS = 1_000;
/** What a node may take beyond the grace period, in milliseconds: its longest back-off after an engine that failed, and its calls. */
const MARGIN_MS = 25_000;

export interface SharedFateOptions {
  readonly loop: EventLoop;
  readonly network: Network;
  readonly apis: readonly ApiReplica[];
  readonly executors: readonly ExecutorReplica[];
  readonly oracle: Oracle;
  readonly verdicts: Verdicts;
}

/**
 * The containers of a pod with shared fate die together. Exactly: while the newest run of the main container has ended, no other
 * container of the pod runs for longer than the pod's grace period and 25 s, counting only time in which its node was
 * able to do something about it (its executor ran and was connected, its engine answered without faults, the network was
 * calm and the pod is still bound there).
 */
export class SharedFate {
  private readonly overdue = new Map<string, Millis>();

  constructor(private readonly options: SharedFateOptions) {}

  start(): void {
    this.options.loop.schedule(LOOK_MS, 'a look at the engines', () => {
      for (const executor of this.options.executors) if (this.isAble(executor)) this.look(executor);
      this.start();
    });
  }

  private isAble({ process, isConnected, engine, engineLink }: ExecutorReplica): boolean {
    const { network, apis } = this.options;
    return (
      process?.state === 'running' &&
      isConnected &&
      engine.up &&
      engineLink.isCalm &&
      network.isCalm &&
      apis.some((api) => api.core !== undefined && api.process?.state === 'running' && api.logLink.isCalm)
    );
  }

  private look({ node, engine }: ExecutorReplica): void {
    const { oracle, verdicts } = this.options;
    const { containers } = engine.all();
    for (const pod of oracle.state.podsOnNode(node)) {
      if (!pod.sharedFate) continue;
      const { uid, name } = pod.meta;
      const sidecars = new Set(sidecarsOf(pod.spec).map((sidecar) => sidecar.name));
      // Sidecars go on while their pod restarts; when it has ended, nothing of it may (`liveness.ts`).
      const apps = containers.filter(
        ({ seen }) => seen.pod.uid === uid && seen.role === 'app' && !sidecars.has(seen.name),
      );
      const newest = apps
        .filter(({ seen }) => seen.name === pod.mainContainer)
        .reduce((max, { seen }) => (max && max.attempt > seen.attempt ? max : seen), apps[0]?.seen);
      const others = apps.filter(({ seen }) => seen.name !== pod.mainContainer && seen.state === 'running');
      const isTorn = newest?.name === pod.mainContainer && newest.state === 'exited' && others.length > 0;
      const tornMs = isTorn ? (this.overdue.get(uid) ?? 0) + LOOK_MS : 0;
      if (tornMs === 0) this.overdue.delete(uid);
      else this.overdue.set(uid, tornMs);
      verdicts.check(
        tornMs <= pod.spec.terminationGracePeriodSeconds * 1000 + MARGIN_MS,
        'containers of a pod die together',
        () => `${name} on ${node}: ${others[0]?.seen.name} still runs ${tornMs} ms after ${newest?.name} ended`,
      );
    }
  }
}
