import type { Millis } from '../event.js';
import type { AssignedPod } from '../node/assigned-pod.js';
import type { PodFact } from '../pod/pod.js';
import type { Container } from '../pod/pod-spec.js';
import { isHeldBack, type Failure } from './back-off.js';
import type { Creation } from './members-plan.js';
import { imagePulledId, pullKey, type PodMemory } from './pod-memory.js';
import type { KnownImages, PodAction } from './pod-plan.js';

/** A failed pull is shown as `ErrImagePull` this long before it is shown as `ImagePullBackOff`, in milliseconds. */
const SHOW_ERROR_MS = 2_000;

export interface ImagesPlan {
  readonly actions: readonly PodAction[];
  readonly facts: readonly PodFact[];
  readonly memory: { readonly pulling: PodMemory['pulling'] };
  /** Names of containers whose image is there. */
  readonly ready: ReadonlySet<string>;
  /** Names of containers whose image could not be had, until their back-off is over. */
  readonly blocked: ReadonlySet<string>;
  readonly waits: readonly Millis[];
}

/** What is to be done so that the images of these containers are on the node, by Kubernetes' pull policies. */
export function planImages(
  input: { readonly pod: AssignedPod; readonly images: KnownImages; readonly memory: PodMemory; readonly now: Millis },
  creations: readonly Creation[],
): ImagesPlan {
  const { pod, images, memory, now } = input;
  const actions: PodAction[] = [];
  const facts: PodFact[] = [];
  const ready = new Set<string>();
  const blocked = new Set<string>();
  const waits: Millis[] = [];
  let pulling = memory.pulling;
  for (const { container, attempt } of creations) {
    const { name, image } = container;
    const failure = memory.failures[pullKey(name, image)];
    if (pulling[name] === image) continue;
    if (isHeldBack(failure, now)) {
      blocked.add(name);
      const told = backOffFact(pod, container, failure, now);
      if (told === undefined) waits.push(failure.at + SHOW_ERROR_MS);
      else facts.push(...told);
      if (failure.retryAt !== undefined) waits.push(failure.retryAt);
      continue;
    }
    const need = imageNeed(container, attempt, images, memory);
    if (need === 'inspect') actions.push({ type: 'InspectImage', container: name, image });
    else if (need === 'pull') {
      actions.push({ type: 'PullImage', container: name, image, attempt });
      pulling = { ...pulling, [name]: image };
      const id = `${pod.key.uid}/${name}/ImagePullStarted/${now}`;
      facts.push({ id, type: 'ImagePullStarted', data: { container: name, image } });
    } else {
      ready.add(name);
      facts.push(...presentFact(pod, container, attempt, images, memory));
    }
  }
  return { actions, facts, memory: { pulling }, ready, blocked, waits };
}

function imageNeed(
  { name, image, imagePullPolicy }: Container,
  attempt: number,
  images: KnownImages,
  memory: PodMemory,
): 'inspect' | 'pull' | 'none' {
  if (imagePullPolicy === 'Always') {
    const had = memory.pulled[name];
    return had?.image === image && had.attempt === attempt ? 'none' : 'pull';
  }
  const known = images[image];
  if (known === undefined) return 'inspect';
  if (known !== 'absent') return 'none';
  return imagePullPolicy === 'Never' ? 'inspect' : 'pull';
}

function presentFact(
  pod: AssignedPod,
  { name, image }: Container,
  attempt: number,
  images: KnownImages,
  memory: PodMemory,
): PodFact[] {
  const known = images[image];
  const had = memory.pulled[name];
  if (known === undefined || known === 'absent' || (had?.image === image && had.attempt === attempt)) return [];
  const data = { container: name, image, imageId: known.imageId, alreadyPresent: true, durationMs: 0 };
  return [{ id: imagePulledId(pod.key.uid, name, attempt), type: 'ImagePulled', data }];
}

/** After a while the error gives way to the wait for the next try, as kubelet shows it; `undefined` until then. */
function backOffFact(
  pod: AssignedPod,
  { name, image, imagePullPolicy }: Container,
  failure: Failure,
  now: Millis,
): PodFact[] | undefined {
  if (failure.retryAt === undefined || imagePullPolicy === 'Never') return [];
  if (now < failure.at + SHOW_ERROR_MS) return undefined;
  const message = `Back-off pulling image "${image}"`;
  const data = { container: name, image, reason: 'ImagePullBackOff' as const, message, retryAt: failure.retryAt };
  return [{ id: `${pod.key.uid}/${name}/ImagePullBackOff/${failure.at}`, type: 'ImagePullFailed', data }];
}
