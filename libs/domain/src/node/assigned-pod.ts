import type { Millis } from '../event.js';
import type { PodKey } from '../lifecycle/observed.js';
import type { ReportedRun } from '../pod/pod.js';
import type { PodSpec } from '../pod/pod-spec.js';

/** A pod as its node is told of it: everything needed to run it, or to end it. */
export interface AssignedPod {
  readonly key: PodKey;
  readonly spec: PodSpec;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly mainContainer: string;
  readonly sharedFate: boolean;
  readonly scheduledAt: Millis;
  /**
   * Highest attempt the log knows of each container that was ever started, and under `""` of the sandbox: counting goes on
   * from there even when the engine lost everything.
   */
  readonly attempts: Readonly<Record<string, number>>;
  /** When the spec was edited last, by the log's clock. A container of an older spec that ended later was stopped for that. */
  readonly specChangedAt?: Millis;
  /** What the log knows of the newest run of containers with hooks and probes, by container id: an agent that starts takes it up. */
  readonly reported?: Readonly<Record<string, ReportedRun>>;
  /** Present when the pod is to end. The deadline (`requestedAt` + grace) may only move forward in time to now. */
  readonly deletion?: { readonly requestedAt: Millis; readonly gracePeriodSeconds: number };
  /** The log knows its terminal phase: nothing of it is to run again, whatever the policy says. */
  readonly terminated: boolean;
}
