import {
  assignedPod,
  decidePod,
  DEPENDS_ON_ANNOTATION,
  evolvePod,
  podPhase,
  podStream,
  qosClassOf,
  readinessOf,
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

const requested = (
  over: Partial<PodSpec> = {},
  annotations: Record<string, string> = {},
  sharedFate = true,
): PodEvent => ({
  type: 'PodRequested',
  data: {
    ...aMeta({ annotations }),
    spec: aPodSpec({
      initContainers: [aContainer('one'), aContainer('side', { restartPolicy: 'Always' })],
      ...over,
    }),
    mainContainer: 'app',
    sharedFate,
  },
});
const scheduled: PodEvent = { type: 'PodScheduled', data: { uid: 'uid-1', node: 'n1', by: 'scheduler' } };
const sandbox = (attempt = 0): PodEvent => ({
  type: 'PodSandboxStarted',
  data: { attempt, sandboxId: `sandbox-${attempt}`, ip: `172.18.0.${attempt + 2}`, hostIP: '10.0.0.1' },
});
const started = (container: string, attempt = 0, at = EPOCH): PodEvent => ({
  type: 'ContainerStarted',
  data: { container, attempt, containerId: `${container}-${attempt}`, imageId: 'busybox@sha256:1', startedAt: at },
});
const exited = (container: string, exitCode: number, over: JsonObject = {}): PodEvent => ({
  type: 'ContainerExited',
  data: {
    container,
    attempt: 0,
    containerId: `${container}-0`,
    exitCode,
    reason: exitCode === 0 ? 'Completed' : 'Error',
    startedAt: EPOCH,
    finishedAt: EPOCH + 5_000,
    ...over,
  },
});
const initialized: PodEvent = { type: 'PodInitialized', data: {} };
const report = (event: PodEvent): PodCommand => ({
  type: 'ReportFact',
  uid: 'uid-1',
  node: 'n1',
  fact: { id: 'fact', ...event } as PodFact,
});
const types = (events: readonly PodEvent[]): string[] => events.map(({ type }) => type);
const begun = [scheduled, sandbox()];
const status = (state: PodState) =>
  summarizeStatus(state) as {
    readonly conditions: readonly JsonObject[];
    readonly initContainerStatuses: readonly JsonObject[];
    readonly containerStatuses: readonly JsonObject[];
  };
const conditionOf = (state: PodState, type: string): JsonObject | undefined =>
  status(state).conditions.find((condition) => condition['type'] === type);

describe('a pod with init containers', () => {
  it('is not initialized, and says which containers it waits for', () => {
    const state = pod(requested(), ...begun).state();
    expect(conditionOf(state, 'Initialized')).toMatchObject({
      status: 'False',
      reason: 'ContainersNotInitialized',
      message: 'containers with incomplete status: [one side]',
    });
    expect(status(state).containerStatuses).toMatchObject([{ state: { waiting: { reason: 'PodInitializing' } } }]);
    expect(status(state).initContainerStatuses).toMatchObject([
      { name: 'one', ready: false, state: { waiting: { reason: 'PodInitializing' } } },
      { name: 'side', ready: false },
    ]);
    expect(podPhase(state)).toBe('Pending');
  });

  it('is initialized when the last of them has done its work or come up, and from then on', () => {
    const before = [requested(), ...begun, started('one'), exited('one', 0)];
    expect(types(pod(...before).when(report(started('side'))))).toEqual(['ContainerStarted', 'PodInitialized']);
    const after = pod(...before, started('side'), initialized, exited('side', 1)).state();
    expect(conditionOf(after, 'Initialized')).toMatchObject({
      status: 'True',
      lastTransitionTime: '2026-01-01T00:00:06Z',
    });
    expect(status(after).initContainerStatuses).toMatchObject([{ ready: true }, { ready: false }]);
  });

  it('is ready with its sidecars only', () => {
    const all = [requested(), ...begun, started('one'), exited('one', 0), started('side'), initialized, started('app')];
    expect(readinessOf(pod(...all).state())).toEqual({ ready: true });
    expect(readinessOf(pod(...all, exited('side', 1)).state())).toEqual({
      ready: false,
      reason: 'ContainersNotReady',
      message: 'containers with unready status: [side]',
    });
  });

  it('has to be initialized anew in a new sandbox', () => {
    const state = pod(
      requested(),
      ...begun,
      started('one'),
      exited('one', 0),
      started('side'),
      initialized,
      sandbox(1),
    );
    expect(conditionOf(state.state(), 'Initialized')).toMatchObject({ status: 'False' });
    expect(status(state.state()).initContainerStatuses[0]).toMatchObject({
      state: { waiting: { reason: 'PodInitializing' } },
      lastState: { terminated: { exitCode: 0 } },
    });
  });

  it.each([
    ['Never', ['ContainerExited', 'PodTerminated']],
    ['OnFailure', ['ContainerExited']],
    ['Always', ['ContainerExited']],
  ] as const)('under %s, when one fails: %j', (restartPolicy, events) => {
    const failed = pod(requested({ restartPolicy }), ...begun, started('one')).when(report(exited('one', 3)));
    expect(types(failed)).toEqual(events);
    if (restartPolicy === 'Never') expect(failed.at(-1)).toMatchObject({ data: { phase: 'Failed' } });
  });

  it('ends with its main container, once its sidecars have stopped, whatever their codes', () => {
    const all = [requested({ restartPolicy: 'Never' }), ...begun, started('side'), started('app')];
    expect(types(pod(...all).when(report(exited('app', 0))))).toEqual(['ContainerExited']);
    expect(pod(...all, exited('app', 0)).when(report(exited('side', 137)))).toMatchObject([
      { type: 'ContainerExited' },
      { type: 'PodTerminated', data: { phase: 'Succeeded' } },
    ]);
  });

  it('tells its node how often each has run, and the sandbox', () => {
    const state = pod(requested(), scheduled, sandbox(2), started('one', 4)).state();
    expect(assignedPod(state).attempts).toEqual({ '': 2, one: 4 });
  });

  it('counts their requests for its quality of service', () => {
    const resources = { requests: { cpu: '1' } };
    expect(qosClassOf(aPodSpec())).toBe('BestEffort');
    expect(qosClassOf(aPodSpec({ initContainers: [aContainer('one', { resources })] }))).toBe('Burstable');
  });
});

describe('a pod whose containers restart together', () => {
  const rules = {
    restartPolicy: 'Never' as const,
    restartPolicyRules: [
      { action: 'RestartAllContainers' as const, exitCodes: { operator: 'In' as const, values: [88] } },
    ],
  };
  const containers = [aContainer('app'), aContainer('watch', rules)];
  const all = [
    requested({ containers, restartPolicy: 'Never' }, {}, false),
    ...begun,
    started('app'),
    started('watch'),
  ];

  it('has not ended, though nothing of it runs: those that had ended wait again', () => {
    const ended = pod(...all, exited('app', 0)).when(report(exited('watch', 88)));
    expect(types(ended)).toEqual(['ContainerExited']);
    const state = pod(...all, exited('app', 0), exited('watch', 88)).state();
    expect(state.containers['app']).toMatchObject({ waiting: { reason: 'PodInitializing' }, last: { exitCode: 0 } });
    expect(state.containers['watch']).toMatchObject({ terminated: { exitCode: 88 } });
  });

  it('does not end with a container that was stopped for it', () => {
    const stopped = pod(...all, exited('watch', 88)).when(report(exited('app', 143, { replaced: true })));
    expect(types(stopped)).toEqual(['ContainerExited']);
  });
});

describe('a container that waits for another', () => {
  const annotations = { [DEPENDS_ON_ANNOTATION]: '{"app": {"migrate": "Succeeded"}}' };
  const migrate = aContainer('migrate', { restartPolicy: 'Never' });
  const waiting = [
    requested({ initContainers: [], containers: [aContainer('app'), migrate] }, annotations),
    ...begun,
    started('migrate'),
  ];

  it('says for which', () => {
    expect(status(pod(...waiting).state()).containerStatuses[0]).toMatchObject({
      name: 'app',
      state: {
        waiting: { reason: 'WaitingForDependency', message: 'waits for container migrate to be Succeeded' },
      },
    });
  });

  it('fails its pod with the reason when that can never be', () => {
    expect(pod(...waiting).when(report(exited('migrate', 1)))).toMatchObject([
      { type: 'ContainerExited' },
      {
        type: 'PodTerminated',
        data: {
          phase: 'Failed',
          reason: 'DependencyFailed',
          message: 'Container app waits for container migrate to be Succeeded, and that has ended with exit code 1',
        },
      },
    ]);
  });

  it('is not judged by how another ended beside the run before', () => {
    const healthy = { [DEPENDS_ON_ANNOTATION]: '{"app": {"db": "Healthy"}}' };
    const db = aContainer('db', { restartPolicy: 'Never' });
    const ran = [
      requested({ initContainers: [], containers: [aContainer('app'), db] }, healthy),
      ...begun,
      started('db'),
      started('app'),
      exited('db', 1),
      exited('app', 1, { finishedAt: EPOCH + 9_000 }),
    ];
    const backingOff: PodEvent = {
      type: 'ContainerBackingOff',
      data: { container: 'app', attempt: 0, retryAt: EPOCH + 10_000, message: '' },
    };
    expect(types(pod(...ran).when(report(backingOff)))).toEqual(['ContainerBackingOff']);
    expect(types(pod(...ran, backingOff).when(report(started('db', 1, EPOCH + 11_000))))).toEqual(['ContainerStarted']);
  });
});
