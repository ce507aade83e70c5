import type { Millis } from '../event.js';
import type { AssignedPod } from '../node/assigned-pod.js';
import type { PodFact, PodRefusedByNode } from '../pod/pod.js';
import type { ContainerHealth } from '../probes/container-probes.js';
import type { ObservedContainer } from './observed.js';
import type { PodMemory } from './pod-memory.js';

/** What is known of references on the node: what they are, or that they are absent. A missing key: not looked at yet. */
export type KnownImages = Readonly<Record<string, { readonly imageId: string } | 'absent'>>;

/** One call to the container engine. */
export type PodAction =
  | { readonly type: 'InspectImage'; readonly container: string; readonly image: string }
  | { readonly type: 'PullImage'; readonly container: string; readonly image: string; readonly attempt: number }
  | { readonly type: 'CreateSandbox'; readonly attempt: number; readonly specHash: string }
  | { readonly type: 'StartSandbox'; readonly sandboxId: string }
  | {
      readonly type: 'CreateContainer';
      readonly container: string;
      readonly attempt: number;
      readonly specHash: string;
      readonly sandboxId: string;
    }
  | { readonly type: 'StartContainer'; readonly container: string; readonly containerId: string }
  /** The stop signal, SIGKILL after `graceSeconds`. Takes that long: nobody waits for it. */
  | {
      readonly type: 'Stop';
      readonly container: string;
      readonly containerId: string;
      readonly graceSeconds: number;
    }
  /** A lifecycle hook, for `timeoutSeconds` at most. Nobody waits for it. */
  | {
      readonly type: 'RunHook';
      readonly hook: 'postStart' | 'preStop';
      readonly container: string;
      readonly containerId: string;
      /** Default: as long as it takes. */
      readonly timeoutSeconds?: number;
    }
  | { readonly type: 'Remove'; readonly containerId: string }
  | { readonly type: 'RemoveVolumes' };

export interface PodInput {
  readonly pod: AssignedPod;
  /** Every container of the pod that the engine has. */
  readonly observed: readonly ObservedContainer[];
  readonly images: KnownImages;
  readonly memory: PodMemory;
  /** Ids of containers whose exit the log has: only those may be removed. */
  readonly settled: ReadonlySet<string>;
  /** What probes say of running containers, by container id. One with probes and without an entry has not come up yet. */
  readonly health?: Readonly<Record<string, ContainerHealth>>;
  /** The configuration that it names is not at hand yet: none of its containers is made. */
  readonly awaitsConfig?: boolean;
  /** The node cannot take the pod. */
  readonly refusal?: PodRefusedByNode;
  readonly node: string;
  readonly now: Millis;
}

export interface PodPlan {
  /** Independent of each other: all may be under way at once. What must come after them follows from the next look. */
  readonly actions: readonly PodAction[];
  /** What this look decided and the log should know. The same id again is the same fact. */
  readonly facts: readonly PodFact[];
  readonly memory: PodMemory;
  /** Look again then at the latest, even if nothing was seen to happen. */
  readonly nextLookAt?: Millis;
  /** The pod's requests and host ports are in use: it runs, is to run, or is not gone yet. */
  readonly holdsResources: boolean;
  /** Nothing of the pod is left on the node. */
  readonly gone: boolean;
}
