import type { Container, PodSpec } from '#domain';
import { aContainer, aPodSpec } from '../../../../test/support/builders.js';
import { ExecutorWorld } from '../../../../test/support/executor-world.js';
import type { FakeExec, FakeProgram } from '../../../../test/support/fake-images.js';

const exec = (command: string) => ({ exec: { command: [command] } });

/** A node, and what its containers do when a command is run in them. */
class Ward {
  readonly commands: { readonly command: string; readonly at: number }[] = [];
  exec: (command: string) => FakeExec = () => ({});
  uid = '';

  private constructor(readonly world: ExecutorWorld) {}

  static async open(
    container: Partial<Container>,
    spec: Partial<PodSpec> = {},
    program: FakeProgram = {},
  ): Promise<Ward> {
    const ward = new Ward(new ExecutorWorld());
    const { world } = ward;
    const run = ([command = '']: readonly string[]): FakeExec => {
      ward.commands.push({ command, at: world.clock.now() });
      return ward.exec(command);
    };
    world.engine.addImage('ward:1', { program: { ...program, exec: run } });
    await world.start();
    await world.advance(0);
    const containers = [aContainer('app', { image: 'ward:1', ...container })];
    ward.uid = world.control.run('web', aPodSpec({ containers, ...spec }));
    await world.until('it runs', () => world.running('app').length === 1);
    return ward;
  }

  isReady(): boolean {
    return this.world.control.pod(this.uid).conditions['Ready']?.status === 'True';
  }

  /** Seconds between the runs of a command. */
  gaps(of: string): number[] {
    const times = this.commands.filter(({ command }) => command === of).map(({ at }) => at);
    return times.slice(1).map((at, index) => (at - (times[index] ?? 0)) / 1000);
  }

  attempts(): number[] {
    return this.world.running('app').map(({ seen }) => seen.attempt);
  }
}

describe('probes on a node', () => {
  it('are asked once a period, and tell the log of turns alone', async () => {
    const ward = await Ward.open({ readinessProbe: { ...exec('ready?'), periodSeconds: 5 } });
    const { world, uid } = ward;
    await world.until('ready', () => ward.isReady());
    await world.advance(60_000);
    expect(new Set(ward.gaps('ready?'))).toEqual(new Set([5]));
    expect(world.control.dataOf(uid, 'ContainerReadinessChanged')).toMatchObject([{ container: 'app', ready: true }]);
    ward.exec = () => ({ exitCode: 1, output: 'full' });
    await world.until('unready', () => !ward.isReady());
    await world.advance(30_000);
    expect(world.control.dataOf(uid, 'ContainerProbeFailed').map(({ message }) => message)).toEqual(['full', 'full']);
    expect(world.control.dataOf(uid, 'ContainerReadinessChanged')).toHaveLength(2);
  });

  it('find a server over the network, by its pod`s address', async () => {
    let status = 503;
    const probe = { httpGet: { port: 'web', path: '/' }, periodSeconds: 1 };
    const ports = [{ name: 'web', containerPort: 8080 }];
    const ward = await Ward.open({ ports, readinessProbe: probe }, {}, { answers: () => ({ type: 'http', status }) });
    await ward.world.advance(10_000);
    expect(ward.isReady()).toBe(false);
    status = 204;
    await ward.world.until('ready', () => ward.isReady());
    const ip = ward.world.running('')[0]?.seen.ip;
    expect(ward.world.prober.asked[0]).toMatchObject({ type: 'http', host: ip, port: 8080 });
  });

  it('restart a container that hangs, one check at a time', async () => {
    const ward = await Ward.open({
      livenessProbe: { ...exec('alive?'), periodSeconds: 1, timeoutSeconds: 4, failureThreshold: 2 },
    });
    ward.exec = () => ({ takesMs: Infinity });
    ward.commands.length = 0;
    const { world, uid } = ward;
    await world.until('the next run', () => ward.attempts()[0] === 1);
    expect(ward.gaps('alive?').every((gap) => gap >= 4)).toBe(true);
    expect(world.control.dataOf(uid, 'ContainerKilling')).toMatchObject([
      { message: 'Container app failed liveness probe, will be restarted' },
    ]);
    expect(world.control.dataOf(uid, 'ContainerExited')).toMatchObject([{ condemned: true }]);
    expect(world.control.dataOf(uid, 'ContainerProbeFailed').at(-1)?.message).toMatch(/^command timed out/);
  });

  it('blame no container for an engine that is away', async () => {
    const ward = await Ward.open({ livenessProbe: { ...exec('alive?'), periodSeconds: 1, failureThreshold: 1 } });
    const { world } = ward;
    await world.advance(2_000);
    world.engine.goDown();
    await world.advance(60_000);
    world.engine.comeUp('kept');
    await world.advance(10_000);
    expect(ward.attempts()).toEqual([0]);
    expect(world.control.dataOf(ward.uid, 'ContainerProbeFailed')).toEqual([]);
  });

  it('are taken up by the next agent: who was ready stays so until the probe has failed often enough', async () => {
    const ward = await Ward.open({
      startupProbe: { ...exec('up?'), periodSeconds: 1 },
      readinessProbe: { ...exec('ready?'), periodSeconds: 2, failureThreshold: 3 },
    });
    const { world } = ward;
    await world.until('ready', () => ward.isReady());
    await world.advance(30_000);
    world.crash();
    ward.commands.length = 0;
    ward.exec = () => ({ exitCode: 1 });
    await world.start();
    await world.until('two checks have failed', () => ward.commands.length === 2);
    expect(ward.isReady()).toBe(true);
    await world.until('unready', () => !ward.isReady());
    expect(ward.commands.map(({ command }) => command)).toEqual(['ready?', 'ready?', 'ready?']);
    expect(ward.attempts()).toEqual([0]);
  });

  it('end with their pod: none is asked of one that is gone', async () => {
    const ward = await Ward.open({ livenessProbe: { ...exec('alive?'), periodSeconds: 1 } });
    const { world } = ward;
    world.control.delete(ward.uid, 0);
    await world.until('it is gone', () => world.isEmpty);
    const asked = ward.commands.length;
    await world.advance(30_000);
    expect(ward.commands).toHaveLength(asked);
  });
});

describe('hooks on a node', () => {
  it('postStart comes before the probes, and running after it', async () => {
    const ward = await Ward.open({
      lifecycle: { postStart: exec('begin') },
      readinessProbe: { ...exec('ready?'), periodSeconds: 1 },
    });
    const { world } = ward;
    ward.exec = () => ({});
    await world.until('ready', () => ward.isReady());
    expect(ward.commands.slice(0, 2).map(({ command }) => command)).toEqual(['begin', 'ready?']);
    expect(world.control.history(ward.uid)).toContain('PostStartHookSucceeded');
  });

  it('postStart is begun again when the engine went away in the middle', async () => {
    const ward = await Ward.open({ lifecycle: { postStart: exec('begin') } }, {}, {});
    const { world } = ward;
    await world.until('ready', () => ward.isReady());
    ward.exec = (command) => (command === 'begin' ? { takesMs: 5_000 } : {});
    world.engine.kill(world.running('app')[0]?.seen.id ?? '');
    await world.until('it is begun', () => ward.commands.length === 2);
    world.engine.goDown();
    await world.advance(2_000);
    world.engine.comeUp('kept');
    await world.until('ready again', () => ward.isReady());
    expect(ward.commands).toHaveLength(3);
    expect(ward.attempts()).toEqual([1]);
  });

  it('preStop comes out of the grace period, and its failure is told', async () => {
    const ward = await Ward.open(
      { lifecycle: { preStop: exec('end') } },
      { terminationGracePeriodSeconds: 10 },
      { ignoresStop: true },
    );
    const { world, uid } = ward;
    await world.until('ready', () => ward.isReady());
    ward.exec = () => ({ takesMs: 4_000, exitCode: 7 });
    const from = world.clock.now();
    world.control.delete(uid, 10);
    await world.until('killed', () => world.running('app').length === 0);
    const tookMs = world.clock.now() - from;
    expect(tookMs).toBeGreaterThanOrEqual(10_000);
    expect(tookMs).toBeLessThan(11_000);
    expect(world.control.dataOf(uid, 'LifecycleHookFailed')).toMatchObject([
      { hook: 'preStop', message: 'command exited with code 7' },
    ]);
  });

  it('preStop may sleep or ask a server, whatever that answers', async () => {
    const preStop = { httpGet: { port: 80, path: '/drain' } };
    const ward = await Ward.open({ lifecycle: { preStop } }, {}, { answers: () => ({ type: 'http', status: 500 }) });
    const { world, uid } = ward;
    await world.until('ready', () => ward.isReady());
    world.control.delete(uid, 30);
    await world.until('it is gone', () => world.isEmpty);
    expect(world.prober.asked).toMatchObject([{ type: 'http', path: '/drain' }]);
    expect(world.control.dataOf(uid, 'LifecycleHookFailed')).toEqual([]);
  });
});
