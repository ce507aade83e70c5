import type { Millis } from '../event.js';
import type { PodState } from '../pod/pod.js';
import type { Toleration } from '../pod/pod-spec.js';
import { tolerates } from '../selector.js';
import { saysNotReady, UNREACHABLE_TAINT } from './evolve.js';
import type { NodeState } from './node.js';

/** A node that was not heard for this long is NotReady (DESIGN section 3): 15 s. */
export const SILENCE_MS = 15_000;

/**
 * Nodes that fall silent at one moment were last heard at different ones, up to a heartbeat apart, and cross the limit one
 * after the other. Half the limit already counts as falling silent when the question is how many do so together.
 */
const FALLING_MS = SILENCE_MS / 2;

/** Nodes recorded as silent within this time of each other fell silent together. */
export const TOGETHER_MS = SILENCE_MS;

/** How long a pod that says nothing stays bound to a silent node: 30 s (Kubernetes' admission says 300). */
export const DEFAULT_TOLERATION_SECONDS = 30;

/** The last word of a node. */
export interface Heard {
  readonly at: Millis;
  readonly nodeEpoch: number;
  /** It said that it can run pods; a registration alone does not say so. */
  readonly ready: boolean;
  /** Why it cannot run pods, when it said that it cannot. */
  readonly problem?: string;
}

/** The last word of a node and one more: a registration takes nothing back that was said under the same epoch. */
export function hearMore(before: Heard | undefined, word: Heard): Heard {
  if (!before || before.nodeEpoch < word.nodeEpoch) return word;
  if (before.nodeEpoch > word.nodeEpoch) return before;
  return word.ready || word.problem !== undefined ? word : { ...before, at: word.at };
}

/** The nodes that are on record as silent together. */
export interface SilentTogether {
  readonly nodes: readonly string[];
  readonly total: number;
}

export interface HealthInput {
  /** By the clock that {@link Heard.at} was taken from. */
  readonly now: Millis;
  /** Since when the monitor hears without a break: it is in charge, connected and was not paused. */
  readonly listeningSince: Millis;
  readonly nodes: Iterable<NodeState>;
  readonly podsOnNode: (node: string) => readonly PodState[];
  readonly heard: ReadonlyMap<string, Heard>;
  /** On record and not ended. */
  readonly silentTogether?: SilentTogether;
  /** When the last mass silence ended, if this monitor saw it: patience starts anew for who is still silent. */
  readonly heardAgainAt?: Millis;
}

/** One thing to record, in the order in which it must be. */
export type HealthStep =
  | { readonly type: 'NodeReady'; readonly node: NodeState }
  /** It says itself that it cannot run pods. */
  | { readonly type: 'NodeNotReady'; readonly node: NodeState; readonly message: string }
  | { readonly type: 'SilentTogether'; readonly nodes: readonly string[]; readonly total: number }
  | { readonly type: 'HeardAgain'; readonly nodes: readonly string[] }
  | { readonly type: 'NodeSilent'; readonly node: NodeState; readonly lastHeardAt?: Millis; readonly message: string }
  /** Fences the node: nothing it still says under its old epoch counts, so its pods may be given up. */
  | { readonly type: 'NodeLost'; readonly node: NodeState; readonly message: string }
  | { readonly type: 'GiveUpPod'; readonly pod: PodState; readonly message: string };

interface Hearing {
  readonly node: NodeState;
  readonly heard?: Heard;
  /** How long it has been silent while we listened. */
  readonly silentMs: number;
}

/**
 * What the silence of nodes, or their return, means. A node is silent only for as long as somebody listened; when more than
 * half of the nodes, at least two, fall silent together, the fault is likely ours, and none of their pods is given up.
 */
export function assessNodes(input: HealthInput): HealthStep[] {
  const hearings = [...input.nodes].map((node) => hear(node, input));
  const together = massSilence(hearings, input);
  const silent = hearings.filter(({ silentMs }) => silentMs >= SILENCE_MS);
  return [
    ...hearings.flatMap(spoke),
    ...together.steps,
    ...silent.flatMap(becameSilent),
    ...(together.holds ? [] : silent.flatMap((hearing) => giveUp(hearing, input))),
  ];
}

function hear(node: NodeState, { now, listeningSince, heard }: HealthInput): Hearing {
  const last = heard.get(node.meta.name);
  // What an earlier epoch says does not count; a later one than we know of is on its way through the log.
  const counts = last !== undefined && last.nodeEpoch >= node.nodeEpoch && last.at >= listeningSince;
  return {
    node,
    ...(counts && { heard: last }),
    silentMs: now - Math.max(listeningSince, counts ? last.at : listeningSince),
  };
}

/** What a node that is heard says of itself, when that is news. */
function spoke({ node, heard, silentMs }: Hearing): HealthStep[] {
  if (node.lost || silentMs >= SILENCE_MS || heard?.nodeEpoch !== node.nodeEpoch) return [];
  if (heard.ready) return node.ready.status === 'True' ? [] : [{ type: 'NodeReady', node }];
  if (heard.problem === undefined || saysNotReady(node)) return [];
  return [{ type: 'NodeNotReady', node, message: heard.problem }];
}

function becameSilent({ node, heard, silentMs }: Hearing): HealthStep[] {
  if (node.ready.status === 'Unknown') return [];
  const message = `the executor was not heard for ${Math.floor(silentMs / 1000)} s`;
  return [{ type: 'NodeSilent', node, message, ...(heard && { lastHeardAt: heard.at }) }];
}

/** Whether a mass silence begins, goes on or ends. While it holds, no pod of a silent node is given up. */
function massSilence(
  hearings: readonly Hearing[],
  { now, silentTogether }: HealthInput,
): { readonly steps: HealthStep[]; readonly holds: boolean } {
  if (silentTogether) {
    const members = hearings.filter(({ node }) => silentTogether.nodes.includes(node.meta.name) && !node.lost);
    const unheard = members.filter(({ heard, silentMs }) => !heard || silentMs >= SILENCE_MS);
    if (isMass(unheard.length, silentTogether.total)) return { steps: [], holds: true };
    const nodes = namesOf(members.filter((member) => !unheard.includes(member)));
    return { steps: [{ type: 'HeardAgain', nodes }], holds: true };
  }
  const falling = hearings.filter(({ node, silentMs }) =>
    wasHeard(node)
      ? silentMs >= FALLING_MS
      : node.ready.status === 'Unknown' && !node.lost && silentMs >= SILENCE_MS && now - node.ready.since < TOGETHER_MS,
  );
  const standing = hearings.filter(({ node, silentMs }) => wasHeard(node) && silentMs < FALLING_MS);
  const total = falling.length + standing.length;
  const fell = falling.some(({ silentMs }) => silentMs >= SILENCE_MS);
  if (!fell || !isMass(falling.length, total)) return { steps: [], holds: false };
  return { steps: [{ type: 'SilentTogether', nodes: namesOf(falling), total }], holds: true };
}

/** On record as heard: ready, or saying that it is not. */
const wasHeard = (node: NodeState): boolean => node.ready.status === 'True' || saysNotReady(node);
/** More than half of so many, and at least two. */
export const isMass = (silent: number, total: number): boolean => silent >= 2 && silent * 2 > total;
const namesOf = (hearings: readonly Hearing[]): string[] => hearings.map(({ node }) => node.meta.name).sort();

function giveUp({ node, silentMs }: Hearing, { now, podsOnNode, heardAgainAt }: HealthInput): HealthStep[] {
  const silentAt = Math.max(now - silentMs + SILENCE_MS, heardAgainAt ?? 0);
  const due = podsOnNode(node.meta.name).filter(
    (pod) => isToBeGivenUp(pod) && silentAt + secondsBoundToSilence(pod) * 1000 <= now,
  );
  if (due.length === 0) return [];
  const message = `node ${node.meta.name} was not heard for ${Math.floor(silentMs / 1000)} s and is given up for lost`;
  return [
    ...(node.lost ? [] : [{ type: 'NodeLost' as const, node, message }]),
    ...due.map((pod): HealthStep => ({ type: 'GiveUpPod', pod, message })),
  ];
}

/** Neither ended, or only waiting for its node to confirm the end. */
function isToBeGivenUp({ terminated, meta }: PodState): boolean {
  return terminated === undefined || (meta.deletion !== undefined && meta.finalizers.length === 0);
}

/**
 * How long a pod stays bound to a node once that is NotReady, in seconds. One that is being deleted does not outstay the
 * default: its deletion must end.
 */
function secondsBoundToSilence({ spec, meta }: PodState): number {
  const taint = { key: UNREACHABLE_TAINT, effect: 'NoExecute' } as const;
  const seconds = tolerationSeconds(spec.tolerations ?? [], taint) ?? DEFAULT_TOLERATION_SECONDS;
  return meta.deletion ? Math.min(seconds, DEFAULT_TOLERATION_SECONDS) : seconds;
}

/** For how long a NoExecute taint is tolerated: `undefined` not at all, `Infinity` for ever, else the least of what is said. */
export function tolerationSeconds(
  tolerations: readonly Toleration[],
  taint: NodeState['taints'][number],
): number | undefined {
  const matching = tolerations.filter((toleration) => tolerates(toleration, taint));
  if (matching.length === 0) return undefined;
  return Math.min(...matching.map(({ tolerationSeconds: seconds }) => Math.max(0, seconds ?? Infinity)));
}
