import type { ObservedContainer } from '#domain';
import {
  RuntimeError,
  type ContainerRuntime,
  type ContainerSpec,
  type ExecResult,
  type LogOptions,
  type PullProgress,
  type RuntimeInfo,
  type SandboxSpec,
} from '../../apps/executor/src/runtime/container-runtime.js';
import type { FakeContainer, FakeEngine, FakeScope, OutputLine } from './fake-engine.js';
import { fakeImageId } from './fake-images.js';

const STOP_MARGIN_MS = 10_000;
const IMAGE_NAME = /^[a-z0-9][a-z0-9._/-]*(:[0-9]+\/[a-z0-9._/-]+)?(:[\w][\w.-]*)?(@sha256:[0-9a-f]{64})?$/;

/** A {@link FakeEngine} as one executor sees it: one cluster, one node. A new one on the same engine is a restarted executor. */
export class FakeContainerRuntime implements ContainerRuntime {
  private readonly pulls = new Map<string, { readonly done: Promise<string>; readonly listeners: Set<Listener> }>();
  private readonly watches = new Set<() => void>();
  private crashed = false;

  constructor(
    private readonly engine: FakeEngine,
    private readonly scope: FakeScope,
  ) {}

  /** The executor's process is gone: nothing it asked for is answered any more, and nothing wakes it. */
  crash(): void {
    this.crashed = true;
    for (const unwatch of this.watches) unwatch();
    this.watches.clear();
  }

  async info(): Promise<RuntimeInfo> {
    return this.call('info', () => ({
      engineId: 'fake',
      ...this.engine.capacity,
      runtimeVersion: 'fake://1',
      operatingSystem: 'linux',
      osImage: 'Fake Linux',
      kernelVersion: '6.1.0',
      architecture: 'amd64',
    }));
  }

  async list(podUid?: string): Promise<ObservedContainer[]> {
    return this.call(`list ${podUid ?? ''}`, () =>
      this.engine
        .all()
        .containers.filter((container) => this.isOwn(container))
        .map(({ seen }) => seen)
        .filter(({ pod }) => podUid === undefined || pod.uid === podUid),
    );
  }

  async podsWithVolumes(): Promise<string[]> {
    return this.call('podsWithVolumes', () => [...new Set(this.ownVolumes().map(({ pod }) => pod.uid))]);
  }

  async createSandbox(spec: SandboxSpec): Promise<ObservedContainer> {
    return this.call(`createSandbox ${spec.pod.name}`, () => this.engine.createSandbox(this.scope, spec).seen);
  }

  async startSandbox(id: string): Promise<ObservedContainer> {
    return this.call(`startSandbox ${short(id)}`, () => {
      const sandbox = this.own(id);
      if (sandbox.seen.state === 'exited') throw new RuntimeError('Failed', `sandbox ${id} has ended`);
      this.engine.start(sandbox);
      return sandbox.seen;
    });
  }

  async createContainer(spec: ContainerSpec): Promise<ObservedContainer> {
    return this.call(`create ${spec.pod.name}/${spec.name}`, () => this.engine.createApp(this.scope, spec).seen);
  }

  async startContainer(id: string): Promise<void> {
    return this.call(`start ${short(id)}`, () => this.engine.start(this.own(id)));
  }

  async stop(id: string, graceSeconds: number): Promise<void> {
    const label = `stop ${short(id)}`;
    const running = (): FakeContainer | undefined => {
      const container = this.engine.find(id);
      return container !== undefined && this.isOwn(container) && container.seen.state === 'running'
        ? container
        : undefined;
    };
    const ended = (): boolean => running() === undefined;
    const { clock } = this.engine;
    const send = (signal: 'stop' | 'kill') => (): void => {
      const container = running();
      if (this.engine.up && container !== undefined) this.engine.signal(container, signal);
    };
    await this.call(label, send(graceSeconds > 0 ? 'stop' : 'kill'));
    if (ended()) return;
    // The engine itself kills when the grace period is over, whether or not the caller still lives.
    const cancelKill = clock.after(graceSeconds * 1000, send('kill'));
    const deadline = new AbortController();
    const cancelDeadline = clock.after(graceSeconds * 1000 + STOP_MARGIN_MS, () => deadline.abort());
    try {
      await this.engine.whenever(label, ended, deadline.signal);
      if (!ended()) throw new RuntimeError('DeadlineExceeded', `${label}: not ended in time`);
    } finally {
      if (ended()) cancelKill();
      cancelDeadline();
    }
    await this.call(`${label}: ended`, () => undefined);
  }

  async exec(
    id: string,
    command: readonly string[],
    { timeoutMs }: { readonly timeoutMs: number },
  ): Promise<ExecResult> {
    const label = `exec ${short(id)}`;
    const { running } = await this.call(label, () => {
      // Wrapped, so that what takes long is not waited for within the one effect that begins it.
      const running = this.engine.exec(this.own(id), command, timeoutMs);
      // It may fail before anybody waits for it.
      running.catch(() => undefined);
      return { running };
    });
    const result = await running;
    return this.call(`${label}: ended`, () => result);
  }

  async remove(id: string): Promise<void> {
    return this.call(`remove ${short(id)}`, () => {
      const container = this.engine.find(id);
      if (container !== undefined && this.isOwn(container)) this.engine.remove(container);
    });
  }

  async removeVolumes(podUid: string): Promise<void> {
    return this.call(`removeVolumes ${podUid}`, () => {
      for (const volume of this.ownVolumes()) if (volume.pod.uid === podUid) this.engine.removeVolume(volume);
    });
  }

  async image(reference: string): Promise<{ readonly imageId: string } | undefined> {
    requireValidName(reference);
    return this.call(`image ${reference}`, () =>
      this.engine.images.isPresent(reference) ? { imageId: fakeImageId(reference) } : undefined,
    );
  }

  async pull(reference: string, onProgress: Listener): Promise<{ readonly imageId: string }> {
    requireValidName(reference);
    let pull = this.pulls.get(reference);
    if (pull === undefined) {
      const listeners = new Set<Listener>();
      const done = this.pullOnce(reference, (progress) => listeners.forEach((listen) => listen(progress)));
      pull = { done: done.finally(() => this.pulls.delete(reference)), listeners };
      this.pulls.set(reference, pull);
    }
    pull.listeners.add(onProgress);
    return { imageId: await pull.done };
  }

  async logs(
    id: string,
    options: LogOptions,
    onChunk: (chunk: Uint8Array) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    const label = `logs ${short(id)}`;
    const container = await this.call(label, () => this.own(id));
    const since = options.sinceMillis ?? 0;
    const written = container.output.filter(({ at }) => at >= since);
    const first = options.tailLines === undefined ? 0 : Math.max(0, written.length - options.tailLines);
    let next = container.output.length - (written.length - first);
    const ended = (): boolean => container.seen.state === 'exited';
    for (;;) {
      for (; next < container.output.length && !signal.aborted; next += 1) {
        const line = container.output[next];
        if (line !== undefined) await onChunk(encoded(line, options.timestamps));
      }
      if (signal.aborted || !options.follow || ended()) return;
      const from = next;
      await this.engine.whenever(label, () => ended() || container.output.length > from, signal);
    }
  }

  onChange(wake: (podUid?: string) => void): () => void {
    const changed = (container: FakeContainer | undefined): void => {
      if (container !== undefined && !this.isOwn(container)) return;
      if (!this.engine.up) return;
      // A hint on its way may be lost: nobody waits for it.
      void this.engine
        .schedule(`wake ${container?.seen.pod.name ?? ''}`, () => {
          if (this.watches.has(stop)) wake(container?.seen.pod.uid);
        })
        .catch(() => undefined);
    };
    const unwatch = this.engine.watch(changed);
    const stop = (): void => {
      unwatch();
      this.watches.delete(stop);
    };
    this.watches.add(stop);
    changed(undefined);
    return stop;
  }

  /** An effect on the engine; a crashed executor hears nothing of it. */
  private async call<T>(label: string, work: () => T): Promise<T> {
    if (this.crashed) return new Promise<never>(() => undefined);
    try {
      return await this.engine.call(label, work);
    } finally {
      if (this.crashed) await new Promise<never>(() => undefined);
    }
  }

  private async pullOnce(reference: string, onProgress: Listener): Promise<string> {
    const label = `pull ${reference}`;
    const { takesMs, bytes } = await this.call(label, () => this.engine.images.requestPull(reference));
    for (const share of [0.5, 1]) {
      await this.engine.clock.sleep(takesMs / 2);
      await this.call(label, () => onProgress({ bytesDone: Math.round(bytes * share), bytesTotal: bytes }));
    }
    await this.call(label, () => this.engine.images.completePull(reference));
    return fakeImageId(reference);
  }

  private isOwn({ scope }: { readonly scope: FakeScope }): boolean {
    return scope.cluster === this.scope.cluster && scope.node === this.scope.node;
  }

  private own(id: string): FakeContainer {
    const container = this.engine.find(id);
    if (container === undefined || !this.isOwn(container)) throw new RuntimeError('NotFound', `no container ${id}`);
    return container;
  }

  private ownVolumes() {
    return this.engine.all().volumes.filter((volume) => this.isOwn(volume));
  }
}

type Listener = (progress: PullProgress) => void;

function requireValidName(reference: string): void {
  if (!IMAGE_NAME.test(reference)) {
    throw new RuntimeError('InvalidImageName', `couldn't parse image name "${reference}": invalid reference format`);
  }
}

function encoded({ at, text }: OutputLine, timestamps: boolean): Uint8Array {
  const stamp = timestamps ? `${new Date(at).toISOString().replace('Z', '000000Z')} ` : '';
  return new TextEncoder().encode(`${stamp}${text}\n`);
}

function short(id: string): string {
  return id.slice(0, 12);
}
