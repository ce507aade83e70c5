import {
  decidePod,
  DomainError,
  evolvePod,
  isReady,
  podPhase,
  podStream,
  type PlacementRecord,
  type PodCommand,
  type PodEvent,
  type PodFact,
  type PodState,
  summarizeStatus,
} from '#domain';
import { aContainer, aMeta, aPodSpec } from '../../../../test/support/builders.js';
import { EPOCH, given } from '../../../../test/support/given.js';

const pod = given<PodCommand, PodEvent, PodState>({
  stream: podStream('shop', 'web'),
  decide: decidePod,
  evolve: evolvePod,
});

const requested = (over: Partial<Parameters<typeof aPodSpec>[0]> = {}, meta = aMeta()): PodEvent => {
  const spec = aPodSpec(over);
  return {
    type: 'PodRequested',
    data: { ...meta, spec, mainContainer: spec.containers[0]?.name ?? '', sharedFate: true },
  };
};
const twoContainers = { containers: [aContainer('app'), aContainer('helper')] };
const scheduled: PodEvent = { type: 'PodScheduled', data: { uid: 'uid-1', node: 'n1', by: 'scheduler' } };
const sandbox: PodEvent = {
  type: 'PodSandboxStarted',
  data: { attempt: 0, sandboxId: 'sandbox-0', ip: '172.18.0.2', hostIP: '10.0.0.1' },
};
const started = (container = 'app', attempt = 0): PodEvent => ({
  type: 'ContainerStarted',
  data: { container, attempt, containerId: `${container}-${attempt}`, imageId: 'busybox@sha256:1', startedAt: EPOCH },
});
const exited = (container: string, exitCode: number, attempt = 0, infrastructure = false): PodEvent => ({
  type: 'ContainerExited',
  data: {
    container,
    attempt,
    containerId: `${container}-${attempt}`,
    exitCode,
    reason: exitCode === 0 ? 'Completed' : 'Error',
    finishedAt: EPOCH + 5000,
    ...(infrastructure && { infrastructure }),
  },
});
const ready: PodEvent = { type: 'PodBecameReady', data: {} };
const report = (event: PodEvent, over: { uid?: string; node?: string } = {}): PodCommand => ({
  type: 'ReportFact',
  uid: 'uid-1',
  node: 'n1',
  ...over,
  fact: { id: 'fact', ...event } as PodFact,
});
const terminate = (over: Partial<Extract<PodCommand, { type: 'TerminatePod' }>> = {}): PodCommand => ({
  type: 'TerminatePod',
  preconditions: {},
  propagation: 'Background',
  reason: 'Requested',
  nodeReady: true,
  ...over,
});
const types = (events: readonly PodEvent[]): string[] => events.map(({ type }) => type);
const refusal = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (error instanceof DomainError) return error.reason;
    throw error;
  }
  return 'not refused';
};

describe('requesting a pod', () => {
  const command: PodCommand = {
    type: 'RequestPod',
    namespace: 'shop',
    name: 'web',
    meta: aMeta(),
    spec: aPodSpec(twoContainers),
  };

  it('fixes the main container: the first, or the one the annotation names', () => {
    const named = { ...command, meta: aMeta({ annotations: { 'kubectl.kubernetes.io/default-container': 'helper' } }) };
    expect(pod().when(command)).toMatchObject([{ data: { mainContainer: 'app', sharedFate: true } }]);
    expect(pod().when(named)).toMatchObject([{ data: { mainContainer: 'helper' } }]);
  });

  it('takes Kubernetes own rule when the annotation asks for independent fate', () => {
    const independent = { ...command, meta: aMeta({ annotations: { 'podledger.dev/fate': 'independent' } }) };
    expect(pod().when(independent)).toMatchObject([{ data: { sharedFate: false } }]);
  });

  it('binds at once when the spec names a node', () => {
    expect(types(pod().when({ ...command, spec: aPodSpec({ nodeName: 'n7' }) }))).toEqual([
      'PodRequested',
      'PodScheduled',
    ]);
  });

  it('is refused while a pod of that name lives, and allowed after it went', () => {
    expect(refusal(() => pod(requested()).when(command))).toBe('AlreadyExists');
    const gone: PodEvent = { type: 'PodDeleted', data: { uid: 'uid-0', reason: 'Requested' } };
    expect(types(pod(requested(), gone).when(command))).toEqual(['PodRequested']);
  });
});

describe('binding', () => {
  const bind = (node: string): PodCommand => ({ type: 'SchedulePod', node, by: 'scheduler', uid: 'uid-1' });

  it('happens once: a uid is bound to one node for ever', () => {
    expect(refusal(() => pod(requested(), scheduled).when(bind('n2')))).toBe('Conflict');
  });

  it('is refused for another uid, a pod being deleted, and a gated pod', () => {
    const finalizers = ['a.example/hold'];
    expect(refusal(() => pod(requested()).when({ ...bind('n1'), uid: 'uid-2' } as PodCommand))).toBe('Conflict');
    const deleting = pod(requested({}, aMeta({ finalizers })), {
      type: 'PodTerminationRequested',
      data: { gracePeriodSeconds: 0, propagation: 'Background', reason: 'Requested' },
    });
    expect(refusal(() => deleting.when(bind('n1')))).toBe('Conflict');
    expect(refusal(() => pod(requested({ schedulingGates: [{ name: 'wait' }] })).when(bind('n1')))).toBe('Conflict');
  });
});

describe('a refusal to place', () => {
  const record = (reason: string, count: number): PlacementRecord => ({
    asOf: 1,
    policy: 'spread',
    policyHash: 'h',
    queuePosition: 0,
    batch: 1,
    now: EPOCH,
    nodesConsidered: count,
    refused: { NodeResourcesFit: { [reason]: count } },
    named: [],
  });
  const refuse = (reason: string, count: number, now: number): PodCommand => ({
    type: 'RecordUnschedulable',
    uid: 'uid-1',
    message: 'no',
    record: record(reason, count),
    now,
  });
  const refused: PodEvent = {
    type: 'PodUnschedulable',
    data: { uid: 'uid-1', message: 'no', record: record('Insufficient cpu', 3) },
  };
  const at = EPOCH + 1000;

  it('is recorded when the set of reasons changes', () => {
    expect(pod(requested(), refused).when(refuse('Insufficient memory', 3, at + 1))).toHaveLength(1);
  });

  it('is not recorded again within a minute when only counts change', () => {
    expect(pod(requested(), refused).when(refuse('Insufficient cpu', 4, at + 59_999))).toEqual([]);
    expect(pod(requested(), refused).when(refuse('Insufficient cpu', 4, at + 60_000))).toHaveLength(1);
  });
});

describe('facts from the node', () => {
  it('make the pod ready when all containers run', () => {
    const events = pod(requested(twoContainers), scheduled, sandbox, started('app')).when(report(started('helper')));
    expect(types(events)).toEqual(['ContainerStarted', 'PodBecameReady']);
  });

  it('are recorded once, however often they are repeated', () => {
    const history = [requested(), scheduled, sandbox, started(), ready, exited('app', 1)];
    for (const fact of [sandbox, started(), exited('app', 1)]) expect(pod(...history).when(report(fact))).toEqual([]);
  });

  it('of an earlier attempt are dropped', () => {
    expect(pod(requested(), scheduled, sandbox, started('app', 3)).when(report(exited('app', 1, 2)))).toEqual([]);
  });

  it('of another node or another uid change nothing', () => {
    expect(pod(requested(), scheduled).when(report(sandbox, { node: 'n2' }))).toEqual([]);
    expect(pod(requested(), scheduled).when(report(sandbox, { uid: 'uid-2' }))).toEqual([]);
    expect(pod().when(report(sandbox))).toEqual([]);
  });

  it('tell when readiness is lost', () => {
    const events = pod(requested(), scheduled, sandbox, started(), ready).when(report(exited('app', 1)));
    expect(types(events)).toEqual(['ContainerExited', 'PodBecameUnready']);
  });

  it('that refuse the pod fail it with the node its reason', () => {
    const refused: PodEvent = { type: 'PodRefusedByNode', data: { reason: 'OutOfcpu', message: 'full' } };
    expect(pod(requested(), scheduled).when(report(refused))).toEqual([
      refused,
      { type: 'PodTerminated', data: { phase: 'Failed', reason: 'OutOfcpu', message: 'full' } },
    ]);
  });
});

describe('the end of a pod', () => {
  const running = (policy: 'Always' | 'OnFailure' | 'Never'): PodEvent[] => [
    requested({ ...twoContainers, restartPolicy: policy }),
    scheduled,
    sandbox,
    started('app'),
    started('helper'),
    ready,
  ];

  it('comes when the main container ended for good and the helper has been stopped', () => {
    const mainEnded = [...running('Never'), exited('app', 137)];
    expect(types(pod(...running('Never')).when(report(exited('app', 137))))).toEqual([
      'ContainerExited',
      'PodBecameUnready',
    ]);
    expect(
      pod(...mainEnded)
        .when(report(exited('helper', 0)))
        .at(-1),
    ).toEqual({ type: 'PodTerminated', data: { phase: 'Failed' } });
  });

  it('is the main container its end, whatever the helpers codes', () => {
    const events = pod(...running('Never'), exited('app', 0)).when(report(exited('helper', 143)));
    expect(events.at(-1)).toEqual({ type: 'PodTerminated', data: { phase: 'Succeeded' } });
  });

  it.each([
    ['Always', 0, false],
    ['OnFailure', 1, false],
    ['OnFailure', 0, true],
  ] as const)('does not come under %s after exit %i (infrastructure: %s)', (policy, code, infrastructure) => {
    const history = [...running(policy), exited('app', code, 0, infrastructure)];
    expect(types(pod(...history).when(report(exited('helper', 0))))).not.toContain('PodTerminated');
  });

  it('is never a success when the engine took the container down', () => {
    const history = [...running('Never'), exited('app', 0, 0, true)];
    expect(
      pod(...history)
        .when(report(exited('helper', 0)))
        .at(-1),
    ).toMatchObject({ data: { phase: 'Failed' } });
  });

  it('stays: a phase never goes back', () => {
    const ended: PodEvent = { type: 'PodTerminated', data: { phase: 'Failed' } };
    const history = [...running('Never'), exited('app', 1), exited('helper', 0), ended];
    expect(types(pod(...history).when(report(started('app', 1))))).not.toContain('PodBecameReady');
    expect(podPhase(pod(...history, started('app', 1)).state())).toBe('Failed');
  });
});

describe('deleting a pod', () => {
  it('removes an unscheduled pod at once', () => {
    expect(types(pod(requested()).when(terminate()))).toEqual(['PodTerminationRequested', 'PodDeleted']);
  });

  it('gives a scheduled pod its grace and waits for the node', () => {
    const events = pod(requested(), scheduled).when(terminate());
    expect(events).toMatchObject([{ type: 'PodTerminationRequested', data: { gracePeriodSeconds: 30 } }]);
    const removed: PodEvent = { type: 'PodContainersRemoved', data: { node: 'n1' } };
    expect(types(pod(requested(), scheduled, ...events).when(report(removed)))).toEqual([
      'PodContainersRemoved',
      'PodDeleted',
    ]);
  });

  it('may only shorten the grace', () => {
    const asked = pod(requested(), scheduled).when(terminate({ gracePeriodSeconds: 10 }));
    expect(pod(requested(), scheduled, ...asked).when(terminate({ gracePeriodSeconds: 20 }))).toEqual([]);
    expect(
      pod(requested(), scheduled, ...asked).after(terminate({ gracePeriodSeconds: 2 }))?.meta.deletion,
    ).toMatchObject({
      gracePeriodSeconds: 2,
    });
  });

  it('with grace 0 waits for a node that answers and not for one that does not', () => {
    const now = { gracePeriodSeconds: 0 };
    expect(types(pod(requested(), scheduled).when(terminate(now)))).toEqual(['PodTerminationRequested']);
    expect(types(pod(requested(), scheduled).when(terminate({ ...now, nodeReady: false })))).toEqual([
      'PodTerminationRequested',
      'PodDeleted',
    ]);
  });

  it('takes a negative grace for one second', () => {
    expect(pod(requested(), scheduled).when(terminate({ gracePeriodSeconds: -4 }))).toMatchObject([
      { data: { gracePeriodSeconds: 1 } },
    ]);
  });

  it.each(['Foreground', 'Orphan'] as const)(
    '%s waits for the garbage reconcile, also where nothing runs',
    (propagation) => {
      const asked = pod(requested()).when({
        type: 'TerminatePod',
        preconditions: {},
        propagation,
        reason: 'Requested',
        nodeReady: false,
      });
      expect(asked.map(({ type }) => type)).toEqual(['PodTerminationRequested']);
      const going = pod(requested(), ...asked);
      const { meta, spec } = going.state();
      const mark = propagation === 'Foreground' ? 'foregroundDeletion' : 'orphan';
      expect(meta.finalizers).toEqual([mark]);
      const desired = { labels: meta.labels, annotations: meta.annotations, ownerReferences: [], finalizers: [], spec };
      const released = going.when({
        type: 'ChangePod',
        desired: { ...desired, spec: { ...spec } },
        preconditions: {},
        fieldManager: 'podledger-garbage-collector',
        operation: 'Update',
        managedFields: [],
      });
      expect(released.map(({ type }) => type)).toEqual(['PodChanged', 'PodDeleted']);
    },
  );

  it('waits for the last finalizer', () => {
    const held = requested({}, aMeta({ finalizers: ['a.example/hold'] }));
    const asked = pod(held).when(terminate());
    expect(types(asked)).toEqual(['PodTerminationRequested']);
    const { meta, spec } = pod(held, ...asked).state();
    const release: PodCommand = {
      type: 'ChangePod',
      desired: { labels: meta.labels, annotations: meta.annotations, ownerReferences: [], finalizers: [], spec },
      preconditions: {},
      fieldManager: 'test',
      operation: 'Update',
      managedFields: [],
    };
    expect(types(pod(held, ...asked).when(release))).toEqual(['PodChanged', 'PodDeleted']);
  });

  it('heeds preconditions', () => {
    expect(refusal(() => pod(requested()).when(terminate({ preconditions: { uid: 'another' } })))).toBe('Conflict');
    expect(refusal(() => pod(requested()).when(terminate({ preconditions: { resourceVersion: '9' } })))).toBe(
      'Conflict',
    );
  });

  it('of a lost node ends it as Failed and lets it go when it was being deleted', () => {
    const giveUp: PodCommand = { type: 'GiveUpPod', uid: 'uid-1', reason: 'NodeLost', message: 'node n1 is lost' };
    expect(types(pod(requested(), scheduled).when(giveUp))).toEqual(['PodTerminated']);
    const asked = pod(requested(), scheduled).when(terminate());
    expect(types(pod(requested(), scheduled, ...asked).when(giveUp))).toEqual(['PodTerminated', 'PodDeleted']);
  });
});

describe('what clients see', () => {
  it('resourceVersion moves with the wire form only', () => {
    const before = pod(requested(), scheduled).state();
    const progress: PodEvent = {
      type: 'ImagePullProgressed',
      data: { container: 'app', image: 'busybox:1', bytesDone: 1, bytesTotal: 2 },
    };
    expect(pod(requested(), scheduled, progress).state().meta.resourceVersion).toBe(before.meta.resourceVersion);
    expect(pod(requested(), scheduled, progress, sandbox).state().meta.resourceVersion).toBe(4);
  });

  it('a crash loop: waiting now, terminated before, and the count of restarts', () => {
    const backOff: PodEvent = {
      type: 'ContainerBackingOff',
      data: { container: 'app', attempt: 1, retryAt: EPOCH + 9000, message: 'back-off 2s' },
    };
    const state = pod(
      requested(),
      scheduled,
      sandbox,
      started(),
      exited('app', 1),
      started('app', 1),
      exited('app', 2, 1),
      backOff,
    ).state();
    expect(summarizeStatus(state)).toMatchObject({
      phase: 'Running',
      containerStatuses: [
        {
          restartCount: 1,
          ready: false,
          state: { waiting: { reason: 'CrashLoopBackOff' } },
          lastState: { terminated: { exitCode: 2, containerID: 'docker://app-1' } },
        },
      ],
    });
    expect(isReady(state)).toBe(false);
  });

  it('the phase is Pending until every container has run once', () => {
    expect(podPhase(pod(requested(twoContainers), scheduled, sandbox, started('app')).state())).toBe('Pending');
    expect(podPhase(pod(requested(twoContainers), scheduled, sandbox, started('app'), started('helper')).state())).toBe(
      'Running',
    );
  });

  it('transition times move with the status, not with every event', () => {
    const state = pod(requested(), scheduled, sandbox, started(), ready, sandbox).state();
    expect(state.conditions['Initialized']?.lastTransitionAt).toBe(EPOCH + 2000);
    expect(state.conditions['Ready']?.lastTransitionAt).toBe(EPOCH + 4000);
  });
});
