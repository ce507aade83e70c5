import {
  checkOf,
  containerNamed,
  DomainError,
  succeeded,
  type ActionOutcome,
  type AssignedPod,
  type ConfigContents,
  type KnownImages,
  type ObservedContainer,
  type PodAction,
  type PodKey,
} from '#domain';
import { containerSpecOf, sandboxSpecOf, type NodeContext } from './container-spec.js';
import type { FactReporter } from './fact-reporter.js';
import type { ImagePuller } from './image-puller.js';
import { addressOf, runHook, type Checkers } from './probes/run-check.js';
import { RuntimeError, type PullProgress } from './runtime/container-runtime.js';

/** What a worker keeps of what its actions brought. */
export interface ActionSink {
  keepImage(image: string, known: KnownImages[string] | undefined): void;
  keepContainer(container: ObservedContainer): void;
  keepOutcome(outcome: ActionOutcome): void;
  /** The configuration that the pod names; `undefined` while it is not known. */
  config(): ConfigContents | undefined;
  wake(): void;
}

export interface ActionRunnerDeps extends Checkers {
  readonly puller: ImagePuller;
  readonly reporter: FactReporter;
  readonly node: NodeContext;
}

/** `known`: what changed on the engine was kept. `look`: the engine must be looked at again. */
export type Aftermath = 'known' | 'look';

/** Progress of one pull is told at most this often, in milliseconds. */
const PROGRESS_MS = 2_000;
/** A stop that failed is tried again after this long. */
const STOP_RETRY_MS = 1_000;
/** So is a hook that the engine did not let us run. */
const HOOK_RETRY_MS = 1_000;
/** kubelet gives a postStart hook for ever; nothing here waits that long. */
const LONGEST_HOOK_MS = 3_600_000;

type Action<Type extends PodAction['type']> = Extract<PodAction, { type: Type }>;

/**
 * Carries out one action of a plan. No rules here: what an error means is said once, in outcomes that the domain remembers;
 * an engine that is away is nobody's fault and passes through as `RuntimeError`.
 */
export class ActionRunner {
  constructor(
    private readonly deps: ActionRunnerDeps,
    private readonly sink: ActionSink,
  ) {}

  async run(
    action: PodAction,
    key: PodKey,
    pod: AssignedPod | undefined,
    observed: readonly ObservedContainer[],
  ): Promise<Aftermath> {
    const { runtime } = this.deps;
    switch (action.type) {
      case 'InspectImage':
        return this.inspectImage(action, pod);
      case 'PullImage':
        void this.pull(action, key);
        return 'known';
      case 'CreateSandbox':
        return pod ? this.makeSandbox(() => runtime.createSandbox(sandboxSpecOf(pod, action))) : 'look';
      case 'StartSandbox':
        return this.makeSandbox(async () => {
          const sandbox = await runtime.startSandbox(action.sandboxId);
          this.sink.keepOutcome({ type: 'SandboxReady' });
          return sandbox;
        });
      case 'CreateContainer':
        return pod ? this.createContainer(action, pod, observed) : 'look';
      case 'StartContainer':
        await runtime.startContainer(action.containerId).catch(isExit);
        return 'look';
      case 'Stop':
        void this.stop(action);
        return 'known';
      case 'RunHook':
        void this.runHook(action, pod, observed);
        return 'known';
      case 'Remove':
        await runtime.remove(action.containerId);
        return 'look';
      case 'RemoveVolumes':
        await runtime.removeVolumes(key.uid);
        this.sink.keepOutcome({ type: 'VolumesRemoved' });
        return 'look';
    }
  }

  private async inspectImage(
    { container, image }: Action<'InspectImage'>,
    pod: AssignedPod | undefined,
  ): Promise<Aftermath> {
    const policy = pod && containerNamed(pod.spec, container)?.imagePullPolicy;
    const fail = (reason: 'ErrImageNeverPull' | 'InvalidImageName', message: string): void =>
      this.sink.keepOutcome({ type: 'ImageFailed', container, image, reason, message });
    try {
      const found = await this.deps.runtime.image(image);
      // Under Never an absence is not kept: it is looked for again after its back-off.
      if (found || policy !== 'Never') this.sink.keepImage(image, found ?? 'absent');
      else fail('ErrImageNeverPull', `Container image "${image}" is not present with pull policy of Never`);
    } catch (cause) {
      const { fault, message } = blamed(cause);
      if (fault !== 'InvalidImageName') throw cause;
      fail(fault, message);
    }
    return 'known';
  }

  /** Goes on beside the worker. */
  private async pull({ container, image, attempt }: Action<'PullImage'>, key: PodKey): Promise<void> {
    try {
      const pulled = await this.deps.puller.pull(image, this.teller(container, image, key));
      this.sink.keepImage(image, { imageId: pulled.imageId });
      this.sink.keepOutcome({ type: 'ImagePulled', container, image, attempt, ...pulled });
    } catch (cause) {
      if (!(cause instanceof RuntimeError)) throw cause;
      const { fault, message } = cause;
      this.sink.keepImage(image, undefined);
      const reason = fault === 'InvalidImageName' ? fault : 'ErrImagePull';
      if (fault === 'Unavailable') this.sink.keepOutcome({ type: 'PullInterrupted', container });
      else this.sink.keepOutcome({ type: 'ImageFailed', container, image, reason, message });
    }
    this.sink.wake();
  }

  private teller(container: string, image: string, key: PodKey): (progress: PullProgress) => void {
    let toldAt = -Infinity;
    return ({ bytesDone, bytesTotal }) => {
      const now = this.deps.clock.now();
      if (now - toldAt < PROGRESS_MS) return;
      toldAt = now;
      const id = `${key.uid}/${container}/ImagePullProgressed/${now}`;
      const data = { container, image, bytesDone, bytesTotal };
      this.deps.reporter.tell(key, [{ id, type: 'ImagePullProgressed', data }]);
    };
  }

  private async makeSandbox(make: () => Promise<ObservedContainer>): Promise<Aftermath> {
    try {
      this.sink.keepContainer(await make());
      return 'known';
    } catch (cause) {
      this.sink.keepOutcome({ type: 'SandboxFailed', message: blamed(cause).message });
      return 'look';
    }
  }

  private async createContainer(
    action: Action<'CreateContainer'>,
    pod: AssignedPod,
    observed: readonly ObservedContainer[],
  ): Promise<Aftermath> {
    const { container: name } = action;
    const container = containerNamed(pod.spec, name);
    if (!container) return 'look';
    const config = this.sink.config();
    if (!config) return 'look';
    const podIP = observed.find(({ id }) => id === action.sandboxId)?.ip;
    try {
      const spec = containerSpecOf(pod, container, action, { node: this.deps.node, podIP, config });
      this.sink.keepContainer(await this.deps.runtime.createContainer(spec));
      this.sink.keepOutcome({ type: 'ContainerMade', container: name });
      return 'known';
    } catch (cause) {
      if (cause instanceof DomainError) {
        const { message } = cause;
        this.sink.keepOutcome({
          type: 'ContainerNotMade',
          container: name,
          reason: 'CreateContainerConfigError',
          message,
        });
        return 'known';
      }
      const { fault, message } = blamed(cause);
      if (fault === 'ImageNotPresent') {
        this.sink.keepImage(container.image, undefined);
        this.sink.keepOutcome({ type: 'ImageVanished', container: name });
      } else if (fault !== 'NotFound') {
        this.sink.keepOutcome({ type: 'ContainerNotMade', container: name, reason: 'CreateContainerError', message });
      }
      return 'look';
    }
  }

  /** Goes on beside the worker, for as long as the grace period lasts. */
  private async stop({ containerId, graceSeconds }: Action<'Stop'>): Promise<void> {
    try {
      await this.deps.runtime.stop(containerId, graceSeconds);
    } catch (cause) {
      if (!(cause instanceof RuntimeError)) throw cause;
      await this.deps.clock.sleep(STOP_RETRY_MS);
    }
    this.sink.keepOutcome({ type: 'StopReturned', containerId });
    this.sink.wake();
  }

  /** Goes on beside the worker. */
  private async runHook(
    { hook, container: name, containerId, timeoutSeconds }: Action<'RunHook'>,
    pod: AssignedPod | undefined,
    observed: readonly ObservedContainer[],
  ): Promise<void> {
    const container = pod && containerNamed(pod.spec, name);
    const handler = container?.lifecycle?.[hook];
    const timeoutMs = timeoutSeconds === undefined ? LONGEST_HOOK_MS : timeoutSeconds * 1000;
    const { result, message } =
      container && handler
        ? await runHook(
            this.deps,
            containerId,
            checkOf(handler, container, addressOf(containerId, observed)),
            timeoutMs,
          )
        : succeeded;
    if (result === 'unknown' && hook === 'postStart') {
      await this.deps.clock.sleep(HOOK_RETRY_MS);
      this.sink.keepOutcome({ type: 'HookInterrupted', containerId });
    } else {
      const failure = result === 'success' ? {} : { failure: message };
      this.sink.keepOutcome({ type: 'HookReturned', hook, container: name, containerId, ...failure });
    }
    this.sink.wake();
  }
}

/** An error that somebody's wish is to blame for. An engine that is away is not: that, and what is no engine's error, goes on. */
function blamed(cause: unknown): RuntimeError {
  if (cause instanceof RuntimeError && cause.fault !== 'Unavailable') return cause;
  throw cause;
}

/** A failed start is a termination, and the engine shows it as one. */
function isExit(cause: unknown): void {
  const { fault } = blamed(cause);
  if (fault !== 'StartFailed' && fault !== 'NotFound') throw cause;
}
