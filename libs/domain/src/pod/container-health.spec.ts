import {
  assignedPod,
  decidePod,
  evolvePod,
  podPhase,
  podStream,
  summarizeStatus,
  type JsonObject,
  type PodCommand,
  type PodEvent,
  type PodFact,
  type PodSpec,
  type PodState,
} from '#domain';
import { aContainer, aMeta, aPodSpec } from '../../../../test/support/builders.js';
import { EPOCH, given } from '../../../../test/support/given.js';

const pod = given<PodCommand, PodEvent, PodState>({
  stream: podStream('shop', 'web'),
  decide: decidePod,
  evolve: evolvePod,
});
const exec = { exec: { command: ['check'] } };
const run = { container: 'app', containerId: 'app-0' };

/** A pod on its node whose containers run, as far as their processes go. */
const running = (over: Partial<PodSpec>): PodEvent[] => {
  const spec = aPodSpec(over);
  return [
    { type: 'PodRequested', data: { ...aMeta(), spec, mainContainer: 'app', sharedFate: true } },
    { type: 'PodScheduled', data: { uid: 'uid-1', node: 'n1', by: 'scheduler' } },
    { type: 'PodSandboxStarted', data: { attempt: 0, sandboxId: 's', ip: '172.18.0.2', hostIP: '10.0.0.1' } },
    ...spec.containers.map(({ name }): PodEvent => ({
      type: 'ContainerStarted',
      data: { container: name, attempt: 0, containerId: `${name}-0`, imageId: 'i', startedAt: EPOCH },
    })),
  ];
};
const report = (event: PodEvent): PodCommand => ({
  type: 'ReportFact',
  uid: 'uid-1',
  node: 'n1',
  fact: { id: 'fact', ...event } as PodFact,
});
const startedUp: PodEvent = { type: 'ContainerStartupSucceeded', data: run };
const posted: PodEvent = { type: 'PostStartHookSucceeded', data: run };
const readiness = (ready: boolean): PodEvent => ({ type: 'ContainerReadinessChanged', data: { ...run, ready } });
const ready: PodEvent = { type: 'PodBecameReady', data: {} };
const unready = (reason = 'ContainersNotReady', message = 'containers with unready status: [app]'): PodEvent => ({
  type: 'PodBecameUnready',
  data: { reason, message },
});
const statusOf = (...events: PodEvent[]): JsonObject => {
  const [status] = summarizeStatus(pod(...events).state())['containerStatuses'] as readonly JsonObject[];
  return status ?? {};
};

const all = {
  containers: [
    aContainer('app', {
      startupProbe: exec,
      readinessProbe: exec,
      livenessProbe: exec,
      lifecycle: { postStart: exec },
    }),
  ],
};

describe('a container with a hook and probes', () => {
  it('runs only after its postStart hook, and starts only after its startup probe', () => {
    const begun = running(all);
    expect(podPhase(pod(...begun).state())).toBe('Pending');
    expect(statusOf(...begun)).toMatchObject({
      state: { waiting: { reason: 'ContainerCreating' } },
      started: false,
      ready: false,
    });
    expect(podPhase(pod(...begun, posted).state())).toBe('Running');
    expect(statusOf(...begun, posted)).toMatchObject({ state: { running: {} }, started: false, ready: false });
    expect(statusOf(...begun, posted, startedUp)).toMatchObject({ started: true, ready: false });
    expect(statusOf(...begun, posted, startedUp, readiness(true))).toMatchObject({ started: true, ready: true });
  });

  it('makes its pod ready when its readiness probe says so, and unready again', () => {
    const begun = [...running(all), posted, startedUp];
    expect(pod(...begun).when(report(readiness(true)))).toEqual([readiness(true), ready]);
    const up = [...begun, readiness(true), ready];
    expect(pod(...up).when(report(readiness(false)))).toEqual([readiness(false), unready()]);
    expect(pod(...up, readiness(false), unready()).when(report(readiness(true)))).toEqual([readiness(true), ready]);
  });

  it('is believed once, of its present run only', () => {
    const begun = [...running(all), posted, startedUp, readiness(true), ready];
    for (const known of [posted, startedUp, readiness(true)]) expect(pod(...begun).when(report(known))).toEqual([]);
    const other = { container: 'app', containerId: 'app-7' };
    expect(pod(...begun).when(report({ type: 'ContainerReadinessChanged', data: { ...other, ready: false } }))).toEqual(
      [],
    );
  });

  it('begins anew with every run', () => {
    const exited: PodEvent = {
      type: 'ContainerExited',
      data: { ...run, attempt: 0, exitCode: 1, reason: 'Error', finishedAt: EPOCH + 1 },
    };
    const again: PodEvent = {
      type: 'ContainerStarted',
      data: { container: 'app', attempt: 1, containerId: 'app-1', imageId: 'i', startedAt: EPOCH + 2 },
    };
    const events = [...running(all), posted, startedUp, readiness(true), ready, exited, unready(), again];
    expect(statusOf(...events)).toMatchObject({ started: false, ready: false, restartCount: 1 });
    expect(podPhase(pod(...events).state())).toBe('Running');
  });

  it('that fails its probe for good has failed, whatever its exit code, though its node should forget why', () => {
    const verdict: PodEvent = {
      type: 'ContainerProbeFailed',
      data: { ...run, probe: 'liveness', message: 'dead', count: 3, condemned: true },
    };
    const exited: PodEvent = {
      type: 'ContainerExited',
      data: { ...run, attempt: 0, exitCode: 0, reason: 'Completed', finishedAt: EPOCH + 1 },
    };
    const once = [
      ...running({ containers: [aContainer('app', { livenessProbe: exec })], restartPolicy: 'Never' }),
      ready,
    ];
    expect(pod(...once, verdict).when(report(exited))).toContainEqual({
      type: 'PodTerminated',
      data: { phase: 'Failed' },
    });
    expect(pod(...once).when(report(exited))).toContainEqual({ type: 'PodTerminated', data: { phase: 'Succeeded' } });
  });

  it('is told to the agent that takes over its node', () => {
    const events = [...running(all), posted, startedUp, readiness(true), ready];
    expect(assignedPod(pod(...events).state()).reported).toEqual({
      'app-0': { hooked: true, started: true, ready: true },
    });
    expect(assignedPod(pod(...running({})).state()).reported).toBeUndefined();
  });
});

describe('readiness gates', () => {
  const gates = { readinessGates: [{ conditionType: 'example.org/open' }] };
  const missing = 'corresponding condition of pod readiness gate "example.org/open" does not exist.';
  const setTo = (status: string, { meta, spec }: PodState): PodCommand => ({
    type: 'ChangePod',
    desired: { labels: meta.labels, annotations: meta.annotations, ownerReferences: [], finalizers: [], spec },
    status: { conditions: [{ type: 'example.org/open', status }] },
    preconditions: {},
    fieldManager: 'test',
    operation: 'Update',
    managedFields: [],
  });

  it('hold back the pod and not its containers', () => {
    const [requested, ...rest] = running(gates);
    const last = rest.pop();
    if (!requested || !last) throw new Error('the pod has no events');
    expect(pod(requested, ...rest).when(report(last))).toEqual([last, unready('ReadinessGatesNotReady', missing)]);
    const state = pod(requested, ...rest, last, unready('ReadinessGatesNotReady', missing)).state();
    expect(state.conditions['ContainersReady']?.status).toBe('True');
    expect(state.conditions['Ready']).toMatchObject({ status: 'False', reason: 'ReadinessGatesNotReady' });
  });

  it('open and close as clients set their conditions', () => {
    const waiting = [...running(gates), unready('ReadinessGatesNotReady', missing)];
    const opened = pod(...waiting).when(setTo('True', pod(...waiting).state()));
    expect(opened.map(({ type }) => type)).toEqual(['PodChanged', 'PodBecameReady']);
    const open = [...waiting, ...opened];
    const closed = pod(...open).when(setTo('False', pod(...open).state()));
    const why = 'the status of pod readiness gate "example.org/open" is not "True", but False';
    expect(closed.slice(1)).toEqual([unready('ReadinessGatesNotReady', why)]);
    expect(pod(...open, ...closed).state().conditions['ContainersReady']?.status).toBe('True');
  });

  it('say nothing while the containers are not ready', () => {
    const events = running({ ...gates, containers: [aContainer('app', { readinessProbe: exec })] });
    const set = pod(...events).when(setTo('True', pod(...events).state()));
    expect(set.map(({ type }) => type)).toEqual(['PodChanged']);
    expect(pod(...events, ...set).when(report(readiness(true)))).toEqual([readiness(true), ready]);
  });
});
