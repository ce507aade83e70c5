import type { Millis } from '../event.js';
import type { PodFact } from '../pod/pod.js';
import type { Container } from '../pod/pod-spec.js';
import { backOffMs, restartBackOff } from './back-off.js';
import { condemnationOf, isHooked, splitByHooks, type Condemnation } from './hooks.js';
import type { ObservedContainer } from './observed.js';
import type { Creation, MembersInput, MembersPlan, Stop } from './members-plan.js';
import type { RestartCount } from './pod-memory.js';
import { endedAt, isFresh, isRunning, nextAttempt } from './pod-view.js';
import { specHashOf } from './spec-hash.js';

/** The plan of a pod's containers while it is being made. */
export class MembersDraft {
  readonly stop: Stop[] = [];
  readonly remove: ObservedContainer[] = [];
  readonly create: Creation[] = [];
  readonly start: ObservedContainer[] = [];
  /** Made, and waiting for the containers they depend on. */
  readonly held: ObservedContainer[] = [];
  readonly singly: { create: Creation[]; start: ObservedContainer[] } = { create: [], start: [] };
  /** To be made later: only their images are seen to. */
  readonly upcoming: Creation[] = [];
  readonly facts: PodFact[] = [];
  together = false;
  private restarts: Readonly<Record<string, RestartCount>>;
  private readonly waits: Millis[] = [];

  constructor(readonly input: MembersInput) {
    this.restarts = input.memory.restarts;
  }

  /** Ends what no member is: strangers to the spec, and what a newer container of the name has outdated. */
  dropAllBut(members: ReadonlySet<ObservedContainer>): void {
    for (const app of this.input.view.apps) {
      if (members.has(app)) continue;
      if (isRunning(app)) this.replace(app, `Container ${app.name} is no part of the pod as it is now`);
      else if (isFresh(app)) this.remove.push(app);
    }
  }

  /** Joined to the sandbox in use. */
  isJoined = (container: ObservedContainer): boolean =>
    this.input.sandbox !== undefined && container.sandboxId === this.input.sandbox.id;

  /** Of an older spec: made anew under any policy, as Kubernetes does. */
  isEdited = (container: ObservedContainer): boolean => !this.input.view.isWanted(container);

  /** What a probe or hook has against a container that runs. */
  condemnationOf(run: ObservedContainer): Condemnation | undefined {
    const { pod, memory, health } = this.input;
    return condemnationOf(pod, run, memory, health?.[run.id]);
  }

  /** Ends a container that a probe or hook has condemned; true when there is one to end. */
  endCondemned(run: ObservedContainer): boolean {
    const found = this.condemnationOf(run);
    if (found) this.stop.push({ container: run, ...found, replaced: false, condemned: true });
    return found !== undefined;
  }

  replace(container: ObservedContainer, message: string): void {
    this.stop.push({ container, message, replaced: true });
  }

  /** Makes an app container together with those of its generation, once nothing unfit of its name is in the way. */
  make(container: Container, generation: number): void {
    if (!this.isInTheWay(container.name)) this.create.push(this.creationOf(container, generation));
  }

  /** Makes an init container or sidecar, which no other waits to be made with. */
  makeSingly(container: Container): void {
    if (!this.isInTheWay(container.name)) this.singly.create.push(this.creationOf(container, 0));
  }

  creationOf(container: Container, generation: number): Creation {
    const { pod, view, memory } = this.input;
    const next = nextAttempt(pod, view, memory, container.name);
    const attempt = container.name === pod.mainContainer ? Math.max(next, generation) : next;
    const hash = view.wanted[container.name] ?? '';
    return { container, attempt, specHash: specHashOf(hash, generation) };
  }

  private isInTheWay(name: string): boolean {
    return this.remove.some((container) => container.name === name);
  }

  /** Whether a container that ended may run again by now; counts the restart, and says so while it waits. */
  mayRestart(ended: ObservedContainer): boolean {
    const { view, now } = this.input;
    const { infrastructure, replaced } = view.endingOf(ended);
    if (infrastructure || replaced) return true;
    const count = this.countRestart(ended);
    if (count.retryAt <= now) return true;
    this.waits.push(count.retryAt);
    this.facts.push(this.backingOff(ended, count));
    return false;
  }

  private countRestart(ended: ObservedContainer): RestartCount {
    const { pod, now } = this.input;
    const before = this.restarts[ended.name];
    if (before?.containerId === ended.id) return before;
    const rule = restartBackOff(pod.annotations);
    const ranLong = ended.startedAt !== undefined && endedAt(ended) - ended.startedAt >= rule.resetMs;
    const failures = ranLong ? 1 : (before?.failures ?? ended.attempt) + 1;
    const retryAt = Math.min(endedAt(ended), now) + backOffMs(rule, failures);
    const count = { containerId: ended.id, failures, retryAt };
    this.restarts = { ...this.restarts, [ended.name]: count };
    return count;
  }

  private backingOff(ended: ObservedContainer, { failures, retryAt }: RestartCount): PodFact {
    const { pod } = this.input;
    const wait = `${backOffMs(restartBackOff(pod.annotations), failures) / 1000}s`;
    const where = `container=${ended.name} pod=${pod.key.name}_${pod.key.namespace}(${pod.key.uid})`;
    const message = `back-off ${wait} restarting failed ${where}`;
    const data = { container: ended.name, attempt: ended.attempt, retryAt, message };
    return { id: `${ended.id}/ContainerBackingOff`, type: 'ContainerBackingOff', data };
  }

  finish(initialized: boolean): MembersPlan {
    const { stop, remove, create, singly, upcoming, together, facts, restarts } = this;
    const { pod, view, memory } = this.input;
    const isPending = (name: string): boolean =>
      view.apps.some((app) => app.name === name && isRunning(app) && !isHooked(pod, memory, app));
    const { now: start, later } = splitByHooks(pod.spec.containers, this.start, isPending);
    const held = [...this.held, ...later];
    const next = this.waits.length > 0 && { nextLookAt: Math.min(...this.waits) };
    const common = { stop, remove, singly, initialized, facts, restarts, ...next };
    if (initialized) return { ...common, create, start, held, upcoming, together };
    return { ...common, create: [], start: [], held: [], upcoming: [...upcoming, ...create], together: false };
  }
}
