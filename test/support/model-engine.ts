import {
  containerNamed,
  NO_MEMORY,
  remember,
  type ActionOutcome,
  type AssignedPod,
  type Container,
  type KnownImages,
  type Millis,
  type ObservedContainer,
  type PodAction,
  type PodInput,
  type PodMemory,
  type PodPlan,
} from '#domain';
import { aContainer, aPodSpec } from './builders.js';

export const T0: Millis = 1_767_225_600_000;

/** A pod as its node is told of it, with containers `app` and, if asked for, `helper`. */
export function anAssignedPod(
  over: Partial<AssignedPod> & {
    readonly containers?: readonly Container[];
    readonly initContainers?: readonly Container[];
    readonly policy?: 'Always' | 'OnFailure' | 'Never';
  } = {},
): AssignedPod {
  const { containers = [aContainer('app'), aContainer('helper')], initContainers, policy = 'Always', ...rest } = over;
  return {
    key: { uid: 'uid-1', namespace: 'shop', name: 'web' },
    spec: aPodSpec({ containers, ...(initContainers && { initContainers }), restartPolicy: policy }),
    labels: {},
    annotations: {},
    mainContainer: 'app',
    sharedFate: true,
    scheduledAt: T0,
    attempts: {},
    terminated: false,
    ...rest,
  };
}

/**
 * A container engine as a value: what a plan's actions do to it, at once and without fail unless a test says otherwise.
 * Together with the plan it makes a closed loop whose end can be looked at.
 */
export class ModelEngine {
  containers: readonly ObservedContainer[] = [];
  images: KnownImages = {};
  memory: PodMemory = NO_MEMORY;
  settled = new Set<string>();
  volumes = false;
  /** References the registry has not. */
  readonly missing = new Set<string>();
  /** Containers that cannot be created. */
  readonly uncreatable = new Set<string>();
  /** Containers that do not end when they are asked to. */
  readonly lazy = new Set<string>();
  /** What probes say of containers, by id. */
  health: NonNullable<PodInput['health']> = {};
  /** What comes of hooks, by container name: a failure, or nothing for as long as they are under way; default: success. */
  readonly hooks = new Map<string, 'fails' | 'hangs'>();
  /** Everything that was done, in order. */
  readonly log: PodAction[] = [];
  now = T0;
  private made = 0;

  /** What the domain is asked about this engine's pod. */
  input(pod: AssignedPod): PodInput {
    const { containers: observed, images, memory, settled, health, now } = this;
    return { pod, observed, images, memory, settled, health, node: 'n1', now };
  }

  /** Carries out a plan. All exits are acknowledged at once. */
  carryOut(pod: AssignedPod, plan: PodPlan): void {
    this.memory = plan.memory;
    for (const action of plan.actions) {
      this.log.push(action);
      this.apply(pod, action);
    }
    for (const { id, state, startError } of this.containers) {
      if (state === 'exited' || startError !== undefined) this.settled.add(id);
    }
  }

  add(over: Partial<ObservedContainer> & Pick<ObservedContainer, 'role' | 'name' | 'specHash'>): ObservedContainer {
    this.made += 1;
    const container: ObservedContainer = {
      id: `c${this.made}`,
      pod: { uid: 'uid-1', namespace: 'shop', name: 'web' },
      attempt: 0,
      state: 'created',
      createdAt: this.now,
      image: 'busybox:1',
      imageId: 'sha256:busybox',
      ...over,
    };
    this.containers = [...this.containers, container];
    if (container.role === 'sandbox') this.volumes = true;
    return container;
  }

  change(id: string, over: Partial<ObservedContainer>): void {
    this.containers = this.containers.map((one) => (one.id === id ? { ...one, ...over } : one));
  }

  /** A process ends. */
  exit(name: string, exitCode: number): void {
    for (const one of this.running(name)) this.end(one, exitCode);
  }

  running(name: string): ObservedContainer[] {
    return this.containers.filter((one) => one.name === name && one.state === 'running');
  }

  private end({ id }: ObservedContainer, exitCode: number): void {
    this.change(id, { state: 'exited', exitCode, finishedAt: this.now });
  }

  private outcome(outcome: ActionOutcome): void {
    this.memory = remember(this.memory, 'uid-1', outcome, this.now).memory;
  }

  private apply(pod: AssignedPod, action: PodAction): void {
    switch (action.type) {
      case 'InspectImage':
        this.images = { ...this.images, [action.image]: this.missing.has(action.image) ? 'absent' : { imageId: 'i' } };
        return;
      case 'PullImage': {
        const { container, image, attempt } = action;
        if (this.missing.has(image)) {
          return this.outcome({ type: 'ImageFailed', container, image, reason: 'ErrImagePull', message: 'not found' });
        }
        this.images = { ...this.images, [image]: { imageId: 'i' } };
        return this.outcome({ type: 'ImagePulled', container, image, attempt, imageId: 'i', durationMs: 1 });
      }
      case 'CreateSandbox':
        this.add({ role: 'sandbox', name: '', specHash: action.specHash, attempt: action.attempt });
        return;
      case 'StartSandbox':
        this.change(action.sandboxId, { state: 'running', startedAt: this.now, ip: '10.0.0.2' });
        return;
      case 'CreateContainer': {
        const { container: name, attempt, specHash, sandboxId } = action;
        if (this.uncreatable.has(name)) {
          const failure = { reason: 'CreateContainerError', message: 'no' } as const;
          return this.outcome({ type: 'ContainerNotMade', container: name, ...failure });
        }
        const image = containerNamed(pod.spec, name)?.image ?? '';
        this.add({ role: 'app', name, attempt, specHash, sandboxId, image });
        return this.outcome({ type: 'ContainerMade', container: name });
      }
      case 'StartContainer':
        this.change(action.containerId, { state: 'running', startedAt: this.now });
        return;
      case 'Stop': {
        const found = this.containers.find(({ id }) => id === action.containerId);
        if (found && this.lazy.has(found.name) && action.graceSeconds > 0) return;
        if (found?.state === 'running') this.end(found, action.graceSeconds === 0 ? 137 : 143);
        return this.outcome({ type: 'StopReturned', containerId: action.containerId });
      }
      case 'RunHook': {
        const { hook, container, containerId } = action;
        const fate = this.hooks.get(container);
        if (fate === 'hangs') return;
        const failure = fate === 'fails' ? { failure: 'exit code 1' } : {};
        return this.outcome({ type: 'HookReturned', hook, container, containerId, ...failure });
      }
      case 'Remove':
        this.containers = this.containers.filter(({ id }) => id !== action.containerId);
        return;
      case 'RemoveVolumes':
        this.volumes = false;
        return this.outcome({ type: 'VolumesRemoved' });
    }
  }
}
