import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Dockerode from 'dockerode';
import type { Clock } from '#domain';
import { purgeCluster } from '../../apps/executor/src/runtime/docker-purge.js';
import { DockerRuntime } from '../../apps/executor/src/runtime/docker-runtime.js';
import type { Command, Program } from '../contract/container-runtime.contract.js';
import type { ProcessBench } from '../contract/pod-processes.contract.js';
import { busybox, busyboxWith } from './images.js';
import { TestRegistry } from './registry.js';
import { systemClock } from './system-clock.js';

/** Where this machine's engine listens. */
export const ENGINE_SOCKET = '/var/run/docker.sock';

const PATIENCE_MS = 30_000;
const POLL_MS = 20;
const LITTLE_MEMORY = 16 * 2 ** 20;

/** A socket in front of the engine's that can be cut, and that can fall silent. */
export class SocketProxy {
  private readonly sockets = new Set<Socket>();
  private server: Server | undefined;
  private silent = false;

  constructor(readonly path: string) {}

  async listen(): Promise<void> {
    const server = createServer((client) => {
      const engine = createConnection(ENGINE_SOCKET);
      for (const socket of [client, engine]) {
        this.sockets.add(socket);
        socket.on('error', () => socket.destroy());
        socket.on('close', () => this.sockets.delete(socket));
      }
      client.on('data', (data) => void (this.silent || engine.write(data)));
      engine.on('data', (data) => void (this.silent || client.write(data)));
      client.on('close', () => engine.destroy());
      // end, not destroy: what the engine has sent still has to go out.
      engine.on('close', () => client.end());
    });
    await new Promise<void>((resolve) => server.listen(this.path, resolve));
    this.server = server;
  }

  async cut(): Promise<void> {
    const server = this.server;
    if (server === undefined) return;
    this.server = undefined;
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  /** Like an engine that hangs: connections are taken, nothing is answered. */
  hang(silent: boolean): void {
    this.silent = silent;
  }
}

/** The real engine, behind a socket that can be cut. Everything it makes is of its own random clusters, and is purged. */
export class DockerBench implements ProcessBench {
  readonly cluster = `test-${randomUUID()}`;
  readonly docker = new Dockerode({ socketPath: ENGINE_SOCKET });
  private readonly clusters = new Set([this.cluster]);
  private readonly pulled: string[] = [];
  private images = 0;

  private constructor(
    readonly proxy: SocketProxy,
    private readonly directory: string,
    private readonly registry: TestRegistry,
    private readonly busybox: string,
  ) {}

  static async start(): Promise<DockerBench> {
    const directory = await mkdtemp(join(tmpdir(), 'podledger-docker-'));
    const proxy = new SocketProxy(join(directory, 'docker.sock'));
    await proxy.listen();
    const image = await busybox(new Dockerode({ socketPath: ENGINE_SOCKET }));
    return new DockerBench(proxy, directory, await TestRegistry.start(), image);
  }

  runtime(cluster?: string, node = 'node', clock: Clock = systemClock): DockerRuntime {
    const named = cluster === undefined ? this.cluster : `${this.cluster}-${cluster}`;
    this.clusters.add(named);
    return new DockerRuntime({ docker: this.proxy.path, cluster: named, node, clock });
  }

  /** A shell script in busybox. */
  script(script: string): { readonly image: string; readonly command: readonly string[] } {
    return { image: this.busybox, command: ['sh', '-c', script] };
  }

  echoImage(): Promise<string> {
    const config = { Entrypoint: ['echo', 'from-image'], Cmd: ['by', 'default'] };
    return busyboxWith(this.docker, 'podledger-test/echo:1', {}, config);
  }

  program(program: Program) {
    const untilStopped = 'trap "exit 143" TERM; sleep 3600 & wait';
    switch (program.does) {
      case 'run':
        return this.script(untilStopped);
      case 'exit':
        return this.script(`sleep ${program.afterMs / 1000}; exit ${program.code}`);
      case 'ignore the stop signal':
        // The kernel keeps signals without a handler away from the first process of a PID namespace.
        return { image: this.busybox, command: ['sleep', '3600'] };
      case 'print': {
        const prints = `printf '%s\\n' ${program.lines.join(' ')}`;
        return this.script(program.then === 'run' ? `trap "exit 143" TERM; ${prints}; sleep 3600 & wait` : prints);
      }
      case 'fail to start':
        return { image: this.busybox, command: [program.code === 127 ? '/no/such/program' : '/etc/passwd'] };
      case 'run out of memory': {
        // Twice: the engine may lose the notice of a container that ends in the same moment, but not that of its child before.
        const dd = 'dd if=/dev/zero of=/dev/null bs=64M count=1';
        return { ...this.script(`${dd}; sleep 0.5; exec ${dd}`), memoryLimitBytes: LITTLE_MEMORY };
      }
    }
  }

  command(command: Command): readonly string[] {
    switch (command.does) {
      case 'say':
        return ['sh', '-c', `echo ${command.text}; exit ${command.code}`];
      case 'hang':
        return ['sh', '-c', 'sleep 3600'];
      case 'write':
        return ['sh', '-c', `head -c ${command.bytes} /dev/zero`];
    }
  }

  async pullable(): Promise<string> {
    const content = `${randomUUID()}\n`.repeat(100_000);
    const { reference } = this.registry.add(`made/image-${(this.images += 1)}`, '1', [{ path: '/data', content }]);
    this.pulled.push(reference);
    return reference;
  }

  async unpullable(): Promise<string> {
    return `${this.registry.address}/made/nothing:1`;
  }

  async freeHostPort(): Promise<number> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise<void>((resolve) => server.close(() => resolve()));
    return port;
  }

  passing<T>(work: Promise<T>): Promise<T> {
    return work;
  }

  async eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    const until = systemClock.now() + PATIENCE_MS;
    while (!(await holds())) {
      if (systemClock.now() > until) throw new Error(`not within ${PATIENCE_MS} ms: ${what}`);
      await systemClock.sleep(POLL_MS);
    }
  }

  cutOff(): Promise<void> {
    return this.proxy.cut();
  }

  reconnect(): Promise<void> {
    return this.proxy.listen();
  }

  async dispose(): Promise<void> {
    for (const cluster of this.clusters) await purgeCluster(ENGINE_SOCKET, { cluster }, systemClock);
    for (const reference of this.pulled)
      await this.docker
        .getImage(reference)
        .remove()
        .catch(() => undefined);
    await this.registry.stop();
    await this.proxy.cut();
    await rm(this.directory, { recursive: true, force: true });
  }
}
