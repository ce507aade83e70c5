import { refOf, tolerates, type AppendCommand, type Lease, type PodState, type Recorded } from '#domain';
import { SCHEDULER_LEASE, type LogState } from '#eventlog';
import type { LoggedCommand, Oracle } from './oracle.js';
import { wrap } from './wrap.js';
import type { Verdicts } from './verdicts.js';

const CORDON = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' } as const;

/** The log, watched: what it takes from a scheduler, it takes from the newest one. */
export function watchLeases(log: LogState, verdicts: Verdicts): LogState {
  let newest = 0;
  return wrap(log, {
    acquireLease: (name: string, holder: string, ttlMs: number): Lease | undefined => {
      const lease = log.acquireLease(name, holder, ttlMs);
      if (name === SCHEDULER_LEASE && lease) newest = Math.max(newest, lease.epoch);
      return lease;
    },
    append: (command: AppendCommand) => {
      const appended = log.append(command);
      const { schedulerEpoch: epoch } = command;
      verdicts.check(
        epoch === undefined || epoch === newest || appended.duplicate,
        'one scheduler at a time',
        () => `${command.commandId} of epoch ${epoch} was taken while ${newest} had begun`,
      );
      return appended;
    },
  });
}

/**
 * What must be true at the moment a command enters the log, whatever state it was decided on: the guards and versions of
 * commands exist for this.
 */
export class CommitInvariants {
  constructor(private readonly verdicts: Verdicts) {}

  onCommand(oracle: Oracle, { events }: LoggedCommand): void {
    for (const event of events) {
      if (event.actor.kind === 'node') this.onWordOfNode(oracle, event);
      switch (event.type) {
        case 'PodRequested':
        case 'ReplicaSetRequested':
        case 'DeploymentRequested':
        case 'JobRequested':
        case 'CronJobRequested':
          this.onRequest(oracle, event);
          break;
        case 'NamespaceDeleted':
          this.onNamespaceGone(oracle, event);
          break;
        case 'PodScheduled':
          if (event.data['by'] === 'scheduler') this.onPlacement(oracle, event);
          break;
        case 'PodTerminated':
          if (event.data['reason'] === 'NodeLost') this.onGivenUp(oracle, event);
          break;
        default:
      }
    }
  }

  /** Nothing begins in a namespace that is not there, or is going. */
  private onRequest({ state }: Oracle, { stream, revision }: Recorded): void {
    const { namespace } = refOf(stream);
    const home = state.namespace(namespace);
    this.verdicts.check(
      home !== undefined && home.meta.deletion === undefined,
      'nothing begins in a namespace that is going',
      () => `${stream} was made at revision ${revision}; the namespace is ${home ? 'terminating' : 'not there'}`,
    );
  }

  private onNamespaceGone({ state }: Oracle, { stream }: Recorded): void {
    const left = state.inNamespace(refOf(stream).name);
    this.verdicts.check(left.length === 0, 'a namespace goes when it is empty', () => {
      return `${stream} went, and left ${left.map(({ kind, meta }) => `${kind} ${meta.name}`).join(', ')}`;
    });
  }

  /** The scheduler places pods on nodes that can take them. */
  private onPlacement(oracle: Oracle, event: Recorded): void {
    const pod = podOf(oracle, event);
    const node = oracle.state.node(String(event.data['node']));
    if (!pod) return;
    const isOpen = !node?.unschedulable || (pod.spec.tolerations ?? []).some((one) => tolerates(one, CORDON));
    this.verdicts.check(
      node !== undefined && node.ready.status === 'True' && !node.lost && isOpen && !node.meta.deletion,
      'pods are placed on nodes that take them',
      () => `${event.stream} was placed on ${node?.meta.name} (${node?.ready.status}) at revision ${event.revision}`,
    );
  }

  /** A pod is given up behind a fence only: its node is on record as lost, or is gone. */
  private onGivenUp(oracle: Oracle, event: Recorded): void {
    const node = oracle.state.node(podOf(oracle, event)?.nodeName ?? '');
    this.verdicts.check(node === undefined || node.lost, 'pods are given up behind a fence', () => {
      return `${event.stream} was given up at revision ${event.revision} while ${node?.meta.name} was not lost`;
    });
  }

  /** A node speaks of its own pods only, and of none that is gone. */
  private onWordOfNode(oracle: Oracle, event: Recorded): void {
    if (!event.stream.startsWith('core/pods/')) return;
    const pod = podOf(oracle, event);
    this.verdicts.check(
      pod === undefined || pod.nodeName === event.actor.name,
      'a node speaks of its own pods',
      () => `${event.actor.name} said ${event.type} of ${event.stream}, which is bound to ${pod?.nodeName}`,
    );
  }
}

function podOf({ state }: Oracle, { stream }: Recorded): PodState | undefined {
  const object = state.get(stream);
  return object?.kind === 'Pod' ? object : undefined;
}
