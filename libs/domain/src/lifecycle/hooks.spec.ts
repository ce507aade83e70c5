import { aContainer } from '../../../../test/support/builders.js';
import { anAssignedPod, ModelEngine } from '../../../../test/support/model-engine.js';
import { act, actAll, look, running } from '../../../../test/support/model-run.js';
import type { AssignedPod } from '../node/assigned-pod.js';
import type { Lifecycle, Probe } from '../pod/handlers.js';
import type { ContainerHealth } from '../probes/container-probes.js';
import { observedFacts } from './observed-facts.js';
import { NO_MEMORY } from './pod-memory.js';

const exec = { exec: { command: ['x'] } };
const hooked = (lifecycle: Lifecycle, name = 'app') => aContainer(name, { lifecycle });
const factsOf = (engine: ModelEngine, pod: AssignedPod) =>
  look(engine, pod).facts.map(({ type, data }) => ('message' in data ? `${type}: ${data.message}` : type));
const idOf = (engine: ModelEngine, name: string): string => engine.running(name)[0]?.id ?? '';
const deleted = (pod: AssignedPod, engine: ModelEngine, gracePeriodSeconds = 30): AssignedPod => ({
  ...pod,
  deletion: { requestedAt: engine.now, gracePeriodSeconds },
});

describe('postStart', () => {
  it('follows the start, and what comes later in the spec waits for it', () => {
    const engine = new ModelEngine();
    engine.hooks.set('app', 'hangs');
    const pod = anAssignedPod({ containers: [hooked({ postStart: exec }), aContainer('helper')] });
    expect(actAll(engine, pod).slice(-2)).toEqual(['StartContainer app', 'postStart app']);
    expect(engine.running('helper')).toEqual([]);
    engine.memory = { ...engine.memory, hooks: { [idOf(engine, 'app')]: { postStart: 'done' } } };
    expect(actAll(engine, pod)).toEqual(['StartContainer helper']);
  });

  it('runs once, and again only after an agent that did not see its end', () => {
    const pod = anAssignedPod({ containers: [hooked({ postStart: exec })] });
    const engine = running(pod);
    expect(act(engine, pod)).toEqual([]);
    engine.memory = NO_MEMORY;
    const reported = { [idOf(engine, 'app')]: { hooked: true } };
    expect(act(engine, { ...pod, reported })).toEqual([]);
    expect(act(engine, pod)).toEqual(['postStart app']);
  });

  it('that fails has its container killed and counted as failed, whatever its exit code', () => {
    const engine = new ModelEngine();
    engine.hooks.set('app', 'fails');
    const pod = anAssignedPod({ containers: [hooked({ postStart: exec })], policy: 'OnFailure' });
    while (!act(engine, pod).includes('postStart app'));
    expect(factsOf(engine, pod)).toEqual(['ContainerKilling: FailedPostStartHook']);
    expect(act(engine, pod)).toEqual(['Stop app 30']);
    const app = engine.containers.find(({ name }) => name === 'app');
    engine.change(app?.id ?? '', { exitCode: 0 });
    expect(observedFacts(pod, engine.containers, engine.memory, '').at(-1)?.data).toMatchObject({ condemned: true });
    expect(factsOf(engine, pod)[0]).toMatch(/^ContainerBackingOff/);
    engine.now += 1_000;
    expect(act(engine, pod)).toEqual(['CreateContainer app#1']);
  });

  it('that fails fails a pod that is not to be restarted', () => {
    const engine = new ModelEngine();
    engine.hooks.set('app', 'fails');
    const pod = anAssignedPod({ containers: [hooked({ postStart: exec }), aContainer('helper')], policy: 'Never' });
    expect(actAll(engine, pod).slice(-3)).toEqual(['Stop app 30', 'Stop sandbox 0', 'Remove helper#0']);
  });
});

describe('preStop', () => {
  const pod = anAssignedPod({ containers: [hooked({ preStop: exec }), aContainer('helper')] });

  it('comes before the signal, within the one grace period', () => {
    const engine = running(pod);
    engine.hooks.set('app', 'hangs');
    const ending = deleted(pod, engine);
    const plan = look(engine, ending);
    expect(act(engine, ending)).toEqual(['preStop app 30', 'Stop helper 30']);
    expect(plan.facts.map(({ type }) => type)).toEqual(['ContainerKilling', 'ContainerKilling']);
    engine.now += 12_000;
    expect(act(engine, ending)).toEqual([]);
    engine.memory = { ...engine.memory, hooks: { [idOf(engine, 'app')]: { preStop: 'done' } } };
    expect(act(engine, ending)).toEqual(['Stop app 18']);
  });

  it('leaves two seconds for the signal when it takes all the time there is', () => {
    const engine = running(pod);
    engine.hooks.set('app', 'hangs');
    const ending = deleted(pod, engine, 5);
    act(engine, ending);
    expect(look(engine, ending).nextLookAt).toBe(engine.now + 5_000);
    engine.now += 5_000;
    expect(act(engine, ending)).toEqual(['Stop app 2']);
  });

  it('is cut off when the grace period shrinks, and left out when there is none', () => {
    const engine = running(pod);
    engine.hooks.set('app', 'hangs');
    act(engine, deleted(pod, engine));
    engine.now += 1_000;
    expect(act(engine, deleted(pod, engine, 0))).toEqual(['Stop app 0']);
    const other = running(pod);
    expect(act(other, deleted(pod, other, 0))).toEqual(['Stop app 0', 'Stop helper 0']);
  });

  it('runs again under a new agent, with the time that is left', () => {
    const engine = running(pod);
    engine.hooks.set('app', 'hangs');
    const ending = deleted(pod, engine);
    act(engine, ending);
    engine.memory = NO_MEMORY;
    engine.now += 10_000;
    expect(act(engine, ending)).toEqual(['preStop app 20']);
  });

  it('runs when the container is killed for another, and not when it ended by itself', () => {
    const both = anAssignedPod({ containers: [aContainer('app'), hooked({ preStop: exec }, 'helper')] });
    const engine = running(both);
    engine.exit('app', 1);
    expect(act(engine, both)).toEqual(['preStop helper 30']);
    expect(act(engine, both)).toEqual(['Stop helper 30']);
    const alone = running(pod);
    alone.exit('app', 1);
    expect(act(alone, pod)).toEqual(['Stop helper 30']);
  });

  it('of a sidecar runs as soon as the pod is to end, before its turn to stop', () => {
    const sidecar = aContainer('side', { restartPolicy: 'Always', lifecycle: { preStop: exec } });
    const one = anAssignedPod({ containers: [hooked({ preStop: exec })] });
    const withSidecar = { ...one, spec: { ...one.spec, initContainers: [sidecar] } };
    const engine = running(withSidecar);
    const ending = deleted(withSidecar, engine);
    expect(act(engine, ending).sort()).toEqual(['preStop app 30', 'preStop side 30']);
    expect(act(engine, ending)).toEqual(['Stop app 30']);
    expect(act(engine, ending)).toEqual(['Stop side 30']);
  });
});

describe('a container that its probe has condemned', () => {
  const livenessProbe: Probe = { ...exec, terminationGracePeriodSeconds: 3 };
  const sick: ContainerHealth = { started: true, ready: false, condemned: { probe: 'liveness', graceSeconds: 3 } };
  const withProbe = (name: string) => aContainer(name, { livenessProbe });

  it('is killed within the probe`s grace period, and its pod restarted as a whole, with back-off', () => {
    const pod = anAssignedPod({ containers: [withProbe('app'), aContainer('helper')] });
    const engine = running(pod);
    engine.health = { [idOf(engine, 'app')]: sick };
    expect(factsOf(engine, pod)).toEqual([
      'ContainerKilling: Container app failed liveness probe, will be restarted',
      'ContainerKilling: The pod is restarted: Container app failed liveness probe, will be restarted',
    ]);
    expect(act(engine, pod)).toEqual(['Stop app 3', 'Stop helper 30']);
    expect(factsOf(engine, pod)[0]).toMatch(/^ContainerBackingOff/);
    engine.now += 1_000;
    expect(actAll(engine, pod)).toEqual([
      'CreateContainer app#1',
      'CreateContainer helper#1',
      'StartContainer app',
      'StartContainer helper',
    ]);
  });

  it('is restarted alone when it is a helper, or its fate its own', () => {
    const pod = anAssignedPod({ containers: [aContainer('app'), withProbe('helper')] });
    for (const sharedFate of [true, false]) {
      const engine = running({ ...pod, sharedFate });
      engine.health = { [idOf(engine, 'helper')]: sick };
      expect(act(engine, { ...pod, sharedFate })).toEqual(['Stop helper 3']);
      engine.now += 1_000;
      expect(actAll(engine, { ...pod, sharedFate })).toEqual(['CreateContainer helper#1', 'StartContainer helper']);
    }
  });

  it('is restarted alone when it is a sidecar', () => {
    const one = anAssignedPod({ containers: [aContainer('app')] });
    const side = { ...withProbe('side'), restartPolicy: 'Always' as const };
    const pod = { ...one, spec: { ...one.spec, initContainers: [side] } };
    const engine = running(pod);
    engine.health = { [idOf(engine, 'side')]: sick };
    expect(act(engine, pod)).toEqual(['Stop side 3']);
    engine.now += 1_000;
    expect(actAll(engine, pod)).toEqual(['CreateContainer side#1', 'StartContainer side']);
    expect(engine.running('app')).toHaveLength(1);
  });

  it('ends its pod for good under restartPolicy Never, as a failure', () => {
    const pod = anAssignedPod({ containers: [withProbe('app'), aContainer('helper')], policy: 'Never' });
    const engine = running(pod);
    engine.health = { [idOf(engine, 'app')]: sick };
    expect(factsOf(engine, pod)).toEqual(['ContainerKilling: Container app failed liveness probe']);
    expect(act(engine, pod)).toEqual(['Stop app 3']);
    expect(actAll(engine, pod)).toEqual(['Stop helper 30', 'Stop sandbox 0']);
  });

  it('is still killed, and still counted as failed, by an agent that knows it from the log alone', () => {
    const pod = anAssignedPod({ containers: [withProbe('app')], policy: 'OnFailure' });
    const engine = running(pod);
    const reported = { [idOf(engine, 'app')]: { condemned: true } };
    expect(act(engine, { ...pod, reported })).toEqual(['Stop app 30']);
    engine.memory = NO_MEMORY;
    const [app] = engine.containers.filter(({ name }) => name === 'app');
    engine.change(app?.id ?? '', { exitCode: 0 });
    engine.now += 60_000;
    expect(actAll(engine, { ...pod, reported })).toContain('CreateContainer app#1');
  });
});
