import {
  computePodActions,
  computeRemoval,
  exitFactId,
  isHooked,
  NO_MEMORY,
  observedFacts,
  remember,
  type ActionOutcome,
  type Admission,
  type AssignedPod,
  type KnownImages,
  type Millis,
  type ObservedContainer,
  type PodAction,
  type PodKey,
  type PodMemory,
  type PodPlan,
} from '#domain';
import { ActionRunner } from './action-runner.js';
import type { NodeContext } from './container-spec.js';
import type { EngineSlots, Release } from './engine-slots.js';
import type { FactReporter } from './fact-reporter.js';
import type { ImagePuller } from './image-puller.js';
import { PodConfiguration, type AskConfig } from './pod-configuration.js';
import { deadlineOf, keyOf, newestWish, type PodWish } from './pod-wish.js';
import { PodProbes } from './probes/pod-probes.js';
import type { Checkers } from './probes/run-check.js';
import type { Report } from './report.js';
import { RuntimeError } from './runtime/container-runtime.js';
import { Wakeup } from './wakeup.js';

export interface PodWorkerDeps extends Checkers {
  readonly puller: ImagePuller;
  readonly slots: EngineSlots;
  readonly reporter: FactReporter;
  readonly node: NodeContext;
  readonly report: Report;
  readonly askConfig: AskConfig;
  /** Nothing of the pod is left on the node. */
  readonly onGone: (uid: string) => void;
  /** What a pod held is free. */
  readonly onFreed: () => void;
}

/** Looks without being woken: a lost hint costs this much time at most. */
const RELOOK_MS = 30_000;
/** Waits after an engine that did not answer, or would not do as asked. */
const TROUBLE_MS = { first: 1_000, max: 15_000 };
/** A pod that needs more rounds than this in one pass is looked at again later: others want the engine too. */
const MAX_ROUNDS = 50;

/**
 * One pod on this node: looks, lets the domain decide, carries out, looks again. One pass at a time, whoever wakes it and
 * however often; what takes long (pulls, grace periods) goes on beside it, so that a newer wish is never kept waiting.
 */
export class PodWorker {
  private wish: PodWish;
  private observed: readonly ObservedContainer[] = [];
  private images: KnownImages = {};
  private memory: PodMemory = NO_MEMORY;
  private readonly wakeup = new Wakeup();
  private readonly runner: ActionRunner;
  private readonly probes: PodProbes;
  private readonly config: PodConfiguration;
  private cancelTimer: () => void = () => undefined;
  private stopped = false;
  private troubles = 0;
  private resources = true;
  private admission: Admission;
  private readonly finished: Promise<void>;

  constructor(
    private readonly deps: PodWorkerDeps,
    first: PodWish,
    /** Whether the node can take the pod; asked until it begins or is refused. */
    private readonly admit: () => Admission = () => 'begin',
  ) {
    this.wish = first;
    this.admission = admit();
    this.resources = typeof this.admission === 'string';
    this.config = new PodConfiguration({
      ...deps,
      changed: () => {
        this.keep({ type: 'ConfigChanged' });
        this.wake();
      },
    });
    this.runner = new ActionRunner(deps, {
      config: () => this.config.contents,
      keepImage: (image, known) => (this.images = withImage(this.images, image, known)),
      keepContainer: (container) => (this.observed = withContainer(this.observed, container)),
      keepOutcome: (outcome) => this.keep(outcome),
      wake: () => this.wake(),
    });
    this.probes = new PodProbes({
      ...deps,
      tell: (facts) => deps.reporter.tell(this.key, facts),
      changed: () => this.wake(),
    });
    this.wakeup.ring();
    this.finished = this.run();
  }

  get key(): PodKey {
    return keyOf(this.wish);
  }

  /** What is wanted of the pod now. */
  get wanted(): PodWish {
    return this.wish;
  }

  /** Its requests and host ports are in use. */
  get holdsResources(): boolean {
    return this.resources;
  }

  /** Its place is kept for it, and still another's. */
  get isWaiting(): boolean {
    return this.admission === 'wait';
  }

  /** The newest wish wins; see {@link newestWish}. */
  want(wish: PodWish): void {
    this.wish = newestWish(this.wish, wish);
    this.wake();
  }

  /** Something may have happened to the pod. */
  wake(): void {
    this.wakeup.ring();
  }

  /** A ConfigMap or Secret that the pod names may have changed. */
  refreshConfig(): void {
    this.config.refresh();
  }

  /** Ends the looking, not the pod. Resolves when nothing is asked of the engine any more. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.cancelTimer();
    this.config.stop();
    this.wakeup.ring();
    await this.finished;
    this.probes.stop();
  }

  private async run(): Promise<void> {
    for (;;) {
      await this.wakeup.wait();
      if (this.stopped) return;
      this.cancelTimer();
      const nextLookAt = await this.guardedPass();
      if (this.stopped) return;
      const now = this.deps.clock.now();
      const inMs = Math.max(0, Math.min(nextLookAt ?? Infinity, now + RELOOK_MS) - now);
      this.cancelTimer = this.deps.clock.after(inMs, () => this.wake());
    }
  }

  private async guardedPass(): Promise<Millis | undefined> {
    const holding: { release: Release | undefined } = { release: undefined };
    try {
      const nextLookAt = await this.pass(holding);
      this.troubles = 0;
      return nextLookAt;
    } catch (cause) {
      if (!(cause instanceof RuntimeError)) throw cause;
      this.troubles += 1;
      // The engine is silent: nothing is known, so nothing is done. Said once per outage, not per look.
      if (this.troubles === 1)
        this.deps.report(`pod ${this.key.namespace}/${this.key.name} waits for the engine`, cause);
      const waitMs = Math.min(TROUBLE_MS.max, TROUBLE_MS.first * 2 ** Math.min(this.troubles - 1, 20));
      return this.deps.clock.now() + waitMs;
    } finally {
      holding.release?.();
    }
  }

  /** Looks and acts until there is nothing left to do but wait; answers until when. Throws `RuntimeError`. */
  private async pass(holding: { release: Release | undefined }): Promise<Millis | undefined> {
    const { runtime, slots } = this.deps;
    if (this.isWaiting) this.askAgain();
    if (this.isWaiting) return undefined;
    let lookAgain = true;
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      if (lookAgain) {
        // This look sees what the bell was rung for until now, mostly the starts of the round before.
        this.wakeup.hush();
        this.observed = await runtime.list(this.key.uid);
      }
      if (this.stopped) return undefined;
      const plan = this.decide();
      let actions = plan.actions;
      if (!holding.release && actions.some(usesEngine)) {
        holding.release = slots.tryAcquire();
        if (!holding.release) {
          // What costs the engine little does not wait for a slot.
          actions = actions.filter((action) => !usesEngine(action));
          if (actions.length === 0) {
            holding.release = await slots.acquire();
            if (this.stopped) return undefined;
            lookAgain = this.wakeup.isRung;
            continue;
          }
        }
      }
      this.accept(plan);
      if (actions.length === 0) {
        if (plan.gone) this.deps.onGone(this.key.uid);
        return plan.nextLookAt;
      }
      const { pod } = this.wish.kind === 'assigned' ? this.wish : { pod: undefined };
      const ended = await Promise.allSettled(
        actions.map((action) => this.runner.run(action, this.key, pod, this.observed)),
      );
      // All have ended before the first failure counts: a pass leaves nothing running behind it.
      for (const one of ended) if (one.status === 'rejected') throw one.reason;
      lookAgain = ended.some((one) => one.status === 'fulfilled' && one.value === 'look');
    }
    return this.deps.clock.now() + TROUBLE_MS.first;
  }

  private askAgain(): void {
    const { wish } = this;
    const isToGo = wish.kind === 'unassigned' || wish.pod.deletion !== undefined || wish.pod.terminated;
    this.admission = isToGo ? 'begin' : this.admit();
    this.resources = typeof this.admission === 'string';
  }

  private decide(): PodPlan {
    const { clock, reporter, node } = this.deps;
    const { observed, memory, images, wish } = this;
    const now = clock.now();
    this.config.look(wish.kind === 'assigned' ? wish.pod : undefined);
    if (wish.kind === 'unassigned') {
      const deadline = deadlineOf(wish) ?? now;
      const message = 'The pod is not assigned to this node';
      return computeRemoval({ observed, memory, deadline, settled: 'unasked', message, now });
    }
    const { uid } = wish.pod.key;
    const settled = new Set(
      observed.filter(({ id }) => reporter.isAcknowledged(uid, exitFactId(id))).map(({ id }) => id),
    );
    const refusal = typeof this.admission === 'object' && { refusal: this.admission };
    const { health } = this.probes;
    const { pod } = wish;
    const awaitsConfig = this.config.contents === undefined;
    const known = { observed, images, memory, settled, health, awaitsConfig };
    return computePodActions({ pod, ...known, node: node.name, now, ...refusal });
  }

  /** Makes a decision count: what it remembers, and what the log is told. */
  private accept(plan: PodPlan): void {
    const { reporter, node } = this.deps;
    this.memory = plan.memory;
    const isFreed = this.resources && !plan.holdsResources;
    this.resources = plan.holdsResources;
    if (isFreed) this.deps.onFreed();
    if (this.wish.kind === 'unassigned') {
      this.probes.look(undefined);
      reporter.forget(this.key.uid);
      return;
    }
    const { pod } = this.wish;
    reporter.offer(pod.key, [...observedFacts(pod, this.observed, this.memory, node.hostIP), ...plan.facts]);
    this.look(pod);
  }

  /** Has the probes see what the worker has seen. */
  private look(pod: AssignedPod): void {
    const { observed, memory } = this;
    this.probes.look({
      pod,
      observed,
      mayProbe: (run) => isHooked(pod, memory, run),
      isEnding: (id) => pod.deletion !== undefined || pod.terminated || id in memory.graceEnds,
    });
  }

  private keep(outcome: ActionOutcome): void {
    const { memory, facts } = remember(this.memory, this.key.uid, outcome, this.deps.clock.now());
    this.memory = memory;
    if (this.wish.kind === 'assigned') this.deps.reporter.tell(this.key, facts);
  }
}

/** Actions that cost the engine processor time, and so need a slot. */
function usesEngine({ type }: PodAction): boolean {
  return type !== 'InspectImage' && type !== 'PullImage' && type !== 'Stop' && type !== 'RunHook';
}

function withContainer(all: readonly ObservedContainer[], one: ObservedContainer): readonly ObservedContainer[] {
  return [...all.filter(({ id }) => id !== one.id), one];
}

function withImage(images: KnownImages, image: string, known: KnownImages[string] | undefined): KnownImages {
  const { [image]: _, ...rest } = images;
  return known === undefined ? rest : { ...rest, [image]: known };
}
