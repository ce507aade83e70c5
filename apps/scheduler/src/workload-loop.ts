import {
  type ChildState,
  type ClusterState,
  controllerOf,
  DomainError,
  type Elsewhere,
  type EventLog,
  isChild,
  isWorkload,
  lastPodOf,
  type Made,
  matchesSelector,
  type Millis,
  type ObjectChange,
  type StoredObject,
  type WorkloadPlan,
  type WorkloadRules,
  type WorkloadState,
} from '#domain';
import { streamOfObject } from './objects.js';
import { OrphanIndex } from './orphan-index.js';
import type { Controller } from './reconcile-loop.js';
import { settleAll } from './settle-all.js';
import { type Cause, footingOf, type Outcome } from './term.js';
import { WorkloadSteps } from './workload-steps.js';
import type { Workplace } from './workplace.js';

/**
 * Makes the workloads of one kind what they ask for, by the rules of that kind: changes of theirs and of what they are made of
 * wake them. Its keys are their streams. Knows nothing of what the rules decide.
 */
export class WorkloadLoop implements Controller {
  readonly name: string;
  readonly #orphans: OrphanIndex;
  readonly #steps: WorkloadSteps;

  constructor(
    private readonly workplace: Workplace,
    private readonly rules: WorkloadRules,
    private readonly log: Pick<EventLog, 'readStream'>,
  ) {
    this.name = `${rules.kind} reconcile`;
    this.#orphans = new OrphanIndex(rules.child);
    this.#steps = new WorkloadSteps(workplace, rules.manager);
  }

  all(state: ClusterState): Iterable<string> {
    for (const child of state.all(this.rules.child)) this.#orphans.set(streamOfObject(child), child);
    return [...state.all(this.rules.kind)].map(streamOfObject);
  }

  concerned(change: ObjectChange, state: ClusterState): Iterable<string> {
    const { kind, stream, after } = change;
    const streams = new Set<string>();
    if (kind === this.rules.kind && after) streams.add(stream);
    if (kind === this.rules.child) for (const parent of this.#parentsIn(change, state)) streams.add(parent);
    for (const uid of this.rules.alsoConcerned?.(change, state) ?? []) {
      const workload = state.objectByUid(uid);
      if (workload?.kind === this.rules.kind) streams.add(streamOfObject(workload));
    }
    return streams;
  }

  async reconcile(stream: string, cause: Cause | undefined): Promise<Millis | undefined> {
    const { projection, clock } = this.workplace;
    const { state } = projection;
    const workload = this.#workload(state.get(stream));
    if (!workload) return undefined;
    const asked = this.rules.alsoAsked?.(workload, this.#childrenOf(workload, state)) ?? [];
    const elsewhere = asked.length > 0 ? await this.#askedAbout(asked, state) : new Map<string, Elsewhere>();
    // While the log was read the state may have moved on.
    if (state.get(stream) !== workload) return clock.now();
    const children = this.#childrenOf(workload, state);
    const plan = this.rules.reconcile(workload, { children, cluster: state, elsewhere, now: clock.now() });
    try {
      const outcomes = await this.#carryOut(state, workload, plan, cause);
      this.#steps.forgetRefusal(stream);
      return outcomes.includes('moved') ? clock.now() : plan.again;
    } catch (error) {
      if (error instanceof DomainError)
        await this.#steps.tellRefusal(stream, workload.meta.uid, error, this.rules, cause);
      // Thrown on, it is tried again, later each time.
      throw error;
    }
  }

  async #carryOut(
    state: ClusterState,
    workload: WorkloadState,
    plan: WorkloadPlan,
    cause: Cause | undefined,
  ): Promise<Outcome[]> {
    const { steps, status } = plan;
    if (plan.together) {
      const factsOf = (made: readonly Made[]) => this.rules.factsOf?.(made) ?? [];
      return [await this.#steps.carryOutTogether(state, workload, plan, factsOf, cause)];
    }
    // Taken before the first wait: the state moves on under this pass.
    const footing = footingOf(state, [streamOfObject(workload)]);
    const outcomes = await settleAll(this.#steps.carryOut(state, workload, steps, cause));
    return status ? [...outcomes, await this.#steps.tell(workload, status, footing, cause)] : outcomes;
  }

  /** What has become of what the rules ask about; the log remembers what is gone. */
  async #askedAbout(
    asked: readonly { readonly uid: string; readonly stream: string }[],
    state: ClusterState,
  ): Promise<ReadonlyMap<string, Elsewhere>> {
    const found = await Promise.all(
      asked.map(async ({ uid, stream }): Promise<readonly [string, Elsewhere]> => {
        const here = state.objectByUid(uid);
        if (here) return [uid, { gone: false, ...(isChild(here) && { object: here }) }];
        const last = lastPodOf(await this.log.readStream(stream), uid);
        return [uid, { gone: true, ...(last && { object: last }) }];
      }),
    );
    return new Map(found);
  }

  #childrenOf(workload: WorkloadState, state: ClusterState): ChildState[] {
    const owned = state.dependentsOf(workload.meta.uid).flatMap((object) => this.#child(object) ?? []);
    if (!this.rules.selectorOf) return owned;
    // One that names the workload among its owners without a controller is found both ways.
    return [...new Set([...owned, ...this.#orphans.of(workload.meta.namespace, state)])];
  }

  /** The workloads that a change of a child concerns. */
  #parentsIn({ stream, before, after }: ObjectChange, state: ClusterState): string[] {
    const was = this.#child(before);
    const is = this.#child(after);
    this.#orphans.set(stream, is);
    if (this.rules.isChildChange?.(was, is) === false) return [];
    return [was, is].flatMap((child) => (child ? this.#parentsOf(child, state) : []));
  }

  /** The workloads that a child belongs to, or could: its controller, else those that select it. */
  #parentsOf(child: ChildState, state: ClusterState): string[] {
    const controller = controllerOf(child);
    if (controller) {
      const owner = this.#workload(state.objectByUid(controller.uid));
      return owner ? [streamOfObject(owner)] : [];
    }
    if (!this.rules.selectorOf) return [];
    return state
      .list(this.rules.kind, child.meta.namespace)
      .flatMap((object) => this.#workload(object) ?? [])
      .filter((workload) => this.#selects(workload, child))
      .map(streamOfObject);
  }

  #selects(workload: WorkloadState, { meta }: ChildState): boolean {
    const selector = this.rules.selectorOf?.(workload);
    return selector !== undefined && matchesSelector(selector, meta.labels);
  }

  #workload(object: StoredObject | undefined): WorkloadState | undefined {
    return object && isWorkload(object) && object.kind === this.rules.kind ? object : undefined;
  }

  #child(object: StoredObject | undefined): ChildState | undefined {
    return object && isChild(object) && object.kind === this.rules.child ? object : undefined;
  }
}
