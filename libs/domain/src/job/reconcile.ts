import type { Millis } from '../event.js';
import type { PodState } from '../pod/pod.js';
import { rfc3339 } from '../time.js';
import { conditionOf } from '../workload/conditions.js';
import { isActivePod, readySince } from '../workload/pod-counts.js';
import { claim } from '../workload/rules.js';
import type { JobState } from '../workload/workload.js';
import { completionIndexOf, endOf, failureOf, type PodEnd } from './ends.js';
import { evolveJob } from './evolve.js';
import type { JobFact, JobStatus, TrackedPod } from './job.js';
import { staff, type Opening, type Staffing } from './staffing.js';
import { deadlineOf, recordedVerdict, verdictOn } from './verdict.js';

/** What it takes to make a job true. All of it is one command. */
export interface JobPlan {
  readonly adopt: readonly PodState[];
  readonly release: readonly PodState[];
  readonly open: readonly Opening[];
  readonly dismiss: readonly PodState[];
  /** Recorded in this order, after the status. */
  readonly facts: readonly JobFact[];
  /** The counts of the pods that are there once this is done; what follows from the facts is added by them. */
  readonly status: JobStatus;
  /** The job has been over for as long as it was to be kept. */
  readonly expired: boolean;
  /** When to look again though nothing changes. */
  readonly again?: Millis;
}

/** What a reconcile of a job is given besides the job. */
export interface JobSurroundings {
  /** At least the pods that the job owns or selects. */
  readonly pods: readonly PodState[];
  /** By uid, what is known of tracked pods that are not among `pods`: gone, with what they were last, or another's by now. */
  readonly elsewhere: ReadonlyMap<string, { readonly gone: boolean; readonly pod?: PodState }>;
  readonly now: Millis;
}

/**
 * Compares a job with its pods: which ends are to be counted, whether the job is over, which pods to make and to end.
 * Pure; every pod that was made or adopted is counted once, also when it is gone by now.
 */
export function reconcileJob(job: JobState, surroundings: JobSurroundings): JobPlan {
  const { now } = surroundings;
  const over = recordedVerdict(job);
  if (over?.finishedAt !== undefined) return afterTheEnd(job, over.finishedAt, now);
  const { owned, adopt, release } = claim(job, job.spec.selector, surroundings.pods);
  const members = [...owned, ...adopt];
  const active = members.filter(isActivePod);
  const terminating = members.filter(({ terminated, meta }) => meta.deletion !== undefined && !terminated);

  const tracking = adopt.map((pod) => ({ uid: pod.meta.uid, ...trackedFrom({ name: pod.meta.name, meta: pod.meta }) }));
  const tracked = { ...job.ledger.tracked, ...Object.fromEntries(tracking.map(({ uid, ...pod }) => [uid, pod])) };
  const { ends, lost } = settle(job, tracked, members, release, surroundings);
  const begun = begin(job, now);
  const counted = afterFact(begun.job, { type: 'PodsCounted', data: { pods: ends.map((end) => end.counted) } }, now);
  const verdict = verdictOn(counted, { status: counted.status, ends, active, now });

  const team: Staffing = verdict
    ? { open: [], dismiss: active }
    : job.meta.deletion
      ? { open: [], dismiss: [] }
      : staff(counted, { active, terminating, now });
  // A pod that is being adopted is told to go once it is the job's.
  const dismiss = team.dismiss.filter((pod) => !adopt.includes(pod));
  const dismissed = new Set(dismiss.map(({ meta }) => meta.uid));
  // A job that has failed has failed with all its pods; one that sends pods away for another reason does not count them.
  const abandoned = verdict?.outcome === 'Failed' ? unsettled(job, tracked, members, ends, now) : [];
  const released = [...lost, ...(verdict ? [] : [...dismissed].filter((uid) => uid in tracked))];
  const staying = active.filter(({ meta }) => !dismissed.has(meta.uid));
  const leaving = dismiss.filter(({ nodeName }) => nodeName !== undefined).length;
  const pods = [...ends, ...abandoned].map((end) => end.counted);
  const isQuiet = active.length === 0 && terminating.length === 0;
  const facts: JobFact[] = [
    ...begun.facts,
    ...(tracking.length > 0 ? [{ type: 'PodsTracked', data: { pods: tracking } } as const] : []),
    ...(pods.length > 0 || released.length > 0
      ? [{ type: 'PodsCounted', data: { pods, ...(released.length > 0 && { released }) } } as const]
      : []),
    ...(verdict ? [] : turnOf(job)),
    ...(verdict && !over ? [{ type: 'Decided', data: verdict } as const] : []),
    ...(verdict && isQuiet ? [{ type: 'Finished', data: verdict } as const] : []),
  ];
  const again = Math.min(team.again ?? Infinity, verdict ? Infinity : (deadlineOf(begun.job) ?? Infinity));
  return {
    adopt,
    release,
    open: team.open,
    dismiss,
    facts,
    status: withCounts(job.status, {
      active: staying.length + team.open.length,
      ready: staying.filter((pod) => readySince(pod) !== undefined).length,
      terminating: terminating.length + leaving,
    }),
    expired: false,
    ...(again !== Infinity && { again }),
  };
}

/** A finished job is left alone until its time to live is over. */
function afterTheEnd(job: JobState, finishedAt: Millis, now: Millis): JobPlan {
  const { ttlSecondsAfterFinished: ttl } = job.spec;
  const expiresAt = ttl === undefined || job.meta.deletion ? undefined : finishedAt + ttl * 1000;
  const expired = expiresAt !== undefined && expiresAt <= now;
  return {
    adopt: [],
    release: [],
    open: [],
    dismiss: [],
    facts: [],
    status: job.status,
    expired,
    ...(expiresAt !== undefined && !expired && { again: expiresAt }),
  };
}

/** What tracking keeps of a pod. */
export function trackedFrom({
  name,
  meta,
}: {
  readonly name: string;
  readonly meta: Pick<PodState['meta'], 'annotations'>;
}): TrackedPod {
  const index = completionIndexOf({ meta });
  return { name, ...(index !== undefined && { index }) };
}

/** Ends to be counted, and the uids of pods that have become somebody else's. */
function settle(
  job: JobState,
  tracked: Readonly<Record<string, TrackedPod>>,
  members: readonly PodState[],
  release: readonly PodState[],
  { elsewhere, now }: JobSurroundings,
): { readonly ends: readonly PodEnd[]; readonly lost: readonly string[] } {
  const live = new Map(members.map((pod) => [pod.meta.uid, pod]));
  const released = new Set(release.map(({ meta }) => meta.uid));
  const ends: PodEnd[] = [];
  const lost: string[] = [];
  for (const [uid, known] of Object.entries(tracked)) {
    const pod = live.get(uid);
    const away = pod ? undefined : elsewhere.get(uid);
    const last = pod ?? away?.pod;
    // What is not known of is told of in the next pass.
    const end = pod || away ? endOf(job, uid, known, { ...(last && { pod: last }), gone: !pod, now }) : undefined;
    if (released.has(uid) || away?.gone === false) lost.push(uid);
    else if (end) ends.push(end);
  }
  return { ends, lost };
}

/** Tracked pods that have not ended, as failures: their job has failed over them. */
function unsettled(
  job: JobState,
  tracked: Readonly<Record<string, TrackedPod>>,
  members: readonly PodState[],
  ends: readonly PodEnd[],
  now: Millis,
): PodEnd[] {
  const settled = new Set(ends.map(({ counted }) => counted.uid));
  return members.flatMap((pod) => {
    const { uid } = pod.meta;
    const known = tracked[uid];
    return known && !settled.has(uid) ? [failureOf(job, { uid, ...known, at: now }, pod)] : [];
  });
}

/** The job as it starts, the first time it may. */
function begin(job: JobState, now: Millis): { readonly job: JobState; readonly facts: readonly JobFact[] } {
  if (job.spec.suspend || job.status.startTime !== undefined) {
    const resumes = turnOf(job).some(({ type }) => type === 'Resumed');
    // Its deadline runs anew from here.
    return { job: resumes ? { ...job, status: { ...job.status, startTime: rfc3339(now) } } : job, facts: [] };
  }
  const started: JobFact = { type: 'Started', data: {} };
  return { job: afterFact(job, started, now), facts: [started] };
}

/** The turn of a job that goes on: suspended, or resumed after that. */
function turnOf({ spec, status }: JobState): readonly JobFact[] {
  const isSuspended = conditionOf(status.conditions, 'Suspended')?.status === 'True';
  if (spec.suspend === isSuspended) return [];
  return [{ type: spec.suspend ? 'Suspended' : 'Resumed', data: {} }];
}

const afterFact = (job: JobState, fact: JobFact, time: Millis): JobState => ({
  ...job,
  ...evolveJob(job, fact, { time }),
});

function withCounts(
  { active: _, ...status }: JobStatus,
  { active, ready, terminating }: { readonly active: number; readonly ready: number; readonly terminating: number },
): JobStatus {
  return { ...status, ready, terminating, ...(active > 0 && { active }) };
}
