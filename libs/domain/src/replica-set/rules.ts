import type { PodState } from '../pod/pod.js';
import { withCondition } from '../workload/conditions.js';
import { controllerReference, ownershipSteps, type WorkloadRules, type WorkloadStep } from '../workload/rules.js';
import { podFromTemplate } from '../workload/pod-from-template.js';
import { podCountsDiffer } from '../workload/pod-counts.js';
import type { ReplicaSetState } from '../workload/workload.js';
import { reconcileReplicaSet, REPLICA_FAILURE } from './reconcile.js';

const manager = 'podledger-replicaset-controller';

/** Makes the pods of each replica set what it asks for. */
export const replicaSetRules: WorkloadRules<'ReplicaSet'> = {
  kind: 'ReplicaSet',
  manager,
  child: 'Pod',
  selectorOf: ({ spec }) => spec.selector,
  isChildChange: podCountsDiffer,
  refused: ({ status }, message, now) => ({
    ...status,
    conditions: withCondition(
      status.conditions ?? [],
      { type: REPLICA_FAILURE, status: 'True', reason: 'FailedCreate', message },
      now,
    ),
  }),
  reconcile(set, { children, now }) {
    const pods = children.filter((child): child is PodState => child.kind === 'Pod');
    const plan = reconcileReplicaSet(set, pods, now);
    const newPod = podOf(set);
    const steps: WorkloadStep[] = [
      ...ownershipSteps(set, plan),
      ...Array.from({ length: plan.add }, () => newPod),
      ...plan.remove.map((object): WorkloadStep => ({
        type: 'Delete',
        object,
        reason: 'ScaledDown',
        propagation: 'Background',
      })),
    ];
    const again = plan.more ? now : plan.availableAt;
    return {
      steps,
      // The counts are told once they are those of the outcome.
      ...(steps.length === 0 && { status: plan.status }),
      ...(again !== undefined && { again }),
    };
  },
};

function podOf(set: ReplicaSetState): WorkloadStep {
  const { meta, spec } = podFromTemplate(set.spec.template);
  return {
    type: 'Create',
    kind: 'Pod',
    meta: {
      generateName: `${set.meta.name}-`,
      ...meta,
      ownerReferences: [controllerReference(set)],
      finalizers: [],
      fieldManager: manager,
      managedFields: [],
    },
    spec,
  };
}
