import { aContainer } from '../../../../test/support/builders.js';
import { anAssignedPod, ModelEngine, T0 } from '../../../../test/support/model-engine.js';
import { act, actAll, inWords, look, running } from '../../../../test/support/model-run.js';
import type { AssignedPod } from '../node/assigned-pod.js';
import { computePodActions } from './compute-pod-actions.js';
import { observedFacts } from './observed-facts.js';

const MINUTE = 60_000;

describe('co-creation', () => {
  it('sees to images and sandbox at once, makes all containers while the sandbox starts, then starts them together', () => {
    const engine = new ModelEngine();
    const pod = anAssignedPod({
      containers: [aContainer('app', { image: 'a:1' }), aContainer('helper', { image: 'h:1' })],
    });
    expect(act(engine, pod)).toEqual(['InspectImage a:1', 'InspectImage h:1', 'CreateSandbox #0']);
    expect(act(engine, pod)).toEqual(['StartSandbox', 'CreateContainer app#0', 'CreateContainer helper#0']);
    expect(act(engine, pod)).toEqual(['StartContainer app', 'StartContainer helper']);
    expect(look(engine, pod)).toMatchObject({ actions: [], gone: false });
  });

  it('makes no container before every image is there', () => {
    const engine = new ModelEngine();
    const pod = anAssignedPod({
      containers: [aContainer('app', { image: 'a:1' }), aContainer('helper', { image: 'h:1' })],
    });
    engine.images = { 'a:1': { imageId: 'i' }, 'h:1': 'absent' };
    const plan = look(engine, pod);
    expect(plan.actions.map((action) => inWords(action, engine))).toEqual(['PullImage h:1', 'CreateSandbox #0']);
    engine.memory = plan.memory;
    engine.add({
      role: 'sandbox',
      name: '',
      specHash: plan.actions.flatMap((a) => (a.type === 'CreateSandbox' ? a.specHash : []))[0] ?? '',
    });
    expect(act(engine, pod)).toEqual(['StartSandbox']);
    expect(act(engine, pod)).toEqual([]);
  });

  it('waits for the address when a container wants it in its environment', () => {
    const engine = new ModelEngine();
    const env = [{ name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }];
    const pod = anAssignedPod({ containers: [aContainer('app', { env })] });
    act(engine, pod);
    expect(act(engine, pod)).toEqual(['StartSandbox']);
    expect(act(engine, pod)).toEqual(['CreateContainer app#0']);
  });

  it('leaves no container when one cannot be made, keeps the sandbox, and tries again with back-off', () => {
    const engine = new ModelEngine();
    const pod = anAssignedPod();
    engine.uncreatable.add('helper');
    expect(actAll(engine, pod)).toEqual([
      'InspectImage busybox:1',
      'InspectImage busybox:1',
      'CreateSandbox #0',
      'StartSandbox',
      'CreateContainer app#0',
      'CreateContainer helper#0',
      'Remove app#0',
    ]);
    expect(engine.containers.map(({ role, state }) => [role, state])).toEqual([['sandbox', 'running']]);
    expect(look(engine, pod).nextLookAt).toBe(T0 + 1_000);
    engine.now = T0 + 1_000;
    expect(actAll(engine, pod)).toEqual(['CreateContainer app#0', 'CreateContainer helper#0', 'Remove app#0']);
    expect(look(engine, pod).nextLookAt).toBe(T0 + 3_000);
    engine.uncreatable.clear();
    engine.now = T0 + 3_000;
    actAll(engine, pod);
    expect(
      engine
        .running('app')
        .concat(engine.running('helper'))
        .map(({ attempt }) => attempt),
    ).toEqual([0, 0]);
  });

  it('pulls with back-off from ten seconds on, first shown as ErrImagePull, then as ImagePullBackOff', () => {
    const engine = new ModelEngine();
    const pod = anAssignedPod({ containers: [aContainer('app', { image: 'gone:1' })] });
    engine.missing.add('gone:1');
    expect(actAll(engine, pod)).toContain('PullImage gone:1');
    expect(look(engine, pod)).toMatchObject({ facts: [], nextLookAt: T0 + 2_000 });
    engine.now = T0 + 2_000;
    expect(look(engine, pod)).toMatchObject({
      facts: [{ type: 'ImagePullFailed', data: { reason: 'ImagePullBackOff', retryAt: T0 + 10_000 } }],
      nextLookAt: T0 + 10_000,
    });
    engine.now = T0 + 10_000;
    engine.images = {};
    expect(actAll(engine, pod)).toEqual(['InspectImage gone:1', 'PullImage gone:1']);
    expect(look(engine, pod).nextLookAt).toBe(T0 + 12_000);
    engine.now = T0 + 12_000;
    expect(look(engine, pod).nextLookAt).toBe(T0 + 30_000);
  });

  it('tries an edited image at once', () => {
    const engine = new ModelEngine();
    const pod = anAssignedPod({ containers: [aContainer('app', { image: 'gone:1' })] });
    engine.missing.add('gone:1');
    actAll(engine, pod);
    const edited = anAssignedPod({ containers: [aContainer('app', { image: 'there:1' })] });
    expect(actAll(engine, edited)).toEqual(['InspectImage there:1', 'CreateContainer app#0', 'StartContainer app']);
  });

  it('pulls for every start under Always, and never under Never', () => {
    const engine = new ModelEngine();
    const always = anAssignedPod({ containers: [aContainer('app', { imagePullPolicy: 'Always' })] });
    expect(act(engine, always)).toEqual(['PullImage busybox:1', 'CreateSandbox #0']);
    actAll(engine, always);
    engine.exit('app', 1);
    expect(act(engine, always)).toEqual([]);
    engine.now += 1_000;
    expect(act(engine, always)).toEqual(['PullImage busybox:1']);
    const never = anAssignedPod({ containers: [aContainer('app', { imagePullPolicy: 'Never' })] });
    const other = new ModelEngine();
    other.missing.add('busybox:1');
    expect(act(other, never)).toEqual(['InspectImage busybox:1', 'CreateSandbox #0']);
    expect(other.log.some(({ type }) => type === 'PullImage')).toBe(false);
  });

  it('asks for nothing twice: a pull under way is waited for', () => {
    const engine = new ModelEngine();
    const pod = anAssignedPod({ containers: [aContainer('app', { image: 'a:1' })] });
    engine.images = { 'a:1': 'absent' };
    const first = look(engine, pod);
    engine.memory = first.memory;
    expect(look(engine, pod).actions.map(({ type }) => type)).toEqual(['CreateSandbox']);
  });
});

describe('shared fate', () => {
  it('restarts the pod when its main container ends: helpers stop, all are made anew with attempt + 1', () => {
    const pod = anAssignedPod();
    const engine = running(pod);
    engine.exit('app', 1);
    expect(act(engine, pod)).toEqual(['Stop helper 30']);
    expect(act(engine, pod)).toEqual([]);
    engine.now += 1_000;
    expect(actAll(engine, pod)).toEqual([
      'CreateContainer app#1',
      'CreateContainer helper#1',
      'StartContainer app',
      'StartContainer helper',
    ]);
    expect(engine.containers.filter(({ role }) => role === 'sandbox')).toHaveLength(1);
  });

  it('waits 1 s, 2 s, 4 s ... up to 60 s, and says so once per end', () => {
    const pod = anAssignedPod({ containers: [aContainer('app')] });
    const engine = running(pod, 0);
    const waits: number[] = [];
    for (let round = 0; round < 8; round += 1) {
      engine.exit('app', 1);
      const plan = look(engine, pod);
      expect(plan.facts.map(({ type }) => type)).toEqual(['ContainerBackingOff']);
      engine.memory = plan.memory;
      expect(look(engine, pod).facts).toEqual(plan.facts);
      waits.push((plan.nextLookAt ?? 0) - engine.now);
      engine.now = plan.nextLookAt ?? 0;
      actAll(engine, pod);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60].map((seconds) => seconds * 1_000));
    engine.now += 10 * MINUTE;
    engine.exit('app', 1);
    expect(look(engine, pod).nextLookAt).toBe(engine.now + 1_000);
  });

  it('counts on from the attempts that the engine shows when its memory is lost', () => {
    const pod = anAssignedPod({ containers: [aContainer('app')] });
    const engine = running(pod, 0);
    for (let round = 0; round < 3; round += 1) {
      engine.exit('app', 1);
      engine.carryOut(pod, look(engine, pod));
      engine.now += MINUTE;
      actAll(engine, pod);
    }
    engine.exit('app', 1);
    engine.memory = new ModelEngine().memory;
    expect(look(engine, pod).nextLookAt).toBe(engine.now + 8_000);
  });

  it('keeps within the bound that the pod sets', () => {
    const annotations = { 'podledger.dev/max-restart-back-off-seconds': '2' };
    const pod = anAssignedPod({ containers: [aContainer('app')], annotations, attempts: { app: 7 } });
    const engine = running(pod, 0);
    engine.exit('app', 1);
    expect(look(engine, pod).nextLookAt).toBe(engine.now + 2_000);
  });

  it('goes on counting restarts where the log left off when the engine lost everything', () => {
    const engine = new ModelEngine();
    expect(actAll(engine, anAssignedPod({ attempts: { app: 3, helper: 5 } }))).toEqual(
      expect.arrayContaining(['CreateContainer app#4', 'CreateContainer helper#6']),
    );
  });

  it.each([
    ['Never', 1],
    ['Never', 0],
    ['OnFailure', 0],
  ] as const)(
    'under %s, an end of the main container with code %i is the end: helpers are stopped, then the sandbox',
    (policy, code) => {
      const pod = anAssignedPod({ policy });
      const engine = running(pod);
      engine.exit('app', code);
      expect(act(engine, pod)).toEqual(['Stop helper 30']);
      engine.now += 1;
      expect(act(engine, pod)).toEqual(['Stop sandbox 0']);
      expect(act(engine, pod)).toEqual([]);
      expect(engine.containers).toHaveLength(3);
    },
  );

  it('restarts a helper alone, and leaves one that is done', () => {
    const pod = anAssignedPod({ policy: 'OnFailure' });
    const engine = running(pod);
    engine.exit('helper', 1);
    expect(act(engine, pod)).toEqual([]);
    engine.now += 1_000;
    expect(actAll(engine, pod)).toEqual(['CreateContainer helper#1', 'StartContainer helper']);
    engine.exit('helper', 0);
    engine.now += MINUTE;
    expect(act(engine, pod)).toEqual([]);
  });

  it('counts a start that fails as an end', () => {
    const pod = anAssignedPod({ policy: 'Never' });
    const engine = new ModelEngine();
    for (let round = 0; round < 2; round += 1) act(engine, pod);
    const app = engine.containers.find(({ name }) => name === 'app');
    engine.change(app?.id ?? '', { startError: 'no such file', exitCode: 127 });
    engine.change(engine.containers.find(({ name }) => name === 'helper')?.id ?? '', {
      state: 'running',
      startedAt: T0,
    });
    expect(act(engine, pod)).toEqual(['Stop helper 30']);
    expect(observedFacts(pod, engine.containers, engine.memory, '10.0.0.1')).toContainEqual({
      id: `${app?.id}/ContainerExited`,
      type: 'ContainerExited',
      data: expect.objectContaining({ exitCode: 127, reason: 'StartError', message: 'no such file' }),
    });
  });

  it('restarts at once what ended with its engine, under OnFailure too', () => {
    const pod = anAssignedPod({ policy: 'OnFailure' });
    const engine = running(pod);
    for (const { id } of engine.containers) {
      engine.change(id, { state: 'exited', exitCode: 0, finishedAt: engine.now, infrastructureExit: true });
    }
    expect(actAll(engine, pod)).toEqual([
      'CreateSandbox #1',
      'StartSandbox',
      'CreateContainer app#1',
      'CreateContainer helper#1',
      'Remove sandbox#0',
      'StartContainer app',
      'StartContainer helper',
    ]);
  });

  it('makes an edited main container anew with its pod, and an edited helper alone', () => {
    const pod = anAssignedPod();
    const engine = running(pod);
    const helperEdited = anAssignedPod({ containers: [aContainer('app'), aContainer('helper', { image: 'new:1' })] });
    expect(actAll(engine, helperEdited)).toEqual([
      'Stop helper 30',
      'InspectImage new:1',
      'CreateContainer helper#1',
      'StartContainer helper',
    ]);
    const bothEdited = anAssignedPod({
      containers: [aContainer('app', { image: 'new:1' }), aContainer('helper', { image: 'new:1' })],
    });
    expect(actAll(engine, bothEdited)).toEqual([
      'Stop helper 30',
      'Stop app 30',
      'CreateContainer app#1',
      'CreateContainer helper#2',
      'Remove helper#0',
      'StartContainer app',
      'StartContainer helper',
    ]);
  });
});

describe('independent fate', () => {
  const containers = [aContainer('app'), aContainer('helper')];

  it('restarts each container by itself', () => {
    const pod = anAssignedPod({ containers, sharedFate: false });
    const engine = running(pod);
    engine.exit('app', 0);
    expect(act(engine, pod)).toEqual([]);
    engine.now += 1_000;
    expect(actAll(engine, pod)).toEqual(['CreateContainer app#1', 'StartContainer app']);
  });

  it('ends when all have ended for good', () => {
    const pod = anAssignedPod({ containers, sharedFate: false, policy: 'Never' });
    const engine = running(pod);
    engine.exit('app', 0);
    expect(act(engine, pod)).toEqual([]);
    engine.exit('helper', 1);
    expect(act(engine, pod)).toEqual(['Stop sandbox 0']);
  });
});

describe('the sandbox', () => {
  it('is made anew when it died, with everything in it', () => {
    const pod = anAssignedPod();
    const engine = running(pod);
    engine.exit('', 0);
    engine.now += 10;
    expect(act(engine, pod)).toEqual(['Stop app 30', 'Stop helper 30']);
    engine.now += 10;
    expect(actAll(engine, pod)).toEqual([
      'CreateSandbox #1',
      'StartSandbox',
      'CreateContainer app#1',
      'CreateContainer helper#1',
      'Remove sandbox#0',
      'StartContainer app',
      'StartContainer helper',
    ]);
  });

  it('explains the end of its members after the node forgot that it stopped them', () => {
    const pod = anAssignedPod({ policy: 'OnFailure' });
    const engine = running(pod);
    engine.exit('', 0);
    engine.now += 10;
    act(engine, pod);
    engine.containers = engine.containers.map((one) => (one.role === 'app' ? { ...one, exitCode: 0 } : one));
    engine.memory = new ModelEngine().memory;
    const exits = observedFacts(pod, engine.containers, engine.memory, '10.0.0.1').filter(
      ({ type }) => type === 'ContainerExited',
    );
    expect(exits.map(({ data }) => data)).toEqual([
      expect.objectContaining({ container: 'helper', infrastructure: true }),
      expect.objectContaining({ container: 'app', infrastructure: true }),
    ]);
    expect(actAll(engine, pod)).toContain('CreateContainer app#1');
  });

  it('is removed and tried again with back-off when it cannot start', () => {
    const pod = anAssignedPod();
    const engine = new ModelEngine();
    act(engine, pod);
    const sandbox = engine.containers[0];
    engine.change(sandbox?.id ?? '', { startError: 'port is already allocated', exitCode: 128 });
    engine.memory = { ...engine.memory, failures: { sandbox: { count: 1, at: T0, retryAt: T0 + 1_000 } } };
    expect(actAll(engine, pod)).toEqual(['Remove sandbox#0']);
    expect(look(engine, pod).nextLookAt).toBe(T0 + 1_000);
    engine.now += 1_000;
    expect(act(engine, pod)).toEqual(['CreateSandbox #0']);
  });
});

describe('co-termination', () => {
  const deleted = (pod: AssignedPod, requestedAt: number, gracePeriodSeconds = 30): AssignedPod => ({
    ...pod,
    deletion: { requestedAt, gracePeriodSeconds },
  });

  it('asks all to stop at once with what is left of the grace period, then removes all, the volumes last', () => {
    const pod = anAssignedPod();
    const engine = running(pod);
    expect(act(engine, deleted(pod, engine.now - 5_000))).toEqual(['Stop app 25', 'Stop helper 25']);
    expect(act(engine, deleted(pod, engine.now - 5_000))).toEqual([
      'Remove sandbox#0',
      'Remove app#0',
      'Remove helper#0',
    ]);
    expect(act(engine, deleted(pod, engine.now))).toEqual(['RemoveVolumes']);
    expect(look(engine, deleted(pod, engine.now))).toMatchObject({
      actions: [],
      gone: true,
      facts: [{ id: 'uid-1/PodContainersRemoved', type: 'PodContainersRemoved', data: { node: 'n1' } }],
    });
  });

  it('asks again only when the grace period shrinks', () => {
    const pod = anAssignedPod();
    const engine = running(pod);
    const first = look(engine, deleted(pod, engine.now));
    engine.memory = first.memory;
    engine.now += 3_000;
    const asked = engine.now - 3_000;
    expect(look(engine, deleted(pod, asked)).actions).toEqual([]);
    const shorter = look(engine, deleted(pod, asked, 10)).actions;
    expect(shorter.map((action) => inWords(action, engine))).toEqual(['Stop app 7', 'Stop helper 7']);
    expect(look(engine, deleted(pod, asked, 60)).actions).toEqual([]);
  });

  it('removes no container before the log has its exit', () => {
    const pod = anAssignedPod();
    const engine = running(pod);
    act(engine, deleted(pod, engine.now));
    engine.settled = new Set([engine.containers.find(({ name }) => name === 'helper')?.id ?? '']);
    const plan = look(engine, deleted(pod, engine.now));
    expect(plan.actions.map((action) => inWords(action, engine))).toEqual(['Remove sandbox#0', 'Remove helper#0']);
  });

  it('takes away a pod that is being made, and makes nothing more of it', () => {
    const pod = anAssignedPod();
    const engine = new ModelEngine();
    act(engine, pod);
    act(engine, pod);
    expect(act(engine, deleted(pod, T0))).toEqual(['Remove sandbox#0', 'Remove app#0', 'Remove helper#0']);
  });

  it('keeps the dead containers of a pod that has ended until it is deleted', () => {
    const pod = { ...anAssignedPod(), terminated: true };
    const engine = running(anAssignedPod());
    engine.exit('app', 0);
    engine.now += 1;
    expect(actAll(engine, pod)).toEqual(['Stop helper 30', 'Stop sandbox 0']);
    expect(engine.containers).toHaveLength(3);
  });
});

describe('what is kept', () => {
  it('keeps the run before for its output, and older ones until the log has their exit', () => {
    const pod = anAssignedPod({ containers: [aContainer('app')] });
    const engine = running(pod);
    for (const _ of [1, 2]) {
      engine.exit('app', 1);
      act(engine, pod);
      engine.now += MINUTE;
      actAll(engine, pod);
    }
    expect(engine.containers.filter(({ name }) => name === 'app').map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  it('refuses on the node what does not fit: nothing is made, and the log is told', () => {
    const engine = new ModelEngine();
    const refusal = { reason: 'OutOfcpu', message: 'too much' } as const;
    const plan = computePodActions({ ...engine.input(anAssignedPod()), refusal });
    expect(plan).toMatchObject({
      actions: [],
      facts: [{ type: 'PodRefusedByNode', data: refusal }],
      holdsResources: false,
    });
  });
});
