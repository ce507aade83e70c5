import type { Millis } from '../event.js';

/** Which pod something on a node belongs to. The uid decides; the names are for people. */
export interface PodKey {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
}

/** What a container engine knows of one container of ours. The engine is the only memory of a node. */
export interface ObservedContainer {
  readonly id: string;
  readonly pod: PodKey;
  readonly role: 'sandbox' | 'app';
  /** Name in `spec.containers` or `spec.initContainers`; `""` for the sandbox. */
  readonly name: string;
  /** Counts creations under this name, from 0: an app container's `restartCount`. */
  readonly attempt: number;
  /** Hash of what it was created from; a container of another hash is not this pod's wish. */
  readonly specHash: string;
  /** `created`: made and never started, or its start failed (then `startError` says why). */
  readonly state: 'created' | 'running' | 'exited';
  /** Id of the sandbox an app container was joined to at creation. */
  readonly sandboxId?: string;
  readonly createdAt: Millis;
  readonly startedAt?: Millis;
  readonly finishedAt?: Millis;
  readonly exitCode?: number;
  readonly oomKilled?: boolean;
  readonly startError?: string;
  /** Image reference as given in the spec. */
  readonly image: string;
  /** What the engine resolved it to: `name@sha256:...`, or the image id of an image that came from no registry. */
  readonly imageId: string;
  /** A sandbox's address while it runs. */
  readonly ip?: string;
  /** Ended because the engine or the host went down, not by its own doing: restarted even where the policy would not. */
  readonly infrastructureExit?: boolean;
}
