import { aContainer } from '../../../../test/support/builders.js';
import { anAssignedPod, ModelEngine } from '../../../../test/support/model-engine.js';
import { act, actAll, look, running } from '../../../../test/support/model-run.js';
import type { AssignedPod } from '../node/assigned-pod.js';
import type { Container } from '../pod/pod-spec.js';
import { DEPENDS_ON_ANNOTATION, dependenciesOf, dependentsOf, type Dependencies } from './dependencies.js';

const [app, cache, db] = ['app', 'cache', 'db'].map((name) => aContainer(name)) as [Container, Container, Container];
const migrate = aContainer('migrate', { restartPolicy: 'OnFailure' });

const podOf = (dependencies: Dependencies, over: Partial<Parameters<typeof anAssignedPod>[0]> = {}): AssignedPod =>
  anAssignedPod({
    containers: [app, cache, db],
    annotations: { [DEPENDS_ON_ANNOTATION]: JSON.stringify(dependencies) },
    ...over,
  });
const starts = (words: readonly string[]): string[] =>
  words.flatMap((word) => (word.startsWith('StartContainer ') ? [word.slice('StartContainer '.length)] : []));
const stops = (words: readonly string[]): string[] =>
  words.flatMap((word) => (word.startsWith('Stop ') ? [word.split(' ')[1] ?? ''] : []));

describe('dependencies of containers', () => {
  it('have all containers made together and started along the edges', () => {
    const pod = podOf({ app: { cache: 'Started' }, cache: { db: 'Started' } });
    const engine = new ModelEngine();
    const done = actAll(engine, pod);
    expect(starts(done)).toEqual(['db', 'cache', 'app']);
    expect(done.filter((word) => word.startsWith('CreateContainer'))).toHaveLength(3);
    expect(done.indexOf('StartContainer db')).toBeGreaterThan(done.indexOf('CreateContainer app#0'));
  });

  it('wait for a container that succeeds once, and see its end in the engine alone', () => {
    const pod = podOf({ app: { migrate: 'Succeeded' } }, { containers: [app, migrate] });
    const engine = new ModelEngine();
    expect(starts(actAll(engine, pod))).toEqual(['migrate']);
    engine.exit('migrate', 1);
    expect(starts(actAll(engine, pod))).toEqual([]);
    engine.now += 1_000;
    expect(starts(actAll(engine, pod))).toEqual(['migrate']);
    engine.exit('migrate', 0);
    engine.memory = new ModelEngine().memory;
    expect(starts(actAll(engine, pod))).toEqual(['app']);
  });

  it.each([0, 1])('take an end with code %i for Completed', (code) => {
    const pod = podOf({ app: { migrate: 'Completed' } }, { containers: [app, migrate], policy: 'Never' });
    const engine = new ModelEngine();
    actAll(engine, pod);
    engine.exit('migrate', code);
    expect(starts(actAll(engine, pod))).toEqual(['app']);
  });

  it('wait for Healthy until the probes say so', () => {
    const probed = aContainer('db', { readinessProbe: { exec: { command: ['true'] } } });
    const pod = podOf({ app: { db: 'Healthy' } }, { containers: [app, probed] });
    const engine = new ModelEngine();
    expect(starts(actAll(engine, pod))).toEqual(['db']);
    const id = engine.running('db')[0]?.id ?? '';
    engine.health = { [id]: { started: true, ready: false } };
    expect(act(engine, pod)).toEqual([]);
    engine.health = { [id]: { started: true, ready: true } };
    expect(starts(act(engine, pod))).toEqual(['app']);
  });

  it('hold for sidecars as well', () => {
    const probed = aContainer('side', { restartPolicy: 'Always', readinessProbe: { exec: { command: ['true'] } } });
    const pod = podOf({ app: { side: 'Healthy' } }, { containers: [app], initContainers: [probed] });
    const engine = new ModelEngine();
    expect(starts(actAll(engine, pod))).toEqual(['side']);
    engine.health = { [engine.running('side')[0]?.id ?? '']: { started: true, ready: true } };
    expect(starts(actAll(engine, pod))).toEqual(['app']);
  });

  it('count again when the pod restarts, and not when one container restarts alone', () => {
    const pod = podOf({ app: { db: 'Started' }, cache: { app: 'Started' } });
    const engine = running(pod);
    engine.exit('cache', 1);
    engine.now += 1_000;
    expect(starts(actAll(engine, pod))).toEqual(['cache']);
    engine.exit('app', 1);
    actAll(engine, pod);
    engine.now += 2_000;
    expect(starts(actAll(engine, pod))).toEqual(['db', 'app', 'cache']);
  });

  it('order the stops the other way round, within one grace period', () => {
    const pod = podOf({ app: { cache: 'Started' }, cache: { db: 'Started' } });
    const engine = running(pod);
    const deleted = { ...pod, deletion: { requestedAt: engine.now, gracePeriodSeconds: 30 } };
    expect(stops(actAll(engine, deleted))).toEqual(['app', 'cache', 'db']);
  });

  it('order the stops of a pod that restarts too', () => {
    const pod = podOf({ cache: { db: 'Started' } });
    const engine = running(pod);
    engine.exit('app', 1);
    expect(act(engine, pod)).toEqual(['Stop cache 30']);
    expect(act(engine, pod)).toEqual(['Stop db 30']);
  });

  it.each([true, false])('end the pod when they can never be met (shared fate: %s)', (sharedFate) => {
    const once = aContainer('migrate', { restartPolicy: 'Never' });
    const pod = podOf({ app: { migrate: 'Succeeded' } }, { containers: [app, once], sharedFate });
    const engine = new ModelEngine();
    actAll(engine, pod);
    engine.exit('migrate', 1);
    expect(actAll(engine, pod)).toEqual(['Stop sandbox 0', 'Remove app#0']);
    expect(engine.log.some((action) => action.type === 'StartContainer' && action.container === 'app')).toBe(false);
  });

  it('leave nothing made when one of the containers cannot be made', () => {
    const pod = podOf({ app: { db: 'Started' } });
    const engine = new ModelEngine();
    engine.uncreatable.add('cache');
    actAll(engine, pod);
    expect(engine.containers.filter(({ role }) => role === 'app')).toEqual([]);
    expect(look(engine, pod).nextLookAt).toBe(engine.now + 1_000);
  });

  it('say nothing when they are no JSON', () => {
    expect(dependenciesOf({ [DEPENDS_ON_ANNOTATION]: 'db' })).toEqual({});
  });

  it('are followed through others', () => {
    expect([...dependentsOf({ app: { cache: 'Started' }, cache: { db: 'Started' } }, 'db')].sort()).toEqual([
      'app',
      'cache',
    ]);
  });
});
