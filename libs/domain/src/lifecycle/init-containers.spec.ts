import { aContainer } from '../../../../test/support/builders.js';
import { anAssignedPod, ModelEngine, T0 } from '../../../../test/support/model-engine.js';
import { act, actAll, look, running } from '../../../../test/support/model-run.js';
import type { AssignedPod } from '../node/assigned-pod.js';
import type { Container } from '../pod/pod-spec.js';
import { observedFacts } from './observed-facts.js';
import { NO_MEMORY } from './pod-memory.js';

const app = aContainer('app');
const one = aContainer('one');
const two = aContainer('two');
const sidecar = (name: string, over: Partial<Container> = {}): Container =>
  aContainer(name, { restartPolicy: 'Always', ...over });

const podOf = (
  initContainers: readonly Container[],
  over: Partial<Parameters<typeof anAssignedPod>[0]> = {},
): AssignedPod => anAssignedPod({ containers: [app], initContainers, ...over });

/** What is done about containers: not the images and the sandbox. */
const containersOnly = (words: readonly string[]): string[] =>
  words.filter((word) => /^(CreateContainer|StartContainer|Stop|Remove)/.test(word));

/** Acts, ending each run of the named init containers as soon as nothing else is to be done. */
function initialize(engine: ModelEngine, pod: AssignedPod, ...names: string[]): void {
  actAll(engine, pod);
  for (const name of names) {
    engine.now += 1_000;
    engine.exit(name, 0);
    actAll(engine, pod);
  }
}

describe('init containers', () => {
  it('run one after another, each once the one before has succeeded; then the app containers are made', () => {
    const pod = podOf([one, two]);
    const engine = new ModelEngine();
    expect(containersOnly(actAll(engine, pod))).toEqual(['CreateContainer one#0', 'StartContainer one']);
    engine.exit('one', 0);
    expect(actAll(engine, pod)).toEqual(['CreateContainer two#0', 'StartContainer two']);
    engine.exit('two', 0);
    expect(actAll(engine, pod)).toEqual(['CreateContainer app#0', 'StartContainer app']);
    expect(act(engine, pod)).toEqual([]);
  });

  it('do not begin before every image of the pod is there', () => {
    const pod = podOf([one], { containers: [aContainer('app', { image: 'gone:1' })] });
    const engine = new ModelEngine();
    engine.missing.add('gone:1');
    expect(containersOnly(actAll(engine, pod))).toEqual([]);
    engine.missing.clear();
    engine.images = {};
    engine.now += 10_000;
    expect(containersOnly(actAll(engine, pod))).toEqual(['CreateContainer one#0', 'StartContainer one']);
  });

  it.each(['Always', 'OnFailure'] as const)('are tried again with back-off under %s when they fail', (policy) => {
    const pod = podOf([one], { policy });
    const engine = new ModelEngine();
    actAll(engine, pod);
    engine.exit('one', 3);
    expect(look(engine, pod)).toMatchObject({
      actions: [],
      facts: expect.arrayContaining([expect.objectContaining({ type: 'ContainerBackingOff' })]),
      nextLookAt: T0 + 1_000,
    });
    engine.now += 1_000;
    expect(actAll(engine, pod)).toEqual(['CreateContainer one#1', 'StartContainer one']);
    engine.exit('one', 0);
    expect(actAll(engine, pod)).toEqual(['CreateContainer app#0', 'StartContainer app']);
  });

  it('fail the pod under Never: what runs is stopped, nothing more is made', () => {
    const pod = podOf([sidecar('side'), one], { policy: 'Never' });
    const engine = new ModelEngine();
    actAll(engine, pod);
    engine.exit('one', 3);
    expect(actAll(engine, pod)).toEqual(['Stop side 30', 'Stop sandbox 0']);
  });

  it('follow their own policy before their pod: OnFailure in a pod that never restarts', () => {
    const pod = podOf([{ ...one, restartPolicy: 'OnFailure' }], { policy: 'Never' });
    const engine = new ModelEngine();
    actAll(engine, pod);
    engine.exit('one', 3);
    engine.now += 1_000;
    expect(actAll(engine, pod)).toEqual(['CreateContainer one#1', 'StartContainer one']);
  });

  it('do not run again when the pod restarts', () => {
    const pod = podOf([one]);
    const engine = new ModelEngine();
    initialize(engine, pod, 'one');
    engine.now += 60_000;
    engine.exit('app', 1);
    engine.now += 1_000;
    expect(actAll(engine, pod)).toEqual(['CreateContainer app#1', 'StartContainer app']);
  });

  it('run again in a new sandbox', () => {
    const pod = podOf([one]);
    const engine = new ModelEngine();
    initialize(engine, pod, 'one');
    engine.exit('', 0);
    engine.now += 10;
    const words = containersOnly(actAll(engine, pod));
    expect(words).toContain('CreateContainer one#1');
    expect(words).not.toContain('CreateContainer app#1');
    engine.exit('one', 0);
    expect(actAll(engine, pod)).toContain('CreateContainer app#1');
  });

  it.each<[string, (engine: ModelEngine) => void]>([
    ['the memory of the node is lost', () => undefined],
    [
      'their records are gone too',
      (engine) => (engine.containers = engine.containers.filter(({ name }) => name !== 'one' && name !== 'two')),
    ],
  ])('do not run again when %s', (_, lose) => {
    const pod = podOf([one, two, sidecar('side')]);
    const engine = new ModelEngine();
    initialize(engine, pod, 'one', 'two');
    engine.memory = NO_MEMORY;
    lose(engine);
    expect(look(engine, pod).actions).toEqual([]);
  });

  it('are not begun anew for an edit that came while they ran, or later', () => {
    const engine = new ModelEngine();
    actAll(engine, podOf([one]));
    const edited = podOf([{ ...one, image: 'new:1' }], { specChangedAt: engine.now });
    expect(containersOnly(actAll(engine, edited))).toEqual([]);
    engine.now += 1_000;
    engine.exit('one', 0);
    expect(containersOnly(actAll(engine, edited))).toEqual(['CreateContainer app#0', 'StartContainer app']);
  });
});

describe('sidecars', () => {
  it('begin in their place, the next one when they run, and stay', () => {
    const pod = podOf([sidecar('first'), one, sidecar('second')]);
    const engine = new ModelEngine();
    const begun = containersOnly(actAll(engine, pod));
    expect(begun).toEqual([
      'CreateContainer first#0',
      'StartContainer first',
      'CreateContainer one#0',
      'StartContainer one',
    ]);
    engine.exit('one', 0);
    expect(actAll(engine, pod)).toEqual([
      'CreateContainer second#0',
      'StartContainer second',
      'CreateContainer app#0',
      'StartContainer app',
    ]);
  });

  it('hold back what comes after them until their startup probe has succeeded', () => {
    const pod = podOf([sidecar('side', { startupProbe: { exec: { command: ['true'] } } })]);
    const engine = new ModelEngine();
    expect(containersOnly(actAll(engine, pod))).toEqual(['CreateContainer side#0', 'StartContainer side']);
    const [side] = engine.running('side');
    const health = { [side?.id ?? '']: { started: true, ready: false } };
    engine.health = health;
    expect(containersOnly(actAll(engine, pod))).toEqual(['CreateContainer app#0', 'StartContainer app']);
  });

  it.each([0, 1])('are begun again alone when they end with code %i, also while init containers run', (code) => {
    const pod = podOf([sidecar('side'), one], { policy: 'Never' });
    const engine = new ModelEngine();
    actAll(engine, pod);
    engine.exit('side', code);
    engine.now += 1_000;
    expect(actAll(engine, pod)).toEqual(['CreateContainer side#1', 'StartContainer side']);
    engine.exit('one', 0);
    actAll(engine, pod);
    engine.exit('side', code);
    engine.now += 2_000;
    expect(actAll(engine, pod)).toEqual(expect.arrayContaining(['CreateContainer side#2', 'StartContainer side']));
    expect(engine.running('app')).toHaveLength(1);
  });

  it('go on while their pod restarts', () => {
    const pod = podOf([sidecar('side')], { containers: [app, aContainer('helper')] });
    const engine = running(pod);
    engine.exit('app', 1);
    expect(act(engine, pod)).toEqual(['Stop helper 30']);
    engine.now += 1_000;
    actAll(engine, pod);
    expect(engine.running('side').map(({ attempt }) => attempt)).toEqual([0]);
  });

  it('never keep a pod from ending: they stop in the reverse of their order when the main container is done', () => {
    const pod = podOf([sidecar('first'), sidecar('second')], { policy: 'OnFailure' });
    const engine = running(pod);
    engine.exit('app', 0);
    expect(act(engine, pod)).toEqual(['Stop second 30']);
    expect(act(engine, pod)).toEqual(['Stop first 30']);
    engine.now += 1;
    expect(act(engine, pod)).toEqual(['Stop sandbox 0']);
  });

  it('are made anew when they are edited, and nothing else is', () => {
    const engine = running(podOf([sidecar('side')]));
    const edited = podOf([sidecar('side', { image: 'new:1' })]);
    expect(actAll(engine, edited)).toEqual([
      'Stop side 30',
      'InspectImage new:1',
      'CreateContainer side#1',
      'StartContainer side',
    ]);
  });
});

describe('stopping in order', () => {
  const deleted = (pod: AssignedPod, requestedAt: number): AssignedPod => ({
    ...pod,
    deletion: { requestedAt, gracePeriodSeconds: 30 },
  });

  it('spends one grace period: sidecars get what the app containers left of it', () => {
    const pod = podOf([sidecar('first'), sidecar('second')]);
    const engine = running(pod);
    const gone = deleted(pod, engine.now);
    engine.lazy.add('app');
    expect(act(engine, gone)).toEqual(['Stop app 30']);
    expect(look(engine, gone).nextLookAt).toBe(engine.now + 30_000);
    engine.now += 10_000;
    expect(act(engine, gone)).toEqual([]);
    engine.exit('app', 0);
    expect(act(engine, gone)).toEqual(['Stop second 20']);
    engine.now += 5_000;
    expect(act(engine, gone)).toEqual(['Stop first 15']);
  });

  it('waits for nothing when the grace period is over', () => {
    const pod = podOf([sidecar('first'), sidecar('second')]);
    const engine = running(pod);
    const gone = deleted(pod, engine.now);
    engine.lazy.add('app');
    act(engine, gone);
    engine.now += 30_000;
    expect(act(engine, gone).sort()).toEqual(['Stop first 0', 'Stop second 0']);
  });

  it('keeps to the grace period that began when a pod ended, however often it is looked at', () => {
    const pod = podOf([sidecar('side')], { containers: [app, aContainer('helper')], policy: 'Never' });
    const engine = running(pod);
    engine.exit('app', 0);
    engine.lazy.add('helper');
    expect(act(engine, pod)).toEqual(['Stop helper 30']);
    engine.now += 12_000;
    expect(act(engine, pod)).toEqual([]);
    engine.exit('helper', 0);
    expect(act(engine, pod)).toEqual(['Stop side 18']);
  });
});

describe('facts of what runs again', () => {
  it('tell of a container that was stopped for an edit, also by a node that forgot it', () => {
    const pod = podOf([], { policy: 'Never' });
    const engine = running(pod);
    const edited = {
      ...podOf([], { policy: 'Never', containers: [{ ...app, image: 'new:1' }] }),
      specChangedAt: engine.now,
    };
    expect(act(engine, edited)).toEqual(['Stop app 30']);
    engine.memory = NO_MEMORY;
    const exits = observedFacts(edited, engine.containers, engine.memory, '10.0.0.1');
    expect(exits.at(-1)).toMatchObject({ type: 'ContainerExited', data: { replaced: true } });
    expect(containersOnly(actAll(engine, edited))).toEqual(['CreateContainer app#1', 'StartContainer app']);
  });

  it('do not make a container run again that had ended before the edit', () => {
    const pod = podOf([], { policy: 'Never' });
    const engine = running(pod);
    engine.exit('app', 0);
    const edited = podOf([], { policy: 'Never', containers: [{ ...app, image: 'new:1' }] });
    expect(actAll(engine, { ...edited, specChangedAt: engine.now + 1 })).toEqual(['Stop sandbox 0']);
  });
});

describe('counting', () => {
  it('goes on when somebody removed everything by hand', () => {
    const pod = podOf([one]);
    const engine = new ModelEngine();
    initialize(engine, pod, 'one');
    engine.containers = [];
    const words = actAll(engine, pod);
    expect(words).toEqual(expect.arrayContaining(['CreateSandbox #1', 'CreateContainer one#1']));
    engine.exit('one', 0);
    expect(actAll(engine, pod)).toContain('CreateContainer app#1');
  });

  it('goes on from what the log knows of sandboxes too', () => {
    expect(actAll(new ModelEngine(), podOf([], { attempts: { '': 2, app: 4 } }))).toEqual(
      expect.arrayContaining(['CreateSandbox #3', 'CreateContainer app#5']),
    );
  });
});
