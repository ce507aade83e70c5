import { podStream } from '../stream.js';
import type { PodState } from '../pod/pod.js';
import { podCountsDiffer } from '../workload/pod-counts.js';
import { ownershipSteps, type WorkloadRules, type WorkloadStep } from '../workload/rules.js';
import { jobPod } from './job-pod.js';
import { reconcileJob, trackedFrom } from './reconcile.js';

const manager = 'podledger-job-controller';

/** Runs the pods of each job until it is over. */
export const jobRules: WorkloadRules<'Job'> = {
  kind: 'Job',
  manager,
  child: 'Pod',
  selectorOf: ({ spec }) => spec.selector,
  isChildChange: (before, after) => podCountsDiffer(before, after) || restartsDiffer(before, after),
  alsoAsked(job, children) {
    const present = new Set(children.map(({ meta }) => meta.uid));
    return Object.entries(job.ledger.tracked)
      .filter(([uid]) => !present.has(uid))
      .map(([uid, { name }]) => ({ uid, stream: podStream(job.meta.namespace, name) }));
  },
  factsOf(made) {
    if (made.length === 0) return [];
    return [{ type: 'PodsTracked', data: { pods: made.map((pod) => ({ uid: pod.uid, ...trackedFrom(pod) })) } }];
  },
  reconcile(job, { children, elsewhere = new Map(), now }) {
    const pods = children.filter((child): child is PodState => child.kind === 'Pod');
    const known = [...elsewhere].map(([uid, { gone, object }]) => {
      return [uid, { gone, ...(object?.kind === 'Pod' && { pod: object }) }] as const;
    });
    const plan = reconcileJob(job, { pods, elsewhere: new Map(known), now });
    const steps: WorkloadStep[] = [
      ...ownershipSteps(job, plan),
      ...plan.open.map((opening): WorkloadStep => ({ type: 'Create', kind: 'Pod', ...jobPod(job, opening, manager) })),
      ...plan.dismiss.map((object): WorkloadStep => ({
        type: 'Delete',
        object,
        reason: 'ScaledDown',
        propagation: 'Background',
      })),
      ...(plan.expired
        ? [{ type: 'Delete', object: job, reason: 'Requested', propagation: 'Foreground' } as const]
        : []),
    ];
    const { facts, status, again } = plan;
    return { steps, facts, status, together: true, ...(again !== undefined && { again }) };
  },
};

/** Under OnFailure restarts count against the limit of failures. */
const restartsDiffer: NonNullable<WorkloadRules['isChildChange']> = (before, after) =>
  before?.kind === 'Pod' &&
  after?.kind === 'Pod' &&
  Object.values(after.containers).some(({ name, attempt }) => before.containers[name]?.attempt !== attempt);
