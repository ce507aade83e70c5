import { aContainer } from '../../../../test/support/builders.js';
import { anAssignedPod, ModelEngine } from '../../../../test/support/model-engine.js';
import { act, actAll, look, running } from '../../../../test/support/model-run.js';
import type { AssignedPod } from '../node/assigned-pod.js';
import type { Container, ContainerRestartRule } from '../pod/pod-spec.js';
import { restartBackOff } from './back-off.js';
import { NO_MEMORY } from './pod-memory.js';
import { restartAction, type Ending } from './restart-rule.js';

const rule = (action: ContainerRestartRule['action'], operator: 'In' | 'NotIn', ...values: number[]) => ({
  action,
  exitCodes: { operator, values },
});

describe('what the end of a container leads to', () => {
  const spec = (over: Partial<Container>, restartPolicy: 'Always' | 'OnFailure' | 'Never' = 'Always') => ({
    restartPolicy,
    containers: [aContainer('app', over)],
    initContainers: [aContainer('init'), aContainer('side', { restartPolicy: 'Always' as const })],
  });

  it.each<[string, Partial<Container>, 'Always' | 'OnFailure' | 'Never', Ending, string]>([
    ['its pod says Always', {}, 'Always', { exitCode: 0 }, 'Restart'],
    ['its pod says Never', {}, 'Never', { exitCode: 1 }, 'None'],
    ['it says OnFailure itself, and failed', { restartPolicy: 'OnFailure' }, 'Never', { exitCode: 1 }, 'Restart'],
    ['it says OnFailure itself, and succeeded', { restartPolicy: 'OnFailure' }, 'Always', { exitCode: 0 }, 'None'],
    [
      'a rule names its code',
      { restartPolicy: 'Never', restartPolicyRules: [rule('Restart', 'In', 3, 4)] },
      'Never',
      { exitCode: 4 },
      'Restart',
    ],
    [
      'no rule names its code',
      { restartPolicy: 'Never', restartPolicyRules: [rule('Restart', 'In', 3)] },
      'Always',
      { exitCode: 5 },
      'None',
    ],
    [
      'the first of two rules counts',
      {
        restartPolicy: 'Never',
        restartPolicyRules: [rule('Restart', 'NotIn', 0, 7), rule('RestartAllContainers', 'NotIn', 0)],
      },
      'Never',
      { exitCode: 7 },
      'RestartAllContainers',
    ],
    [
      'its engine ended it, which no rule speaks of',
      { restartPolicy: 'OnFailure', restartPolicyRules: [rule('RestartAllContainers', 'In', 0)] },
      'Never',
      { exitCode: 0, infrastructure: true },
      'Restart',
    ],
    ['it was stopped to be made anew', {}, 'Never', { exitCode: 0, replaced: true }, 'Restart'],
  ])('%s', (_, over, policy, ending, action) => {
    expect(restartAction(spec(over, policy), 'app', ending)).toBe(action);
  });

  it('is nothing for an init container that succeeded, and always a restart for a sidecar', () => {
    expect(restartAction(spec({}), 'init', { exitCode: 0 })).toBe('None');
    expect(restartAction(spec({}), 'init', { exitCode: 1 })).toBe('Restart');
    expect(restartAction(spec({}, 'Never'), 'side', { exitCode: 0 })).toBe('Restart');
  });
});

describe('a restart of all containers', () => {
  const resets = { restartPolicy: 'Never', restartPolicyRules: [rule('RestartAllContainers', 'In', 88)] } as const;
  const podOf = (over: Partial<Parameters<typeof anAssignedPod>[0]> = {}): AssignedPod =>
    anAssignedPod({
      initContainers: [aContainer('init'), aContainer('side', { restartPolicy: 'Always' })],
      containers: [aContainer('app'), aContainer('watch', resets)],
      policy: 'Never',
      ...over,
    });
  const begun = (pod: AssignedPod): ModelEngine => {
    const engine = running(pod, 0);
    engine.now += 1_000;
    engine.exit('init', 0);
    actAll(engine, pod);
    engine.now += 60_000;
    return engine;
  };

  it.each([true, false])(
    'stops everything in order, then begins from the init containers (shared fate: %s)',
    (sharedFate) => {
      const pod = podOf({ sharedFate });
      const engine = begun(pod);
      engine.exit('watch', 88);
      expect(act(engine, pod)).toEqual(['Stop app 30']);
      expect(act(engine, pod)).toEqual(['Stop side 30']);
      expect(act(engine, pod)).toEqual([]);
      expect(look(engine, pod).nextLookAt).toBe(engine.now + 1_000);
      engine.now += 1_000;
      expect(actAll(engine, pod)).toEqual(['CreateContainer init#1', 'StartContainer init']);
      engine.now += 1_000;
      engine.exit('init', 0);
      expect(actAll(engine, pod)).toEqual([
        'CreateContainer side#1',
        'StartContainer side',
        'CreateContainer app#1',
        'CreateContainer watch#1',
        'StartContainer app',
        'StartContainer watch',
      ]);
      expect(engine.containers.filter(({ role }) => role === 'sandbox')).toHaveLength(1);
    },
  );

  it('is carried to its end by a node that forgot it', () => {
    const pod = podOf();
    const engine = begun(pod);
    engine.exit('watch', 88);
    act(engine, pod);
    engine.memory = NO_MEMORY;
    actAll(engine, pod);
    engine.now += 2_000;
    engine.memory = NO_MEMORY;
    expect(actAll(engine, pod)).toEqual(['CreateContainer init#1', 'StartContainer init']);
  });

  it('runs also those again that had ended for good', () => {
    const pod = podOf({ sharedFate: false });
    const engine = begun(pod);
    engine.exit('app', 0);
    engine.now += 1_000;
    engine.exit('watch', 88);
    actAll(engine, pod);
    engine.now += 1_000;
    actAll(engine, pod);
    engine.exit('init', 0);
    expect(actAll(engine, pod)).toContain('CreateContainer app#1');
  });

  it('is not asked for by a helper that ends with its pod', () => {
    const pod = podOf();
    const engine = begun(pod);
    engine.exit('app', 0);
    engine.now += 1_000;
    engine.exit('watch', 88);
    expect(actAll(engine, pod)).toEqual(['Stop side 30', 'Stop sandbox 0']);
  });

  it('happens again with each end that asks for it', () => {
    const pod = podOf({ annotations: { 'podledger.dev/backoff': 'never' } });
    const engine = begun(pod);
    for (const attempt of [1, 2, 3]) {
      engine.exit('watch', 88);
      engine.now += 1;
      actAll(engine, pod);
      engine.now += 1;
      engine.exit('init', 0);
      expect(actAll(engine, pod)).toContain(`CreateContainer watch#${attempt}`);
      engine.now += 1;
    }
  });
});

describe('an edit under restartPolicy Never', () => {
  it('makes the edited container anew, as Kubernetes does, and the pod with the main one', () => {
    const pod = anAssignedPod({ policy: 'Never' });
    const engine = running(pod);
    const containers = [aContainer('app'), aContainer('helper', { image: 'new:1' })];
    expect(actAll(engine, anAssignedPod({ policy: 'Never', containers }))).toEqual([
      'Stop helper 30',
      'InspectImage new:1',
      'CreateContainer helper#1',
      'StartContainer helper',
    ]);
    const both = [aContainer('app', { image: 'new:1' }), aContainer('helper', { image: 'new:1' })];
    expect(actAll(engine, anAssignedPod({ policy: 'Never', containers: both }))).toEqual(
      expect.arrayContaining(['CreateContainer app#1', 'CreateContainer helper#2']),
    );
  });
});

describe('the back-off that a pod sets', () => {
  const of = (text: string) => restartBackOff({ 'podledger.dev/backoff': text });

  it.each([
    ['never', { firstMs: 0, maxMs: 0, resetMs: 600_000 }],
    ['{"initial": 0.5, "max": 8, "reset": 30}', { firstMs: 500, maxMs: 8_000, resetMs: 30_000 }],
    ['{"reset": "never"}', { firstMs: 1_000, maxMs: 60_000, resetMs: Infinity }],
    ['{"initial": 120}', { firstMs: 120_000, maxMs: 120_000, resetMs: 600_000 }],
    ['nonsense', { firstMs: 1_000, maxMs: 60_000, resetMs: 600_000 }],
  ])('is read from %s', (text, expected) => expect(of(text)).toEqual(expected));

  it('comes before the older annotation', () => {
    const older = { 'podledger.dev/max-restart-back-off-seconds': '2' };
    expect(restartBackOff(older).maxMs).toBe(2_000);
    expect(restartBackOff({ ...older, 'podledger.dev/backoff': '{"max": 5}' }).maxMs).toBe(5_000);
  });

  it('decides when a container runs again', () => {
    const pod = anAssignedPod({
      containers: [aContainer('app')],
      annotations: { 'podledger.dev/backoff': '{"initial": 3, "reset": 60}' },
    });
    const engine = running(pod, 0);
    for (const wait of [3_000, 6_000]) {
      engine.exit('app', 1);
      expect(look(engine, pod).nextLookAt).toBe(engine.now + wait);
      engine.carryOut(pod, look(engine, pod));
      engine.now += wait;
      actAll(engine, pod);
    }
    engine.now += 60_000;
    engine.exit('app', 1);
    expect(look(engine, pod).nextLookAt).toBe(engine.now + 3_000);
  });
});
