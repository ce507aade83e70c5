import {
  controllerReference,
  COMPLETION_INDEX,
  type JobPlan,
  type JobState,
  type JobSurroundings,
  type JobVerdict,
  type PodState,
  reconcileJob,
  rfc3339,
} from '#domain';
import { aContainer } from './builders.js';
import { afterFacts } from './job-builders.js';
import { aRunningPod, type PodOptions } from './scheduling-builders.js';

/** When the passes of these tests are, and what the pods and jobs of them have come to by then. */
export const NOW = 1_767_225_600_000;
export const started = { ready: 0, terminating: 0, uncountedTerminatedPods: {}, startTime: rfc3339(NOW - 60_000) };
export const deletion = { requestedAt: NOW, propagation: 'Background', gracePeriodSeconds: 30 } as const;
export const succeeded = { phase: 'Succeeded', at: NOW - 1_000 } as const;
export const failed = { phase: 'Failed', at: NOW - 1_000 } as const;

/** A pod of a job that runs. */
export const running = (job: JobState, name: string, { meta, ...more }: PodOptions = {}, index?: number): PodState =>
  aRunningPod(name, 'n1', {
    ...more,
    meta: {
      labels: { job: job.meta.name },
      ownerReferences: [controllerReference(job)],
      annotations: index === undefined ? {} : { [COMPLETION_INDEX]: String(index) },
      ...meta,
    },
  });

/** The job once it has started and tracks these pods. */
export const tracking = (job: JobState, pods: readonly PodState[]): JobState =>
  afterFacts({ ...job, status: { ...job.status, ...started } }, [
    {
      type: 'PodsTracked',
      data: {
        pods: pods.map(({ meta }) => ({
          uid: meta.uid,
          name: meta.name,
          ...(meta.annotations[COMPLETION_INDEX] !== undefined && {
            index: Number(meta.annotations[COMPLETION_INDEX]),
          }),
        })),
      },
    },
  ]);

/** What a reconcile makes of a job and these pods. */
export const pass = (job: JobState, pods: readonly PodState[], more: Partial<JobSurroundings> = {}): JobPlan =>
  reconcileJob(job, { pods, elsewhere: new Map(), now: NOW, ...more });
/** A pass over a job that knows all these pods. */
export const settled = (job: JobState, pods: readonly PodState[], now = NOW): JobPlan =>
  pass(tracking(job, pods), pods, { now });
export const names = (pods: readonly PodState[]): string[] => pods.map(({ meta }) => meta.name);
/** What the pass decided the job has come to, if anything. */
export const verdictIn = ({ facts }: JobPlan): JobVerdict | undefined =>
  facts.flatMap((fact) => (fact.type === 'Decided' ? [fact.data] : []))[0];
/** The pod with a container beside its own. */
export const withHelper = (pod: PodState, helper: PodState['containers'][string]): PodState => ({
  ...pod,
  spec: { ...pod.spec, containers: [...pod.spec.containers, aContainer(helper.name)] },
  containers: { ...pod.containers, [helper.name]: helper },
});
export const types = ({ facts }: JobPlan): string[] => facts.map(({ type }) => type);
