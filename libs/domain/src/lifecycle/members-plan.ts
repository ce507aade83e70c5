import type { Millis } from '../event.js';
import type { AssignedPod } from '../node/assigned-pod.js';
import type { PodFact } from '../pod/pod.js';
import type { Container } from '../pod/pod-spec.js';
import type { ObservedContainer } from './observed.js';
import type { PodMemory, RestartCount } from './pod-memory.js';
import type { PodInput } from './pod-plan.js';
import type { PodView } from './pod-view.js';

/** A container that is to be made. */
export interface Creation {
  readonly container: Container;
  readonly attempt: number;
  readonly specHash: string;
}

/** A container that is to end. `replaced`: only to be made anew, so its exit is not its own doing. */
export interface Stop {
  readonly container: ObservedContainer;
  readonly message: string;
  readonly replaced: boolean;
  /** A probe or hook found it unfit: whatever its exit code, it has failed. */
  readonly condemned?: boolean;
  /** Instead of the pod's grace period. */
  readonly graceSeconds?: number;
}

/** What a pod's containers need, before its sandbox and its images are looked at. */
export interface MembersPlan {
  readonly stop: readonly Stop[];
  readonly remove: readonly ObservedContainer[];
  readonly create: readonly Creation[];
  readonly start: readonly ObservedContainer[];
  /** Made, and not to be started before what they depend on is as they want it. */
  readonly held: readonly ObservedContainer[];
  /** Co-creation: none is started before all are made, and none stays when one cannot be made. */
  readonly together: boolean;
  /** Init containers and sidecars: each is made and started by itself. */
  readonly singly: { readonly create: readonly Creation[]; readonly start: readonly ObservedContainer[] };
  /** What is made later. Its images are seen to now, so that nothing is begun that cannot be brought to its end. */
  readonly upcoming: readonly Creation[];
  /** All init containers are done: the app containers may be made. */
  readonly initialized: boolean;
  readonly facts: readonly PodFact[];
  readonly restarts: Readonly<Record<string, RestartCount>>;
  readonly nextLookAt?: Millis;
}

export interface MembersInput {
  readonly pod: AssignedPod;
  readonly view: PodView;
  /** The sandbox to join; absent while there is none that serves. */
  readonly sandbox: ObservedContainer | undefined;
  readonly memory: PodMemory;
  readonly health?: PodInput['health'];
  readonly now: Millis;
}
