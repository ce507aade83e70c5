import { controllerOf, type WorkloadRules } from '../workload/rules.js';
import { DEPLOYMENT_MANAGER, reconcileDeployment } from './reconcile.js';

/** Rolls deployments out, by way of replica sets. */
export const deploymentRules: WorkloadRules<'Deployment'> = {
  kind: 'Deployment',
  manager: DEPLOYMENT_MANAGER,
  child: 'ReplicaSet',
  selectorOf: ({ spec }) => spec.selector,
  // One that is recreated waits for the last pod of the old template to be gone, which no replica set tells.
  alsoConcerned({ kind, before, after }, cluster) {
    const isGone = kind === 'Pod' && before?.kind === 'Pod' && before.meta.uid !== after?.meta.uid;
    const isEnded = after?.kind === 'Pod' && before?.kind === 'Pod' && after.terminated !== before.terminated;
    if (!isGone && !isEnded) return [];
    const set = cluster.objectByUid(controllerOf(before)?.uid ?? '');
    const owner = set && controllerOf(set);
    return owner ? [owner.uid] : [];
  },
  reconcile: reconcileDeployment,
};
