import type { Clock, Millis, ObservedContainer, PodKey } from '#domain';
import {
  RuntimeError,
  type ContainerSpec,
  type ExecResult,
  type PortBinding,
  type SandboxSpec,
} from '../../apps/executor/src/runtime/container-runtime.js';
import { FakeImages, fakeImageId, type FakeImage, type FakeProgram } from './fake-images.js';

/** Where every effect passes through. `work` takes effect when it is called; the simulation says when, and loses answers. */
export type Schedule = <T>(label: string, work: () => T) => Promise<T>;

export interface FakeEngineOptions {
  readonly clock: Clock;
  /** Default: at once. */
  readonly schedule?: Schedule;
  readonly cpuMillis?: number;
  readonly memoryBytes?: number;
}

/** The cluster and node something belongs to. */
export interface FakeScope {
  readonly cluster: string;
  readonly node: string;
}

export interface OutputLine {
  readonly at: Millis;
  readonly text: string;
}

/** A container as the engine holds it; `seen` is what it shows. */
export interface FakeContainer {
  readonly key: string;
  readonly scope: FakeScope;
  readonly program: FakeProgram;
  readonly ports: readonly PortBinding[];
  readonly volumes: readonly string[];
  readonly output: OutputLine[];
  seen: ObservedContainer;
  /** Cancels what the process would still do. */
  cancel: () => void;
}

export interface FakeVolume {
  readonly key: string;
  readonly scope: FakeScope;
  readonly pod: PodKey;
}

/** What is kept of a command's output. */
const MOST_EXEC_OUTPUT = 10 * 1024;
const PAUSE: FakeProgram = { stopExitCode: 0 };
/** What an engine writes for a container that it finds dead after a power cut. */
const UNSEEN_EXIT_CODE = 255;

const atOnce: Schedule = async (_label, work) => work();

/**
 * A container engine in memory: what is on it outlives the executors that look at it ({@link FakeContainerRuntime} is such
 * a look). It keeps to the same rules as Docker, without processes: an image's {@link FakeProgram} says what they would do.
 * Same calls, same clock: same history.
 */
export class FakeEngine {
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly capacity: { readonly cpuMillis: number; readonly memoryBytes: number };
  readonly images = new FakeImages();
  private readonly containers = new Map<string, FakeContainer>();
  private readonly volumesByKey = new Map<string, FakeVolume>();
  private readonly watchers = new Set<(change: FakeContainer | undefined) => void>();
  private readonly outages = new Set<() => void>();
  private reachable = true;
  private made = 0;
  private addresses = 0;

  constructor({ clock, schedule = atOnce, cpuMillis = 4_000, memoryBytes = 8 * 2 ** 30 }: FakeEngineOptions) {
    this.clock = clock;
    this.schedule = schedule;
    this.capacity = { cpuMillis, memoryBytes };
  }

  // ---- what a test or the simulation does to it

  addImage(reference: string, image: FakeImage = {}): void {
    this.images.add(reference, image);
  }

  /** The engine stops answering; its containers run on. */
  goDown(): void {
    this.reachable = false;
    for (const outage of [...this.outages]) outage();
  }

  /** It answers again. `killed`: it came up as an engine without live-restore does, ending what still ran. */
  comeUp(containers: 'kept' | 'killed'): void {
    if (containers === 'killed')
      this.endAll(({ program }) => (program.ignoresStop ? 137 : (program.stopExitCode ?? 143)));
    this.reachable = true;
    this.notify(undefined);
  }

  /** The host loses its power; {@link comeUp} brings it back. */
  powerOff(): void {
    this.goDown();
    this.endAll(() => UNSEEN_EXIT_CODE);
  }

  /** Somebody kills a container behind the executor's back. */
  kill(id: string): void {
    const container = this.containers.get(id);
    if (container !== undefined) this.end(container, { exitCode: 137 });
  }

  /** A process writes a line. */
  print(id: string, text: string): void {
    const container = this.containers.get(id);
    if (container === undefined) return;
    container.output.push({ at: this.clock.now(), text });
    this.notify(container);
  }

  /** Everything there is, of every cluster and node: for invariants. */
  all(): { readonly containers: readonly FakeContainer[]; readonly volumes: readonly FakeVolume[] } {
    return { containers: [...this.containers.values()], volumes: [...this.volumesByKey.values()] };
  }

  // ---- what the views do; each is one effect, and throws Unavailable while the engine is down

  /** Runs an effect through the schedule; the engine must be up when it takes place. */
  call<T>(label: string, work: () => T): Promise<T> {
    return this.schedule(label, () => {
      if (!this.reachable) throw unavailable(label);
      return work();
    });
  }

  find(id: string): FakeContainer | undefined {
    return this.containers.get(id);
  }

  createVolume(scope: FakeScope, pod: PodKey, name: string): string {
    const key = `${scope.cluster}/${scope.node}/${pod.uid}/${name}`;
    if (!this.volumesByKey.has(key)) this.volumesByKey.set(key, { key, scope, pod });
    return key;
  }

  removeVolume(volume: FakeVolume): void {
    const user = [...this.containers.values()].find(({ volumes }) => volumes.includes(volume.key));
    if (user !== undefined) throw new RuntimeError('Failed', `volume ${volume.key} is in use by ${user.seen.id}`);
    this.volumesByKey.delete(volume.key);
  }

  createSandbox(scope: FakeScope, spec: SandboxSpec): FakeContainer {
    const volumes = spec.volumes.map(({ name }) => this.createVolume(scope, spec.pod, name));
    const identity = { ...identityOf(spec), role: 'sandbox' as const, name: '' };
    const image = { image: 'pause', imageId: 'sha256:pause' };
    return this.create(scope, identity, { ...image, program: PAUSE, ports: spec.ports, volumes });
  }

  createApp(scope: FakeScope, spec: ContainerSpec): FakeContainer {
    const sandbox = this.containers.get(spec.sandboxId);
    const program = this.images.programFor(spec.image);
    if (sandbox === undefined) throw new RuntimeError('NotFound', `no such container: ${spec.sandboxId}`);
    const identity = { ...identityOf(spec), role: 'app' as const, name: spec.name, sandboxId: spec.sandboxId };
    return this.create(scope, identity, {
      image: spec.image,
      imageId: fakeImageId(spec.image),
      program,
      ports: [],
      volumes: spec.mounts.map(({ volume }) => this.createVolume(scope, spec.pod, volume)),
    });
  }

  /** Starts what is `created`; what runs or has ended is left as it is. */
  start(container: FakeContainer): void {
    if (container.seen.state !== 'created') return;
    const taken = this.takenPort(container);
    if (taken !== undefined) {
      const message = `port ${taken} is already allocated`;
      container.seen = { ...container.seen, startError: message, exitCode: 128 };
      throw new RuntimeError('PortTaken', message);
    }
    if (container.seen.role === 'app' && this.find(container.seen.sandboxId ?? '')?.seen.state !== 'running') {
      throw new RuntimeError('Failed', `cannot join network of a non running container: ${container.seen.sandboxId}`);
    }
    this.failStart(container);
    const ip = container.seen.role === 'sandbox' ? { ip: this.nextAddress() } : {};
    const { startError: _startError, exitCode: _exitCode, ...seen } = container.seen;
    container.seen = { ...seen, ...ip, state: 'running', startedAt: this.clock.now() };
    for (const text of container.program.prints ?? []) container.output.push({ at: this.clock.now(), text });
    this.notify(container);
    const { exitsAfterMs, exitCode = 0, oomKilled = false } = container.program;
    if (exitsAfterMs === undefined) return;
    const end = oomKilled ? { exitCode: 137, oomKilled } : { exitCode };
    container.cancel = this.clock.after(exitsAfterMs, () => this.end(container, end));
  }

  /** Sends the stop signal, or SIGKILL. */
  signal(container: FakeContainer, signal: 'stop' | 'kill'): void {
    if (container.seen.state !== 'running') return;
    const { ignoresStop, stopTakesMs = 0, stopExitCode = 143 } = container.program;
    if (signal === 'kill') this.end(container, { exitCode: 137 });
    else if (ignoresStop) return;
    else if (stopTakesMs === 0) this.end(container, { exitCode: stopExitCode });
    else {
      container.cancel();
      container.cancel = this.clock.after(stopTakesMs, () => this.end(container, { exitCode: stopExitCode }));
    }
  }

  /** A command run in a container; it ends with the container if that ends first. */
  async exec(container: FakeContainer, command: readonly string[], timeoutMs: number): Promise<ExecResult> {
    const label = `exec ${container.seen.id.slice(0, 12)}`;
    if (container.seen.state !== 'running') throw new RuntimeError('Failed', `${label}: the container is not running`);
    const upMs = this.clock.now() - (container.seen.startedAt ?? 0);
    const { exitCode = 0, output = '', takesMs = 0 } = container.program.exec?.(command, upMs) ?? {};
    const over = new AbortController();
    const cancel = this.clock.after(Math.min(takesMs, timeoutMs), () => over.abort());
    try {
      if (takesMs > 0) await this.whenever(label, () => container.seen.state !== 'running', over.signal);
    } finally {
      cancel();
    }
    if (container.seen.state !== 'running') return { exitCode: 137, output: '' };
    if (takesMs > timeoutMs) throw new RuntimeError('DeadlineExceeded', `${label}: timed out`);
    return { exitCode, output: output.slice(0, MOST_EXEC_OUTPUT) };
  }

  remove(container: FakeContainer): void {
    container.cancel();
    if (!this.containers.delete(container.seen.id)) return;
    const { ip: _ip, ...seen } = container.seen;
    container.seen = { ...seen, state: 'exited' };
    this.notify(container);
  }

  /** Calls `changed` with a container that started, wrote, ended or went, and without after the engine came up. */
  watch(changed: (container: FakeContainer | undefined) => void): () => void {
    this.watchers.add(changed);
    return () => this.watchers.delete(changed);
  }

  /** Resolves when `holds`; rejects with Unavailable when the engine goes down before, and ends when the signal aborts. */
  whenever(label: string, holds: () => boolean, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void) => (): void => {
        unwatch();
        this.outages.delete(fail);
        signal?.removeEventListener('abort', stop);
        settle();
      };
      const fail = finish(() => reject(unavailable(label)));
      const stop = finish(resolve);
      const unwatch = this.watch(() => {
        if (holds()) stop();
      });
      this.outages.add(fail);
      signal?.addEventListener('abort', stop, { once: true });
      if (!this.reachable) fail();
      else if (holds() || signal?.aborted) stop();
    });
  }

  get up(): boolean {
    return this.reachable;
  }

  // ---- inside

  private create(
    scope: FakeScope,
    identity: Pick<ObservedContainer, 'pod' | 'attempt' | 'specHash' | 'role' | 'name' | 'sandboxId'>,
    of: Pick<FakeContainer, 'program' | 'ports' | 'volumes'> & Pick<ObservedContainer, 'image' | 'imageId'>,
  ): FakeContainer {
    const key = [scope.cluster, scope.node, identity.pod.uid, identity.name, identity.attempt].join('/');
    const existing = [...this.containers.values()].find((container) => container.key === key);
    if (existing !== undefined) {
      const same = existing.seen.specHash === identity.specHash && existing.seen.sandboxId === identity.sandboxId;
      if (same) return existing;
      this.remove(existing);
    }
    this.made += 1;
    const { program, ports, volumes, image, imageId } = of;
    const container: FakeContainer = {
      ...{ key, scope, program, ports, volumes, output: [], cancel: () => undefined },
      seen: {
        ...identity,
        ...{ image, imageId, id: this.made.toString(16).padStart(12, '0').padEnd(64, '0') },
        state: 'created',
        createdAt: this.clock.now(),
      },
    };
    this.containers.set(container.seen.id, container);
    return container;
  }

  private failStart(container: FakeContainer): void {
    const failure = this.images.nextStartFailure(container.seen.image);
    if (failure === undefined) return;
    const { exitCode, message } = failure;
    container.seen = { ...container.seen, startError: message, exitCode };
    throw new RuntimeError('StartFailed', message, exitCode);
  }

  private takenPort(container: FakeContainer): string | undefined {
    const inUse = [...this.containers.values()]
      .filter((other) => other !== container && other.seen.state === 'running')
      .flatMap(({ ports }) => ports);
    const clash = container.ports.find((port) => inUse.some((other) => collide(port, other)));
    return clash && `${clash.hostIP ?? '0.0.0.0'}:${clash.hostPort}/${clash.protocol}`;
  }

  private end(
    container: FakeContainer,
    how: Pick<ObservedContainer, 'exitCode' | 'oomKilled' | 'infrastructureExit'>,
  ): void {
    if (container.seen.state !== 'running') return;
    container.cancel();
    const { ip: _ip, ...seen } = container.seen;
    container.seen = { ...seen, oomKilled: false, ...how, state: 'exited', finishedAt: this.clock.now() };
    this.notify(container);
  }

  private endAll(exitCodeOf: (container: FakeContainer) => number): void {
    for (const container of this.containers.values()) {
      this.end(container, { exitCode: exitCodeOf(container), infrastructureExit: true });
    }
  }

  private notify(container: FakeContainer | undefined): void {
    for (const changed of [...this.watchers]) changed(container);
  }

  private nextAddress(): string {
    this.addresses += 1;
    return `10.88.${Math.floor(this.addresses / 250)}.${(this.addresses % 250) + 2}`;
  }
}

function identityOf(spec: SandboxSpec | ContainerSpec): Pick<ObservedContainer, 'pod' | 'attempt' | 'specHash'> {
  return { pod: spec.pod, attempt: spec.attempt, specHash: spec.specHash };
}

function collide(a: PortBinding, b: PortBinding): boolean {
  const everywhere = (port: PortBinding): boolean => port.hostIP === undefined || port.hostIP === '0.0.0.0';
  const sameAddress = everywhere(a) || everywhere(b) || a.hostIP === b.hostIP;
  return a.hostPort === b.hostPort && a.protocol === b.protocol && sameAddress;
}

function unavailable(label: string): RuntimeError {
  return new RuntimeError('Unavailable', `${label}: the engine does not answer`);
}
