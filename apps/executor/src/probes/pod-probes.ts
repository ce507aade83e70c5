import {
  checkOf,
  containerNamed,
  dueChecks,
  firstProbes,
  hasProbes,
  healthOf,
  probesOf,
  timeoutMs,
  withCheckBegun,
  withCheckEnded,
  type AssignedPod,
  type CheckOutcome,
  type Container,
  type ContainerHealth,
  type ContainerProbes,
  type Millis,
  type ObservedContainer,
  type PodFact,
  type ProbeKind,
} from '#domain';
import { addressOf, runCheck, type Checkers } from './run-check.js';

export interface PodProbesDeps extends Checkers {
  readonly tell: (facts: readonly PodFact[]) => void;
  /** The health of a container is another than before. */
  readonly changed: () => void;
}

/** What a pod's worker knows of the pod. */
export interface ProbedPod {
  readonly pod: AssignedPod;
  readonly observed: readonly ObservedContainer[];
  /** The container has come so far that probes may begin: its postStart hook is done. */
  readonly mayProbe: (run: ObservedContainer) => boolean;
  /** The container is being stopped. */
  readonly isEnding: (containerId: string) => boolean;
}

/**
 * The probes of one pod: a loop over the clock that begins the checks the domain says are due, and tells it how they ended.
 * It decides nothing; that a container is to be killed is for the pod's worker to read from {@link health}.
 */
export class PodProbes {
  private readonly runs = new Map<string, ContainerProbes>();
  private seen: ProbedPod | undefined;
  private cancelTimer: () => void = () => undefined;

  constructor(private readonly deps: PodProbesDeps) {}

  /** What probes say of the containers that run, by container id. */
  get health(): Readonly<Record<string, ContainerHealth>> {
    return Object.fromEntries(
      [...this.runs.values()].flatMap((run) => {
        const container = this.containerOf(run.name);
        return container ? [[run.containerId, healthOf(run, container)]] : [];
      }),
    );
  }

  /** The pod as it is now; `undefined` when nothing of it is asked any more. */
  look(seen: ProbedPod | undefined): void {
    this.seen = seen;
    const probed = new Map<string, ObservedContainer>();
    for (const run of seen?.observed ?? []) {
      const container = run.role === 'sandbox' ? undefined : this.containerOf(run.name);
      if (run.state === 'running' && container && hasProbes(container) && seen?.mayProbe(run)) probed.set(run.id, run);
    }
    for (const id of this.runs.keys()) if (!probed.has(id)) this.runs.delete(id);
    const now = this.deps.clock.now();
    for (const { id, name, startedAt = now } of probed.values()) {
      const container = this.containerOf(name);
      if (!seen || !container || this.runs.has(id)) continue;
      const reported = seen.pod.reported?.[id] ?? {};
      this.runs.set(id, firstProbes(container, { containerId: id, startedAt }, reported, now));
    }
    this.beginDue();
  }

  /** Nothing more is asked, told or changed; what is under way ends by itself. */
  stop(): void {
    this.look(undefined);
  }

  private containerOf(name: string): Container | undefined {
    return this.seen && containerNamed(this.seen.pod.spec, name);
  }

  private beginDue(): void {
    this.cancelTimer();
    const now = this.deps.clock.now();
    let nextAt: Millis | undefined;
    for (const run of this.runs.values()) {
      const container = this.containerOf(run.name);
      if (!container) continue;
      const next = dueChecks(run, container, this.seen?.isEnding(run.containerId) ?? true, now);
      for (const kind of next.due) this.begin(run.containerId, container, kind, now);
      nextAt = Math.min(nextAt ?? Infinity, next.nextAt ?? Infinity);
    }
    if (nextAt === undefined || nextAt === Infinity) return;
    this.cancelTimer = this.deps.clock.after(nextAt - now, () => this.beginDue());
  }

  private begin(containerId: string, container: Container, kind: ProbeKind, now: Millis): void {
    const [run, probe, seen] = [this.runs.get(containerId), probesOf(container)[kind], this.seen];
    if (!run || !probe || !seen) return;
    this.runs.set(containerId, withCheckBegun(run, kind, now));
    const check = checkOf(probe, container, addressOf(containerId, seen.observed));
    void runCheck(this.deps, containerId, check, timeoutMs(probe)).then((outcome) =>
      this.ended(containerId, container, kind, outcome),
    );
  }

  private ended(containerId: string, container: Container, kind: ProbeKind, outcome: CheckOutcome): void {
    const before = this.runs.get(containerId);
    if (!before) return;
    const { probes, facts } = withCheckEnded(before, container, kind, outcome, this.deps.clock.now());
    this.runs.set(containerId, probes);
    this.deps.tell(facts);
    if (!isSame(healthOf(before, container), healthOf(probes, container))) this.deps.changed();
    this.beginDue();
  }
}

const isSame = (a: ContainerHealth, b: ContainerHealth): boolean =>
  a.started === b.started && a.ready === b.ready && a.condemned?.probe === b.condemned?.probe;
