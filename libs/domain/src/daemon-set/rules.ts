import { podCountsDiffer } from '../workload/pod-counts.js';
import { controllerOf, type WorkloadRules } from '../workload/rules.js';
import { DAEMON_SET_MANAGER, reconcileDaemonSet } from './reconcile.js';

/** Keeps one pod of each daemon set on every node that fits, also on those that join later. */
export const daemonSetRules: WorkloadRules<'DaemonSet'> = {
  kind: 'DaemonSet',
  manager: DAEMON_SET_MANAGER,
  child: 'Pod',
  selectorOf: ({ spec }) => spec.selector,
  isChildChange: (before, after) =>
    podCountsDiffer(before, after) ||
    (before?.kind === 'Pod' && after?.kind === 'Pod' && before.nodeName !== after.nodeName),
  alsoConcerned({ kind, before, after }, cluster) {
    const revision = after ?? before;
    if (kind === 'ControllerRevision' && revision) return [controllerOf(revision)?.uid ?? ''];
    const was = before?.kind === 'Node' ? before : undefined;
    const is = after?.kind === 'Node' ? after : undefined;
    const isSame =
      was?.meta.labels === is?.meta.labels && was?.taints === is?.taints && was?.meta.deletion === is?.meta.deletion;
    return isSame ? [] : [...cluster.all('DaemonSet')].map(({ meta }) => meta.uid);
  },
  reconcile: reconcileDaemonSet,
};
