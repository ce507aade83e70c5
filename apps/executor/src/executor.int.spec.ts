import { jest } from '@jest/globals';
import type { Container, PodSpec } from '#domain';
import { answer, ask, createSealKeys, InMemoryBroker, logsCall, logsSubject, streamCall, type InMemoryBus } from '#bus';
import { aContainer, aPodSpec } from '../../../test/support/builders.js';
import { DockerBench } from '../../../test/support/docker-bench.js';
import { FakeControlPlane } from '../../../test/support/fake-control-plane.js';
import { SeededIds } from '../../../test/support/seeded-ids.js';
import { systemClock } from '../../../test/support/system-clock.js';
import type { SeenState } from './assignment-tracker.js';
import { Executor } from './executor.js';
import { NetworkProber } from './probes/network-prober.js';

jest.setTimeout(120_000);

/** A node on the real engine, under a control plane in memory. */
class Scene {
  readonly broker = new InMemoryBroker({ clock: systemClock, ids: new SeededIds() });
  readonly api: InMemoryBus = this.broker.connect('api');
  readonly control: FakeControlPlane;
  private executor: Executor | undefined;
  private seen: SeenState | undefined;

  private constructor(readonly bench: DockerBench) {
    this.control = new FakeControlPlane(this.api);
    this.control.cluster = bench.cluster;
  }

  static async start(): Promise<Scene> {
    const scene = new Scene(await DockerBench.start());
    await scene.startExecutor();
    return scene;
  }

  async startExecutor(): Promise<void> {
    const runtime = this.bench.runtime(undefined, 'n1');
    this.executor = new Executor({
      ...{ bus: this.broker.connect('executor'), clock: systemClock, ids: new SeededIds() },
      ...{ node: 'n1', hostIP: '192.0.2.1', capacityShare: 0.5 },
      store: { load: async () => this.seen, save: async (state) => void (this.seen = state) },
      describeEngine: () => runtime.info(),
      openRuntime: () => runtime,
      prober: new NetworkProber(systemClock),
      sealKeys: createSealKeys(),
      report: () => undefined,
    });
    await this.executor.start();
  }

  stopExecutor(): Promise<void> | undefined {
    return this.executor?.stop();
  }

  async dispose(): Promise<void> {
    await this.stopExecutor();
    await this.bench.dispose();
  }

  /** Ids of the pod's containers on the engine that run, in the order of their names. */
  async running(uid: string): Promise<string[]> {
    const label = [`podledger.dev/cluster=${this.bench.cluster}`, `io.kubernetes.pod.uid=${uid}`];
    const found = await this.bench.docker.listContainers({ filters: { label } });
    return found.sort((a, b) => ((a.Names[0] ?? '') < (b.Names[0] ?? '') ? -1 : 1)).map(({ Id }) => Id);
  }

  /** How much the engine still has of a pod. */
  async leftovers(uid: string): Promise<number> {
    const filters = { label: [`podledger.dev/cluster=${this.bench.cluster}`, `io.kubernetes.pod.uid=${uid}`] };
    const containers = await this.bench.docker.listContainers({ all: true, filters });
    const { Volumes } = await this.bench.docker.listVolumes({ filters });
    return containers.length + (Volumes ?? []).length;
  }

  async output(uid: string, container: string): Promise<string> {
    const id = new SeededIds(Number(uid.slice(4)) * 100 + container.length).uuid();
    const stream = `streams.n1.${id}`;
    const pieces: string[] = [];
    const ended = new Promise<void>((resolve) => {
      answer(this.api, stream, undefined, streamCall, async ({ data, end }) => {
        pieces.push(Buffer.from(data, 'base64').toString());
        if (end) resolve();
        return { proceed: true };
      });
    });
    const request = { uid, namespace: 'shop', pod: 'web', container, options: {}, stream };
    await ask(this.api, logsSubject('n1'), logsCall, request, 10_000);
    await ended;
    return pieces.join('');
  }

  script(name: string, script: string, over: Partial<Container> = {}): Container {
    const { image, command } = this.bench.script(script);
    return aContainer(name, { image, command, ...over });
  }

  /** An app that serves a file from the shared volume, and a helper that reads it on localhost. */
  pair(over: Partial<PodSpec> = {}): PodSpec {
    const volumeMounts = [{ name: 'data', mountPath: '/data' }];
    const env = [
      { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'GREETING', value: 'served on $(IP)' },
    ];
    const serve =
      'trap "exit 0" TERM; echo "$GREETING" > /data/draft; mv /data/draft /data/index.html; httpd -f -p 8080 -h /data & wait';
    const read =
      'trap "exit 0" TERM; until timeout 5 wget -q -O /got http://localhost:8080/ 2>/dev/null; do sleep 0.1; done; cat /got /data/index.html; sleep 3600 & wait';
    return aPodSpec({
      containers: [this.script('app', serve, { env, volumeMounts }), this.script('helper', read, { volumeMounts })],
      volumes: [{ name: 'data', emptyDir: {} }],
      ...over,
    });
  }
}

describe('a node on a Docker Engine', () => {
  let scene: Scene;
  beforeAll(async () => (scene = await Scene.start()));
  afterAll(() => scene.dispose());

  it('runs two containers as one pod, ends the helper with the app, and leaves nothing after deletion', async () => {
    const { bench, control } = scene;
    const uid = control.run('web', scene.pair({ restartPolicy: 'Never' }));
    await bench.eventually('Running', () => control.phase(uid) === 'Running');
    const ip = control.pod(uid).sandbox?.ip ?? '';
    const greeting = `served on ${ip}\n`;
    await bench.eventually('the helper has read the app', async () => {
      return (await scene.output(uid, 'helper')) === greeting.repeat(2);
    });
    expect(await (await fetch(`http://${ip}:8080/`)).text()).toBe(greeting);

    const app = control.pod(uid).containers['app']?.containerId ?? '';
    await bench.docker.getContainer(app).kill();
    await bench.eventually('Failed', () => control.phase(uid) === 'Failed');
    expect(control.pod(uid).containers['app']?.terminated).toMatchObject({ exitCode: 137, signal: 9, reason: 'Error' });
    expect(control.pod(uid).containers['helper']?.terminated).toMatchObject({ exitCode: 0 });
    await bench.eventually('the sandbox is given back', async () => (await scene.running(uid)).length === 0);
    expect(await scene.output(uid, 'helper')).toBe(greeting.repeat(2));

    control.delete(uid);
    await bench.eventually('gone', () => !control.has(uid));
    expect(await scene.leftovers(uid)).toBe(0);
  });

  it('restarts a pod as a whole, and a new executor adopts it', async () => {
    const { bench, control } = scene;
    const uid = control.run('web', scene.pair());
    await bench.eventually('Running', () => control.phase(uid) === 'Running');
    await bench.docker.getContainer(control.pod(uid).containers['app']?.containerId ?? '').kill();
    const isRunning = (): boolean =>
      Object.values(control.pod(uid).containers).every((one) => one.running && one.attempt === 1);
    await bench.eventually('both run again', isRunning);
    const before = await scene.running(uid);
    expect(before).toHaveLength(3);

    await scene.stopExecutor();
    expect(await scene.running(uid)).toEqual(before);
    await scene.startExecutor();
    const other = control.run(
      'other',
      aPodSpec({ containers: [scene.script('app', 'exit 0')], restartPolicy: 'Never' }),
    );
    await bench.eventually('the new executor works', () => control.phase(other) === 'Succeeded');
    expect(await scene.running(uid)).toEqual(before);
    expect(isRunning()).toBe(true);
    for (const one of [uid, other]) control.delete(one, 2);
    await bench.eventually('both gone', () => !control.has(uid) && !control.has(other));
    expect(await scene.leftovers(uid)).toBe(0);
  });

  it('lives through an engine that goes silent and comes back', async () => {
    const { bench, control } = scene;
    const uid = control.run('web', scene.pair());
    await bench.eventually('Running', () => control.phase(uid) === 'Running');
    const before = await scene.running(uid);
    await bench.cutOff();
    const meanwhile = control.run('meanwhile', aPodSpec({ containers: [scene.script('app', 'sleep 3600')] }));
    control.delete(uid, 1);
    await systemClock.sleep(1_500);
    expect(await scene.running(uid)).toEqual(before);
    await bench.reconnect();
    await bench.eventually(
      'the one is gone, the other runs',
      () => !control.has(uid) && control.phase(meanwhile) === 'Running',
    );
    control.delete(meanwhile, 0);
    await bench.eventually('gone', () => !control.has(meanwhile));
    expect(await scene.leftovers(uid)).toBe(0);
  });

  it.each([
    ['a program that is not there', { command: ['/no/such/program'] }, { exitCode: 127, reason: 'StartError' }],
    [
      'more memory than there is',
      { resources: { limits: { memory: '16Mi' } } },
      { exitCode: 137, reason: 'OOMKilled' },
    ],
  ])('says why a container ended: %s', async (_, over, termination) => {
    const { bench, control } = scene;
    const eater = { ...scene.script('app', ''), command: ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=64M', 'count=1'] };
    const uid = control.run('web', aPodSpec({ containers: [{ ...eater, ...over }], restartPolicy: 'Never' }));
    await bench.eventually('Failed', () => control.phase(uid) === 'Failed');
    expect(control.pod(uid).containers['app']?.terminated).toMatchObject(termination);
    control.delete(uid, 0);
    await bench.eventually('gone', () => !control.has(uid));
    expect(await scene.leftovers(uid)).toBe(0);
  });
});
