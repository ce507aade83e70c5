import type { PodSpec } from '#domain';
import { aContainer, aPodSpec } from '../../../test/support/builders.js';
import { ExecutorWorld } from '../../../test/support/executor-world.js';

const pair = (over: Partial<PodSpec> = {}): PodSpec =>
  aPodSpec({
    containers: [aContainer('app'), aContainer('helper')],
    volumes: [{ name: 'data', emptyDir: {} }],
    ...over,
  });

async function startedWorld(): Promise<ExecutorWorld> {
  const world = new ExecutorWorld();
  await world.start();
  await world.advance(0);
  return world;
}

/** A world in which a pod of two containers runs. */
async function runningPair(over: Partial<PodSpec> = {}): Promise<{ world: ExecutorWorld; uid: string }> {
  const world = await startedWorld();
  const uid = world.control.run('web', pair(over));
  await world.until('both run', () => world.control.phase(uid) === 'Running');
  return { world, uid };
}

describe('a pod on a node', () => {
  it('runs, and the log is told in order', async () => {
    const { world, uid } = await runningPair();
    expect(world.running('')).toHaveLength(1);
    expect([...world.running('app'), ...world.running('helper')]).toHaveLength(2);
    expect(world.control.history(uid)).toEqual([
      'PodRequested',
      'PodScheduled',
      'ImagePulled',
      'ImagePulled',
      'PodSandboxStarted',
      'ContainerCreated',
      'ContainerCreated',
      'ContainerStarted',
      'ContainerStarted',
      'PodBecameReady',
    ]);
  });

  it('is looked at and reported no more once it runs', async () => {
    const { world } = await runningPair();
    await world.advance(5_000);
    const heard = world.control.heard.length;
    await world.advance(120_000);
    expect(world.control.heard).toHaveLength(heard);
  });

  it('takes its helper along when its main container is killed, and keeps the dead for their output', async () => {
    const { world, uid } = await runningPair({ restartPolicy: 'Never' });
    world.engine.kill(world.running('app')[0]?.seen.id ?? '');
    await world.until('Failed', () => world.control.phase(uid) === 'Failed');
    expect(world.running('helper')).toEqual([]);
    expect(
      world.control.dataOf(uid, 'ContainerExited').map(({ container, exitCode }) => [container, exitCode]),
    ).toEqual([
      ['app', 137],
      ['helper', 143],
    ]);
    await world.until('the sandbox ends too', () => world.running('').length === 0);
    expect(world.containers()).toHaveLength(3);
  });

  it('is made anew as a whole when its main container ends and the policy says so', async () => {
    const { world, uid } = await runningPair();
    const sandbox = world.running('')[0];
    world.engine.kill(world.running('app')[0]?.seen.id ?? '');
    await world.until('both run again', () => world.running('app').length + world.running('helper').length === 2);
    expect(world.running('')[0]).toBe(sandbox);
    expect([...world.running('app'), ...world.running('helper')].map(({ seen }) => seen.attempt)).toEqual([1, 1]);
    await world.until('the log knows', () =>
      Object.values(world.control.pod(uid).containers).every(({ running }) => running),
    );
    expect(world.control.history(uid)).toContain('ContainerBackingOff');
  });

  it('leaves nothing when deleted, and its object goes then', async () => {
    const { world, uid } = await runningPair();
    world.control.delete(uid);
    await world.until('gone', () => !world.control.has(uid));
    expect(world.isEmpty).toBe(true);
    expect(world.control.history(uid).slice(-2)).toEqual(['PodContainersRemoved', 'PodDeleted']);
  });

  it('is killed when its grace period is over, and sooner when it shrinks', async () => {
    const world = await startedWorld();
    world.engine.addImage('stubborn:1', { program: { ignoresStop: true } });
    const uid = world.control.run('web', aPodSpec({ containers: [aContainer('app', { image: 'stubborn:1' })] }));
    await world.until('it runs', () => world.control.phase(uid) === 'Running');
    const requestedAt = world.clock.now();
    // The domain counts from the log's clock; this world's log lives at the beginning of its time.
    world.control.delete(uid, 3_600);
    await world.advance(10_000);
    expect(world.running('app')).toHaveLength(1);
    world.control.delete(uid, 0);
    await world.until('gone', () => !world.control.has(uid), 5_000);
    expect(world.clock.now() - requestedAt).toBeLessThan(20_000);
    expect(world.control.dataOf(uid, 'ContainerExited').map(({ exitCode }) => exitCode)).toEqual([137]);
  });

  it('goes while it is being made, and leaves nothing', async () => {
    const world = await startedWorld();
    world.engine.addImage('slow:1', { present: false, pull: { takesMs: 60_000 } });
    const uid = world.control.run(
      'web',
      pair({ containers: [aContainer('app', { image: 'slow:1' }), aContainer('helper')] }),
    );
    await world.advance(1_000);
    expect(world.running('')).toHaveLength(1);
    world.control.delete(uid);
    await world.until('gone', () => !world.control.has(uid), 5_000);
    expect(world.isEmpty).toBe(true);
    await world.advance(120_000);
    expect(world.isEmpty).toBe(true);
  });

  it('keeps no container when one cannot be made, and comes up when it can', async () => {
    const world = await startedWorld();
    world.engine.addImage('broken:1', { program: { createFails: { message: 'no space left', times: 3 } } });
    const uid = world.control.run(
      'web',
      pair({ containers: [aContainer('app'), aContainer('helper', { image: 'broken:1' })] }),
    );
    await world.advance(500);
    expect(world.containers().map(({ seen }) => seen.role)).toEqual(['sandbox']);
    expect(world.control.pod(uid).containers['helper']?.waiting).toMatchObject({ reason: 'CreateContainerError' });
    await world.until('both run', () => world.control.phase(uid) === 'Running');
    expect(world.control.dataOf(uid, 'ContainerStarted').map(({ attempt }) => attempt)).toEqual([0, 0]);
  });

  it('pulls each reference once for all pods, and says how it goes', async () => {
    const world = await startedWorld();
    world.engine.addImage('big:1', { present: false, pull: { takesMs: 30_000, failures: 1 } });
    const spec = aPodSpec({ containers: [aContainer('app', { image: 'big:1' })] });
    const uids = [1, 2, 3].map((n) => world.control.run(`web-${n}`, spec));
    await world.advance(1_000);
    for (const uid of uids) expect(world.control.pod(uid).containers['app']?.waiting?.reason).toBe('ErrImagePull');
    await world.advance(3_000);
    for (const uid of uids) expect(world.control.pod(uid).containers['app']?.waiting?.reason).toBe('ImagePullBackOff');
    await world.until('all run', () => uids.every((uid) => world.control.phase(uid) === 'Running'), 90_000);
    expect(uids.flatMap((uid) => world.control.dataOf(uid, 'ImagePulled')).map(({ durationMs }) => durationMs)).toEqual(
      [30_000, 30_000, 30_000],
    );
  });

  it('counts a start that fails as an end of the container', async () => {
    const world = await startedWorld();
    world.engine.addImage('nope:1', { program: { startFails: { exitCode: 127, message: 'no such file' } } });
    const spec = pair({
      containers: [aContainer('app', { image: 'nope:1' }), aContainer('helper')],
      restartPolicy: 'Never',
    });
    const uid = world.control.run('web', spec);
    await world.until('Failed', () => world.control.phase(uid) === 'Failed');
    expect(world.control.dataOf(uid, 'ContainerExited')[0]).toMatchObject({ exitCode: 127, reason: 'StartError' });
    expect(world.running('helper')).toEqual([]);
  });

  it('gets an edited image by a new container', async () => {
    const { world, uid } = await runningPair();
    world.engine.addImage('busybox:2');
    world.control.editImage(uid, 'helper', 'busybox:2');
    await world.until('the new helper runs', () =>
      world.running('helper').some(({ seen }) => seen.image === 'busybox:2'),
    );
    expect(world.running('app').map(({ seen }) => seen.attempt)).toEqual([0]);
  });

  it('is refused when it does not fit, and the next one is not kept out by it', async () => {
    const world = await startedWorld();
    const asking = (cpu: string): PodSpec =>
      aPodSpec({ containers: [aContainer('app', { resources: { requests: { cpu } } })] });
    const first = world.control.run('first', asking('3'));
    const second = world.control.run('second', asking('2'));
    const third = world.control.run('third', asking('1'));
    await world.until('the others run', () => [first, third].every((uid) => world.control.phase(uid) === 'Running'));
    expect(world.control.pod(second).terminated).toMatchObject({ phase: 'Failed', reason: 'OutOfcpu' });
    expect(world.containers().filter(({ seen }) => seen.pod.uid === second)).toEqual([]);
  });

  describe('that fits once another has left', () => {
    const asking = (cpu: string): PodSpec =>
      aPodSpec({
        containers: [aContainer('app', { image: 'stubborn:1', resources: { requests: { cpu } } })],
        terminationGracePeriodSeconds: 5,
      });
    const isRunning = (world: ExecutorWorld, uid: string): boolean =>
      world.running('app').some(({ seen }) => seen.pod.uid === uid);

    /** The log has given the first pod up while its node was silent; now its container is being stopped. */
    async function leavingWorld(): Promise<{ world: ExecutorWorld; first: string }> {
      const world = await startedWorld();
      world.engine.addImage('stubborn:1', { program: { ignoresStop: true } });
      const first = world.control.run('first', asking('3'));
      await world.until('it runs', () => world.control.phase(first) === 'Running');
      world.control.giveUp(first);
      return { world, first };
    }

    it('waits until that is gone, as long as nobody before it wants the place', async () => {
      const { world, first } = await leavingWorld();
      const second = world.control.run('second', asking('3'));
      const third = world.control.run('third', asking('3'));
      await world.until('the second runs', () => {
        expect(isRunning(world, first) && isRunning(world, second)).toBe(false);
        return isRunning(world, second);
      });
      expect(world.control.history(second)).not.toContain('PodRefusedByNode');
      expect(world.control.pod(third).terminated).toMatchObject({ reason: 'OutOfcpu' });
    });

    it('goes at once when it is deleted while it waits', async () => {
      const { world } = await leavingWorld();
      const second = world.control.run('second', asking('3'));
      await world.advance(100);
      world.control.delete(second);
      await world.until('gone', () => !world.control.has(second), 1_000);
      expect(world.control.history(second)).not.toContain('ContainerCreated');
    });

    it('is not kept waiting by what it does not need', async () => {
      const { world, first } = await leavingWorld();
      const second = world.control.run('second', asking('1'));
      await world.until('both run', () => isRunning(world, first) && isRunning(world, second), 3_000);
    });
  });
});

describe('the conversation with the control plane', () => {
  it('says that it is there as soon as it has registered: pods may be waiting for it', async () => {
    const world = await startedWorld();
    await world.until('it is heard', () => world.control.heartbeats === 1, 100);
  });

  it('takes a delta that comes twice once, and finds a lost one by its gap', async () => {
    const { world, uid } = await runningPair();
    world.control.copies = 3;
    const second = world.control.run('second', aPodSpec());
    await world.until('it runs', () => world.control.phase(second) === 'Running');
    world.control.silent = true;
    const lost = world.control.run('lost', aPodSpec());
    world.control.silent = false;
    const third = world.control.run('third', aPodSpec());
    await world.until('both run', () => [lost, third].every((one) => world.control.phase(one) === 'Running'), 1_000);
    expect(world.control.phase(uid)).toBe('Running');
  });

  it('finds a last message that was lost by its heartbeat', async () => {
    const { world } = await runningPair();
    world.control.silent = true;
    const lost = world.control.run('lost', aPodSpec());
    await world.until('it runs', () => world.control.phase(lost) === 'Running', 6_000);
  });

  it('does nothing of what another cluster, an older revision or another epoch says', async () => {
    const { world, uid } = await runningPair();
    const full = world.control.fullAssignment();
    world.control.send({ ...full, cluster: 'cluster-2', revision: full.revision + 10, pods: [] });
    world.control.send({ ...full, revision: full.revision - 1, pods: [] });
    world.control.send({ ...full, nodeEpoch: full.nodeEpoch - 1, revision: full.revision + 10, pods: [] });
    await world.advance(20_000);
    expect([...world.running('app'), ...world.running('helper')].map(({ seen }) => seen.attempt)).toEqual([0, 0]);
    expect(world.control.phase(uid)).toBe('Running');
    expect(world.reports.filter((line) => line.includes('nothing was removed'))).toHaveLength(2);
  });

  it('remembers its cluster and how far it was over a restart: a control plane that lost its log kills nothing', async () => {
    const { world, uid } = await runningPair();
    await world.stop();
    world.control.revision -= 2;
    const reported = world.reports.length;
    world.control.forget(uid);
    await world.start();
    await world.advance(30_000);
    expect(world.running('app')).toHaveLength(1);
    expect(world.reports.slice(reported).join()).toContain('nothing was removed');
    await world.stop();
    world.control.cluster = 'cluster-2';
    await world.start();
    await world.advance(30_000);
    expect(world.running('app')).toHaveLength(1);
  });

  it('registers again when its epoch is over, and reports under the new one', async () => {
    const { world, uid } = await runningPair({ restartPolicy: 'Never' });
    world.control.epoch += 5;
    world.engine.kill(world.running('app')[0]?.seen.id ?? '');
    await world.until('Failed', () => world.control.phase(uid) === 'Failed');
    expect(world.control.registrations).toHaveLength(2);
  });

  it('removes its pods when its node was deleted, and does not register again by itself', async () => {
    const { world, uid } = await runningPair();
    world.control.nodeKnown = false;
    world.control.silent = true;
    world.control.forget(uid);
    await world.until('nothing is left', () => world.isEmpty);
    await world.advance(30_000);
    expect(world.control.registrations).toHaveLength(1);
  });

  it('goes on with its pods while nobody answers, and tells everything afterwards', async () => {
    const { world, uid } = await runningPair();
    world.bus?.reach(false);
    world.engine.kill(world.running('app')[0]?.seen.id ?? '');
    await world.advance(120_000);
    expect(world.running('app').map(({ seen }) => seen.attempt)).toEqual([1]);
    world.bus?.reach(true);
    await world.until('the log knows', () => world.control.pod(uid).containers['app']?.attempt === 1);
    expect(
      world.control
        .dataOf(uid, 'ContainerExited')
        .map(({ container }) => container)
        .sort(),
    ).toEqual(['app', 'helper']);
  });

  it('repeats what was not acknowledged, and removes no container before', async () => {
    const { world, uid } = await runningPair();
    world.bus?.reach(false);
    world.control.delete(uid);
    await world.advance(1_000);
    world.bus?.reach(true);
    world.control.answersToLose = 2;
    await world.advance(15_000);
    expect(world.containers('app')).toHaveLength(1);
    await world.until('gone', () => !world.control.has(uid));
    expect(world.isEmpty).toBe(true);
    expect(world.control.dataOf(uid, 'ContainerExited')).toHaveLength(2);
    expect(world.control.heard.length).toBeGreaterThan(new Set(world.control.heard).size);
  });

  it('ends what the control plane forgot, and what nobody assigned', async () => {
    const { world, uid } = await runningPair();
    await world.stop();
    world.control.forget(uid);
    const other = world.control.run('other', aPodSpec());
    await world.start();
    await world.until(
      'only the other runs',
      () => world.control.phase(other) === 'Running' && world.running('helper').length === 0,
    );
    await world.until('nothing else is left', () => world.containers().every(({ seen }) => seen.pod.uid === other));
  });
});

describe('the executor', () => {
  it('stops without touching a pod, and a new one adopts them all', async () => {
    const { world, uid } = await runningPair();
    const before = world.containers().map(({ seen }) => seen.id);
    await world.stop();
    await world.advance(60_000);
    await world.start();
    await world.advance(60_000);
    expect(world.containers().map(({ seen }) => seen.id)).toEqual(before);
    expect(world.control.dataOf(uid, 'ContainerStarted')).toHaveLength(2);
  });

  it('tells of an exit that nobody saw', async () => {
    const { world, uid } = await runningPair({ restartPolicy: 'Never' });
    await world.stop();
    world.engine.kill(world.running('app')[0]?.seen.id ?? '');
    await world.advance(10_000);
    await world.start();
    await world.until('Failed', () => world.control.phase(uid) === 'Failed');
    expect(world.running('helper')).toEqual([]);
  });

  it('does nothing while the engine is silent, and restarts nothing when it comes back', async () => {
    const { world, uid } = await runningPair();
    const before = world.containers().map(({ seen }) => seen.id);
    world.engine.goDown();
    const meanwhile = world.control.run('meanwhile', aPodSpec());
    await world.advance(120_000);
    world.engine.comeUp('kept');
    await world.until('the new one runs', () => world.control.phase(meanwhile) === 'Running');
    expect(
      world
        .containers()
        .map(({ seen }) => seen.id)
        .slice(0, 3),
    ).toEqual(before);
    expect(world.control.dataOf(uid, 'ContainerExited')).toEqual([]);
  });

  it.each(['Always', 'OnFailure'] as const)(
    'makes a pod anew after its engine ended it (%s)',
    async (restartPolicy) => {
      const { world, uid } = await runningPair({ restartPolicy });
      world.engine.powerOff();
      await world.advance(5_000);
      world.engine.comeUp('kept');
      await world.until('both run', () => world.running('app').length + world.running('helper').length === 2);
      await world.until('the log knows', () => world.control.dataOf(uid, 'ContainerStarted').length === 4);
      expect(world.control.dataOf(uid, 'ContainerExited').every(({ infrastructure }) => infrastructure)).toBe(true);
      expect(world.running('')[0]?.seen.attempt).toBe(1);
    },
  );

  it('waits for an engine that is not there yet', async () => {
    const world = new ExecutorWorld();
    world.engine.goDown();
    await world.start();
    await world.advance(10_000);
    expect(world.control.registrations).toEqual([]);
    world.engine.comeUp('kept');
    await world.until('it registers', () => world.control.registrations.length === 1);
    expect(world.control.registrations[0]).toMatchObject({ capacity: { cpuMillis: 4_000, pods: 110 } });
  });
});
