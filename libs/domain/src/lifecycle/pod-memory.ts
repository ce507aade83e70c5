import type { Millis } from '../event.js';
import type { PodFact } from '../pod/pod.js';
import { CREATE_BACK_OFF, failedAgain, PULL_BACK_OFF, type Failure } from './back-off.js';

/** How often one thing was restarted in a row, and when it may run again after the container that ended last. */
export interface RestartCount {
  readonly containerId: string;
  readonly failures: number;
  readonly retryAt: Millis;
}

/**
 * What a node remembers of a pod besides what its engine shows. All of it may be lost with the process: what was asked of
 * the engine is then asked again, and back-offs start from the attempts that the engine still shows.
 */
export interface PodMemory {
  /** Stops under way: by container id, when the engine will kill. */
  readonly stopping: Readonly<Record<string, Millis>>;
  /** Stops that are wanted, asked for or not yet: by container id, when its grace period ends. */
  readonly graceEnds: Readonly<Record<string, Millis>>;
  /** Ids of containers stopped only to be made anew: their exit is not their own doing. */
  readonly replaced: readonly string[];
  /** Pulls under way: by container name, the image. */
  readonly pulling: Readonly<Record<string, string>>;
  /** Images pulled for a creation: by container name. */
  readonly pulled: Readonly<Record<string, { readonly image: string; readonly attempt: number }>>;
  /** By {@link sandboxKey}, {@link createKey} or {@link pullKey}. */
  readonly failures: Readonly<Record<string, Failure>>;
  /** By container name; the main container's is the pod's under shared fate. */
  readonly restarts: Readonly<Record<string, RestartCount>>;
  /** Highest attempt seen of each container, `""` for the sandbox: somebody may remove them all. */
  readonly attempts: Readonly<Record<string, number>>;
  /** Lifecycle hooks under way and done, by the id of a container that runs. */
  readonly hooks: Readonly<Record<string, ContainerHooks>>;
  /** Ids of containers stopped because a probe or a hook condemned them. */
  readonly condemned: readonly string[];
  readonly volumesRemoved: boolean;
}

/** How far the hooks of one run of a container have come. One that is not named has not begun. */
export interface ContainerHooks {
  readonly postStart?: 'running' | 'done' | 'failed';
  readonly preStop?: 'running' | 'done';
}

export const NO_MEMORY: PodMemory = {
  stopping: {},
  graceEnds: {},
  replaced: [],
  pulling: {},
  pulled: {},
  failures: {},
  restarts: {},
  attempts: {},
  hooks: {},
  condemned: [],
  volumesRemoved: false,
};

export const sandboxKey = 'sandbox';
export const createKey = (container: string): string => `create/${container}`;
/** With the image: an edited reference is tried at once. */
export const pullKey = (container: string, image: string): string => `pull/${container}/${image}`;

/** How an action that was carried out came out, where that is worth remembering. */
export type ActionOutcome =
  | { readonly type: 'SandboxReady' }
  | { readonly type: 'SandboxFailed'; readonly message: string }
  | {
      readonly type: 'ImagePulled';
      readonly container: string;
      readonly image: string;
      readonly attempt: number;
      readonly imageId: string;
      readonly durationMs: number;
    }
  | {
      readonly type: 'ImageFailed';
      readonly container: string;
      readonly image: string;
      readonly reason: 'ErrImagePull' | 'ErrImageNeverPull' | 'InvalidImageName';
      readonly message: string;
    }
  /** The engine went away in the middle: nobody's fault, tried again with the next look. */
  | { readonly type: 'PullInterrupted'; readonly container: string }
  | { readonly type: 'ContainerMade'; readonly container: string }
  | {
      readonly type: 'ContainerNotMade';
      readonly container: string;
      readonly reason: 'CreateContainerError' | 'CreateContainerConfigError';
      readonly message: string;
    }
  /** The image went away between the pull and the creation. */
  | { readonly type: 'ImageVanished'; readonly container: string }
  /** A stop returned, whether or not the container has ended. */
  | { readonly type: 'StopReturned'; readonly containerId: string }
  | {
      readonly type: 'HookReturned';
      readonly hook: 'postStart' | 'preStop';
      readonly container: string;
      readonly containerId: string;
      /** Why it failed, when it did. */
      readonly failure?: string;
    }
  /** The engine went away in the middle of a postStart hook: it is begun again. */
  | { readonly type: 'HookInterrupted'; readonly containerId: string }
  /** Configuration came or changed: what could not be made for want of it is tried at once. */
  | { readonly type: 'ConfigChanged' }
  | { readonly type: 'VolumesRemoved' };

/** The memory after an outcome, and what the log is to be told of it. */
export function remember(
  memory: PodMemory,
  uid: string,
  outcome: ActionOutcome,
  now: Millis,
): { readonly memory: PodMemory; readonly facts: readonly PodFact[] } {
  switch (outcome.type) {
    case 'SandboxReady':
      return quietly({ ...memory, failures: without(memory.failures, sandboxKey) });
    case 'SandboxFailed': {
      const failure = failedAgain(CREATE_BACK_OFF, memory.failures[sandboxKey], now);
      const data = { message: outcome.message, retryAt: failure.retryAt };
      return {
        memory: { ...memory, failures: { ...memory.failures, [sandboxKey]: failure } },
        facts: [{ id: `${uid}/PodSandboxFailed/${now}`, type: 'PodSandboxFailed', data }],
      };
    }
    case 'ImagePulled':
      return pulled(memory, uid, outcome);
    case 'ImageFailed':
      return pullFailed(memory, uid, outcome, now);
    case 'PullInterrupted':
      return quietly({ ...memory, pulling: without(memory.pulling, outcome.container) });
    case 'ContainerMade':
      return quietly({ ...memory, failures: without(memory.failures, createKey(outcome.container)) });
    case 'ContainerNotMade': {
      const { container, reason, message } = outcome;
      const key = createKey(container);
      const failure = failedAgain(CREATE_BACK_OFF, memory.failures[key], now);
      const data = { container, reason, message, retryAt: failure.retryAt };
      return {
        memory: { ...memory, failures: { ...memory.failures, [key]: failure } },
        facts: [{ id: `${uid}/${container}/ContainerCreateFailed/${now}`, type: 'ContainerCreateFailed', data }],
      };
    }
    case 'ImageVanished':
      return quietly({ ...memory, pulled: without(memory.pulled, outcome.container) });
    case 'StopReturned':
      return quietly({ ...memory, stopping: without(memory.stopping, outcome.containerId) });
    case 'HookReturned':
      return hookReturned(memory, outcome);
    case 'HookInterrupted':
      return quietly({ ...memory, hooks: without(memory.hooks, outcome.containerId) });
    case 'ConfigChanged':
      return quietly({ ...memory, failures: withoutCreations(memory.failures) });
    case 'VolumesRemoved':
      return quietly({ ...memory, volumesRemoved: true });
  }
}

const quietly = (memory: PodMemory): { memory: PodMemory; facts: readonly PodFact[] } => ({ memory, facts: [] });

function pulled(
  memory: PodMemory,
  uid: string,
  { container, image, attempt, imageId, durationMs }: Extract<ActionOutcome, { type: 'ImagePulled' }>,
): { memory: PodMemory; facts: readonly PodFact[] } {
  return {
    memory: {
      ...memory,
      pulling: without(memory.pulling, container),
      pulled: { ...memory.pulled, [container]: { image, attempt } },
      failures: without(memory.failures, pullKey(container, image)),
    },
    facts: [
      {
        id: imagePulledId(uid, container, attempt),
        type: 'ImagePulled',
        data: { container, image, imageId, alreadyPresent: false, durationMs },
      },
    ],
  };
}

function hookReturned(
  memory: PodMemory,
  { hook, container, containerId, failure }: Extract<ActionOutcome, { type: 'HookReturned' }>,
): { memory: PodMemory; facts: readonly PodFact[] } {
  const before = memory.hooks[containerId];
  const postStart = failure === undefined ? 'done' : 'failed';
  const now: ContainerHooks = hook === 'preStop' ? { ...before, preStop: 'done' } : { ...before, postStart };
  const after = { ...memory, hooks: { ...memory.hooks, [containerId]: now } };
  const run = { container, containerId };
  if (failure !== undefined) {
    const data = { ...run, hook, message: failure };
    return {
      memory: after,
      facts: [{ id: `${containerId}/LifecycleHookFailed/${hook}`, type: 'LifecycleHookFailed', data }],
    };
  }
  if (hook === 'preStop') return quietly(after);
  const id = `${containerId}/PostStartHookSucceeded`;
  return { memory: after, facts: [{ id, type: 'PostStartHookSucceeded', data: run }] };
}

/** One per creation, so that the log says of every run whether its image was fetched for it. */
export const imagePulledId = (uid: string, container: string, attempt: number): string =>
  `${uid}/${container}/${attempt}/ImagePulled`;

function pullFailed(
  memory: PodMemory,
  uid: string,
  { container, image, reason, message }: Extract<ActionOutcome, { type: 'ImageFailed' }>,
  now: Millis,
): { memory: PodMemory; facts: readonly PodFact[] } {
  const key = pullKey(container, image);
  const again = failedAgain(PULL_BACK_OFF, memory.failures[key], now);
  const failure: Failure = reason === 'InvalidImageName' ? { count: again.count, at: now } : again;
  const data = {
    ...{ container, image, reason, message },
    ...(failure.retryAt !== undefined && { retryAt: failure.retryAt }),
  };
  return {
    memory: {
      ...memory,
      pulling: without(memory.pulling, container),
      failures: { ...memory.failures, [key]: failure },
    },
    facts: [{ id: `${uid}/${container}/${reason}/${now}`, type: 'ImagePullFailed', data }],
  };
}

const withoutCreations = (failures: PodMemory['failures']): PodMemory['failures'] =>
  Object.fromEntries(Object.entries(failures).filter(([key]) => !key.startsWith(createKey(''))));

/** A record without one key. */
export function without<Value>(record: Readonly<Record<string, Value>>, key: string): Readonly<Record<string, Value>> {
  if (!(key in record)) return record;
  const { [key]: _, ...rest } = record;
  return rest;
}
