import type { Millis } from '../event.js';
import { stableHash } from '../hash.js';
import type { Probe } from '../pod/handlers.js';
import type { Container } from '../pod/pod-spec.js';
import type { PodFact, ReportedRun } from '../pod/pod.js';
import type { CheckOutcome } from './check.js';
import {
  checkBegun,
  checkEnded,
  condemns,
  newTrack,
  nextCheckAt,
  periodMs,
  type ProbeKind,
  type ProbeTrack,
} from './probe-track.js';

/** What is known of the health of a container that runs. */
export interface ContainerHealth {
  /** It has come up: its startup probe, if it has one, has succeeded. */
  readonly started: boolean;
  readonly ready: boolean;
  /** The probe that has failed for good. The container is to be killed, within this grace period if one is given. */
  readonly condemned?: { readonly probe: 'startup' | 'liveness'; readonly graceSeconds?: number };
}

/** The probes of one run of a container. */
export interface ContainerProbes {
  readonly containerId: string;
  readonly name: string;
  readonly startedAt: Millis;
  readonly tracks: Readonly<Partial<Record<ProbeKind, ProbeTrack>>>;
}

const KINDS: readonly ProbeKind[] = ['startup', 'readiness', 'liveness'];

/** The probes that a container has. */
export function probesOf({
  startupProbe,
  readinessProbe,
  livenessProbe,
}: Container): Partial<Record<ProbeKind, Probe>> {
  return {
    ...(startupProbe && { startup: startupProbe }),
    ...(readinessProbe && { readiness: readinessProbe }),
    ...(livenessProbe && { liveness: livenessProbe }),
  };
}

export const hasProbes = (container: Container): boolean => Object.keys(probesOf(container)).length > 0;

/**
 * The probes of a container as it is seen for the first time. One that has run for a while was looked after by an earlier
 * agent of this node: what the log knows of it holds until a probe says otherwise, and checks are spread over a period, for
 * many containers are adopted at once.
 */
export function firstProbes(
  container: Container,
  run: { readonly containerId: string; readonly startedAt: Millis },
  reported: ReportedRun,
  now: Millis,
): ContainerProbes {
  const { containerId, startedAt } = run;
  const tracks: Partial<Record<ProbeKind, ProbeTrack>> = {};
  for (const [kind, probe] of entriesOf(container)) {
    const isAdopted = now - startedAt > periodMs(probe);
    const from = isAdopted ? now + Math.floor(fractionOf(`${containerId}/${kind}`) * periodMs(probe)) : now;
    const passes = kind === 'startup' ? reported.started : kind === 'readiness' ? reported.ready : true;
    tracks[kind] = newTrack(kind, from, passes ?? false);
  }
  return { containerId, name: container.name, startedAt, tracks };
}

const entriesOf = (container: Container): [ProbeKind, Probe][] => {
  const probes = probesOf(container);
  return KINDS.flatMap((kind) => (probes[kind] ? [[kind, probes[kind]] as [ProbeKind, Probe]] : []));
};

/** Of a text, evenly in [0, 1). */
const fractionOf = (text: string): number => Number.parseInt(stableHash(text).slice(0, 8), 16) / 2 ** 32;

/** Which checks are to begin now, and when to look again for more. The other probes wait for the startup probe. */
export function dueChecks(
  { tracks, startedAt }: ContainerProbes,
  container: Container,
  isEnding: boolean,
  now: Millis,
): { readonly due: readonly ProbeKind[]; readonly nextAt?: Millis } {
  const isStarting = tracks.startup !== undefined && !tracks.startup.passes;
  const due: ProbeKind[] = [];
  let nextAt = Infinity;
  for (const [kind, probe] of entriesOf(container)) {
    const track = tracks[kind];
    // A container that is being stopped is not killed for its health, but may still say that it takes no more work.
    if (!track || (isStarting && kind !== 'startup') || (isEnding && kind !== 'readiness')) continue;
    const at = nextCheckAt(probe, track, startedAt);
    if (at === undefined) continue;
    if (at <= now) due.push(kind);
    else nextAt = Math.min(nextAt, at);
  }
  return { due, ...(nextAt < Infinity && { nextAt }) };
}

/** A check has begun. */
export function withCheckBegun(probes: ContainerProbes, kind: ProbeKind, now: Millis): ContainerProbes {
  const track = probes.tracks[kind];
  return track ? { ...probes, tracks: { ...probes.tracks, [kind]: checkBegun(track, now) } } : probes;
}

/** A check has ended: what is known after it, and what the log is to be told. */
export function withCheckEnded(
  before: ContainerProbes,
  container: Container,
  kind: ProbeKind,
  outcome: CheckOutcome,
  now: Millis,
): { readonly probes: ContainerProbes; readonly facts: readonly PodFact[] } {
  const [probe, was] = [probesOf(container)[kind], before.tracks[kind]];
  if (!probe || !was) return { probes: before, facts: [] };
  const { track, told } = checkEnded(probe, was, outcome, now);
  const probes = { ...before, tracks: { ...before.tracks, [kind]: track } };
  const { containerId, name } = before;
  const common = { container: name, containerId };
  const facts: PodFact[] = [];
  if (told) {
    const id = `${containerId}/ContainerProbeFailed/${kind}/${now}`;
    const data = { ...common, probe: kind, ...told, ...(condemns(track) && { condemned: true }) };
    facts.push({ id, type: 'ContainerProbeFailed', data });
  }
  if (kind === 'startup' && track.passes && !was.passes) {
    facts.push({ id: `${containerId}/ContainerStartupSucceeded`, type: 'ContainerStartupSucceeded', data: common });
  }
  if (kind === 'readiness' && track.passes !== was.passes) {
    const id = `${containerId}/ContainerReadinessChanged/${now}`;
    facts.push({ id, type: 'ContainerReadinessChanged', data: { ...common, ready: track.passes } });
  }
  return { probes, facts };
}

/** What the probes of a container say of it. */
export function healthOf({ tracks }: ContainerProbes, container: Container): ContainerHealth {
  const started = tracks.startup?.passes ?? true;
  const ready = started && (tracks.readiness?.passes ?? true);
  const probe = condemns(tracks.startup) ? 'startup' : condemns(tracks.liveness) ? 'liveness' : undefined;
  if (!probe) return { started, ready };
  const graceSeconds = probesOf(container)[probe]?.terminationGracePeriodSeconds;
  return { started, ready, condemned: { probe, ...(graceSeconds !== undefined && { graceSeconds }) } };
}
