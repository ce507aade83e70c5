import { randomUUID } from 'node:crypto';
import type { ObservedContainer, PodKey } from '#domain';
import {
  RuntimeError,
  type ContainerRuntime,
  type ContainerSpec,
  type LogOptions,
  type PortBinding,
  type RuntimeFault,
  type SandboxSpec,
  type VolumeSpec,
} from '../../apps/executor/src/runtime/container-runtime.js';

/** What a test needs a process to do; each bench has its own way to get one that does. */
export type Program =
  /** Runs until it is told to stop, then ends with 143. */
  | { readonly does: 'run' }
  | { readonly does: 'exit'; readonly afterMs: number; readonly code: number }
  | { readonly does: 'ignore the stop signal' }
  | { readonly does: 'print'; readonly lines: readonly string[]; readonly then: 'exit' | 'run' }
  | { readonly does: 'fail to start'; readonly code: 126 | 127 }
  /** Takes more memory than its limit. */
  | { readonly does: 'run out of memory' };

/** What a test needs a command to do that is run beside a program. */
export type Command =
  | { readonly does: 'say'; readonly text: string; readonly code: number }
  /** Says nothing and does not end. */
  | { readonly does: 'hang' }
  /** Writes so many bytes and succeeds. */
  | { readonly does: 'write'; readonly bytes: number };

/** One engine under test, with what the suite must be able to do around it. */
export interface RuntimeBench {
  /** The engine as one cluster and node see it; the same arguments again are the same cluster and node, seen by a restarted executor. */
  runtime(cluster?: string, node?: string): ContainerRuntime;
  program(program: Program): Pick<ContainerSpec, 'image' | 'command' | 'args' | 'memoryLimitBytes'>;
  /** A command for containers that were started with one of {@link Program}. */
  command(command: Command): readonly string[];
  /** A reference that is in the registry and not on the engine, and one that no registry has. */
  pullable(): Promise<string>;
  unpullable(): Promise<string>;
  freeHostPort(): Promise<number>;
  /** Lets time pass until the work is done. */
  passing<T>(work: Promise<T>): Promise<T>;
  /** Lets time pass until it holds; fails when it does not within reasonable time. */
  eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void>;
  /** The engine can be reached no more, and again. Its containers run on. */
  cutOff(): Promise<void>;
  reconnect(): Promise<void>;
  dispose(): Promise<void>;
}

export const READ_ALL: LogOptions = { follow: false, timestamps: false };

export function podKey(name = 'web'): PodKey {
  return { uid: randomUUID(), namespace: 'shop', name };
}

export function sandboxSpec(pod: PodKey, more: Partial<SandboxSpec> = {}): SandboxSpec {
  return { pod, attempt: 0, specHash: 'sandbox-1', hostname: pod.name, ports: [], volumes: [], labels: {}, ...more };
}

export function containerSpec(
  sandbox: ObservedContainer,
  program: Pick<ContainerSpec, 'image'> & Partial<ContainerSpec>,
  more: Partial<ContainerSpec> = {},
): ContainerSpec {
  return {
    ...{ pod: sandbox.pod, sandboxId: sandbox.id, name: 'app', attempt: 0, specHash: 'app-1' },
    ...{ env: [], mounts: [], shareProcessNamespace: false, stdin: false, tty: false, labels: {} },
    ...program,
    ...more,
  };
}

/** A sandbox that runs. */
export async function startedSandbox(
  runtime: ContainerRuntime,
  pod = podKey(),
  more: Partial<SandboxSpec> = {},
): Promise<ObservedContainer> {
  const { id } = await runtime.createSandbox(sandboxSpec(pod, more));
  return runtime.startSandbox(id);
}

/** All output of a container, as text. */
export async function output(
  runtime: ContainerRuntime,
  id: string,
  options: LogOptions = READ_ALL,
  signal = new AbortController().signal,
): Promise<string> {
  const chunks: Uint8Array[] = [];
  await runtime.logs(id, options, async (chunk) => void chunks.push(chunk), signal);
  return Buffer.concat(chunks).toString();
}

/** The fault that work is refused with; fails when it is not. */
export async function faultOf(work: Promise<unknown>): Promise<{ fault: RuntimeFault; exitCode: number | undefined }> {
  try {
    await work;
  } catch (error) {
    if (error instanceof RuntimeError) return { fault: error.fault, exitCode: error.exitCode };
    throw error;
  }
  throw new Error('nothing was refused');
}

/** What every container runtime does, whatever runs behind it. */
export function describeContainerRuntime(name: string, makeBench: () => Promise<RuntimeBench>): void {
  describe(`container runtime contract: ${name}`, () => {
    let bench: RuntimeBench;
    let runtime: ContainerRuntime;
    beforeAll(async () => {
      bench = await makeBench();
      runtime = bench.runtime();
    });
    afterAll(() => bench.dispose());

    const seen = async (id: string, through = runtime): Promise<ObservedContainer | undefined> =>
      (await through.list()).find((container) => container.id === id);
    const member = (sandbox: ObservedContainer, program: Program, more: Partial<ContainerSpec> = {}) =>
      runtime.createContainer(containerSpec(sandbox, bench.program(program), more));
    const startedMember = async (sandbox: ObservedContainer, program: Program, more: Partial<ContainerSpec> = {}) => {
      const { id } = await member(sandbox, program, more);
      await runtime.startContainer(id);
      return id;
    };
    const ended = async (id: string): Promise<ObservedContainer> => {
      await bench.eventually(`${id} has ended`, async () => (await seen(id))?.state === 'exited');
      const container = await seen(id);
      if (container === undefined) throw new Error(`${id} has gone`);
      return container;
    };

    describe('sandbox', () => {
      it('is created without an address and has one while it runs', async () => {
        const pod = podKey();
        const created = await runtime.createSandbox(sandboxSpec(pod));
        expect(created).toMatchObject({
          pod,
          role: 'sandbox',
          name: '',
          attempt: 0,
          specHash: 'sandbox-1',
          state: 'created',
        });
        expect(created.ip).toBeUndefined();
        const started = await runtime.startSandbox(created.id);
        expect(started).toMatchObject({ id: created.id, state: 'running' });
        expect(started.ip).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
        expect(started.startedAt).toBeGreaterThanOrEqual(started.createdAt);
        await runtime.stop(started.id, 1);
        expect((await ended(started.id)).ip).toBeUndefined();
      });

      it('is started once, however often it is asked', async () => {
        const sandbox = await startedSandbox(runtime);
        expect(await runtime.startSandbox(sandbox.id)).toEqual(sandbox);
      });

      it('is not started again once it has ended', async () => {
        const sandbox = await startedSandbox(runtime);
        await bench.passing(runtime.stop(sandbox.id, 5));
        expect(await faultOf(runtime.startSandbox(sandbox.id))).toMatchObject({ fault: 'Failed' });
      });

      it('is told when a host port is taken, and starts once it is free', async () => {
        const ports: PortBinding[] = [{ containerPort: 80, protocol: 'TCP', hostPort: await bench.freeHostPort() }];
        const holder = await startedSandbox(runtime, podKey('holder'), { ports });
        const { id } = await runtime.createSandbox(sandboxSpec(podKey('late'), { ports }));
        expect(await faultOf(runtime.startSandbox(id))).toMatchObject({ fault: 'PortTaken' });
        expect((await seen(id))?.state).toBe('created');
        await runtime.remove(holder.id);
        expect((await runtime.startSandbox(id)).state).toBe('running');
      });
    });

    describe('members', () => {
      it('can be created before the sandbox runs, and are all started after', async () => {
        const sandbox = await runtime.createSandbox(sandboxSpec(podKey()));
        const [app, helper] = await Promise.all([
          member(sandbox, { does: 'run' }),
          member(sandbox, { does: 'run' }, { name: 'helper', specHash: 'helper-1' }),
          runtime.startSandbox(sandbox.id),
        ]);
        expect(app).toMatchObject({
          role: 'app',
          name: 'app',
          sandboxId: sandbox.id,
          state: 'created',
          specHash: 'app-1',
        });
        await Promise.all([runtime.startContainer(app.id), runtime.startContainer(helper.id)]);
        const pod = await runtime.list(sandbox.pod.uid);
        expect(pod.map((c) => [c.name, c.state]).sort()).toEqual([
          ['', 'running'],
          ['app', 'running'],
          ['helper', 'running'],
        ]);
      });

      it('do not start without their sandbox', async () => {
        const sandbox = await runtime.createSandbox(sandboxSpec(podKey()));
        const { id } = await member(sandbox, { does: 'run' });
        expect(await faultOf(runtime.startContainer(id))).toMatchObject({ fault: 'Failed' });
        await runtime.remove(sandbox.id);
        expect(await faultOf(member(sandbox, { does: 'run' }, { name: 'other' }))).toMatchObject({ fault: 'NotFound' });
      });

      it('need their image', async () => {
        const sandbox = await startedSandbox(runtime);
        const absent = containerSpec(sandbox, { image: await bench.pullable() });
        expect(await faultOf(runtime.createContainer(absent))).toMatchObject({ fault: 'ImageNotPresent' });
      });

      it('name the image as it was asked for and as what it is', async () => {
        const program = bench.program({ does: 'run' });
        const created = await runtime.createContainer(containerSpec(await startedSandbox(runtime), program));
        expect(created.image).toBe(program.image);
        expect(created.imageId).toBe((await runtime.image(program.image))?.imageId);
      });

      it.each([126, 127] as const)('that cannot be started say so with code %i', async (code) => {
        const sandbox = await startedSandbox(runtime);
        const { id } = await member(sandbox, { does: 'fail to start', code });
        expect(await faultOf(runtime.startContainer(id))).toEqual({ fault: 'StartFailed', exitCode: code });
        const observed = await seen(id);
        expect(observed).toMatchObject({ state: 'created', exitCode: code });
        expect(observed?.startError).not.toBe('');
        expect(typeof observed?.startError).toBe('string');
      });

      it('leave a record of when and how they ended', async () => {
        const id = await startedMember(await startedSandbox(runtime), { does: 'exit', afterMs: 20, code: 3 });
        const record = await ended(id);
        expect(record).toMatchObject({ exitCode: 3, oomKilled: false });
        expect(record.infrastructureExit).toBeUndefined();
        expect(record.finishedAt).toBeGreaterThanOrEqual(record.startedAt ?? Infinity);
      });

      it('are not run a second time over the record of their end', async () => {
        const id = await startedMember(await startedSandbox(runtime), { does: 'exit', afterMs: 0, code: 1 });
        const record = await ended(id);
        await runtime.startContainer(id);
        expect(await seen(id)).toEqual(record);
      });

      it('that exceed their memory are marked', async () => {
        const id = await startedMember(await startedSandbox(runtime), { does: 'run out of memory' });
        expect(await ended(id)).toMatchObject({ exitCode: 137, oomKilled: true });
      });
    });

    describe('stop', () => {
      const stopped = async (program: Program, graceSeconds: number): Promise<ObservedContainer> => {
        const target = await startedMember(await startedSandbox(runtime), program);
        await bench.passing(runtime.stop(target, graceSeconds));
        const container = await seen(target);
        if (container === undefined) throw new Error('it has gone');
        return container;
      };

      it('ends what obeys, with its own code, and resolves when it has ended', async () => {
        const id = await startedMember(await startedSandbox(runtime), { does: 'print', lines: ['ready'], then: 'run' });
        await bench.eventually('it listens', async () => (await output(runtime, id)) !== '');
        await bench.passing(runtime.stop(id, 30));
        expect(await seen(id)).toMatchObject({ state: 'exited', exitCode: 143 });
      });

      it('kills what has not obeyed when the grace period is over', async () => {
        const container = await stopped({ does: 'ignore the stop signal' }, 1);
        expect(container).toMatchObject({ state: 'exited', exitCode: 137, oomKilled: false });
        expect((container.finishedAt ?? 0) - (container.startedAt ?? 0)).toBeGreaterThanOrEqual(1_000);
      });

      it('kills at once when there is no grace', async () => {
        expect(await stopped({ does: 'ignore the stop signal' }, 0)).toMatchObject({ state: 'exited', exitCode: 137 });
      });

      it('can be cut short by a second stop', async () => {
        const id = await startedMember(await startedSandbox(runtime), { does: 'ignore the stop signal' });
        const slow = runtime.stop(id, 600);
        await bench.passing(runtime.stop(id, 0));
        await bench.passing(slow);
        expect(await seen(id)).toMatchObject({ state: 'exited', exitCode: 137 });
      });

      it('has nothing to do for what never started, has ended, or is gone', async () => {
        const sandbox = await startedSandbox(runtime);
        const { id } = await member(sandbox, { does: 'run' });
        await runtime.stop(id, 5);
        expect((await seen(id))?.state).toBe('created');
        const done = await startedMember(sandbox, { does: 'exit', afterMs: 0, code: 7 }, { name: 'done' });
        const record = await ended(done);
        await runtime.stop(done, 0);
        await runtime.stop(done, 5);
        expect(await seen(done)).toEqual(record);
        await runtime.remove(done);
        await runtime.stop(done, 5);
      });
    });

    describe('a command run in a container', () => {
      const run = (id: string, command: Command, timeoutMs = 30_000) =>
        bench.passing(runtime.exec(id, bench.command(command), { timeoutMs }));

      it('says what it says and ends as it ends, and the container goes on', async () => {
        const id = await startedMember(await startedSandbox(runtime), { does: 'run' });
        expect(await run(id, { does: 'say', text: 'fine', code: 0 })).toEqual({ exitCode: 0, output: 'fine\n' });
        expect(await run(id, { does: 'say', text: 'bad', code: 3 })).toEqual({ exitCode: 3, output: 'bad\n' });
        expect((await seen(id))?.state).toBe('running');
      });

      it('is heard only at the beginning when it says much', async () => {
        const id = await startedMember(await startedSandbox(runtime), { does: 'run' });
        const { exitCode, output: said } = await run(id, { does: 'write', bytes: 200_000 });
        expect(exitCode).toBe(0);
        expect(said).toHaveLength(10 * 1024);
      });

      it('is given up when it takes too long, and the container goes on', async () => {
        const id = await startedMember(await startedSandbox(runtime), { does: 'run' });
        expect(await faultOf(run(id, { does: 'hang' }, 300))).toMatchObject({ fault: 'DeadlineExceeded' });
        expect((await seen(id))?.state).toBe('running');
        expect((await run(id, { does: 'say', text: 'still here', code: 0 })).output).toBe('still here\n');
      });

      it('ends with its container', async () => {
        const id = await startedMember(await startedSandbox(runtime), { does: 'run' });
        // Killed with it; or the engine had not come to run it yet, and cannot any more.
        const end = run(id, { does: 'hang' }).then(
          ({ exitCode }) => exitCode >= 126,
          (error: unknown) => error instanceof RuntimeError && error.fault === 'Failed',
        );
        await runtime.stop(id, 0);
        expect(await end).toBe(true);
      });

      it('needs a container that runs', async () => {
        const id = await startedMember(await startedSandbox(runtime), { does: 'exit', afterMs: 0, code: 0 });
        await ended(id);
        const say = { does: 'say', text: 'x', code: 0 } as const;
        expect(await faultOf(run(id, say))).toMatchObject({ fault: 'Failed' });
        await runtime.remove(id);
        expect(await faultOf(run(id, say))).toMatchObject({ fault: 'NotFound' });
      });
    });

    describe('a repeated creation', () => {
      it('finds the first one, also after a restart of the executor', async () => {
        const spec = sandboxSpec(podKey());
        const [first, second] = await Promise.all([runtime.createSandbox(spec), runtime.createSandbox(spec)]);
        expect(second.id).toBe(first.id);
        const afresh = bench.runtime();
        expect((await afresh.createSandbox(spec)).id).toBe(first.id);
        const app = await member(first, { does: 'run' });
        expect((await afresh.createContainer(containerSpec(first, bench.program({ does: 'run' })))).id).toBe(app.id);
        expect(await afresh.list(spec.pod.uid)).toEqual(await runtime.list(spec.pod.uid));
      });

      it('replaces one that was made from another specification', async () => {
        const sandbox = await startedSandbox(runtime);
        const old = await startedMember(sandbox, { does: 'run' }, { specHash: 'old' });
        const now = await member(sandbox, { does: 'run' }, { specHash: 'new' });
        expect(now.id).not.toBe(old);
        expect(await seen(old)).toBeUndefined();
        expect(await seen(now.id)).toMatchObject({ specHash: 'new', state: 'created' });
      });

      it('replaces one that hangs on an earlier sandbox', async () => {
        const pod = podKey();
        const before = await startedSandbox(runtime, pod);
        const old = await member(before, { does: 'run' });
        const after = await startedSandbox(runtime, pod, { attempt: 1 });
        const now = await member(after, { does: 'run' });
        expect(now).toMatchObject({ sandboxId: after.id });
        expect(now.id).not.toBe(old.id);
        expect(await seen(old.id)).toBeUndefined();
      });

      it('keeps attempts apart', async () => {
        const sandbox = await startedSandbox(runtime);
        const first = await member(sandbox, { does: 'run' }, { attempt: 0 });
        const second = await member(sandbox, { does: 'run' }, { attempt: 1 });
        expect(second.id).not.toBe(first.id);
        expect((await runtime.list(sandbox.pod.uid)).map(({ attempt }) => attempt).sort()).toEqual([0, 0, 1]);
      });
    });

    describe('removal', () => {
      it('takes a running container, and is content when there is none', async () => {
        const id = await startedMember(await startedSandbox(runtime), { does: 'ignore the stop signal' });
        await Promise.all([runtime.remove(id), runtime.remove(id)]);
        expect(await seen(id)).toBeUndefined();
        await runtime.remove(id);
      });

      it('is final: what is gone is not found', async () => {
        const { id } = await startedSandbox(runtime);
        await runtime.remove(id);
        expect(await faultOf(runtime.startSandbox(id))).toMatchObject({ fault: 'NotFound' });
        expect(await faultOf(runtime.startContainer(id))).toMatchObject({ fault: 'NotFound' });
        expect(await faultOf(output(runtime, id))).toMatchObject({ fault: 'NotFound' });
      });
    });

    describe('volumes', () => {
      const volumes: VolumeSpec[] = [
        { name: 'data', medium: 'disk' },
        { name: 'fast', medium: 'memory', sizeLimitBytes: 2 ** 20 },
      ];

      it('belong to a pod until they are removed, also when its containers have gone', async () => {
        const sandbox = await startedSandbox(runtime, podKey(), { volumes });
        const { uid } = sandbox.pod;
        expect(await runtime.podsWithVolumes()).toContain(uid);
        expect(await faultOf(runtime.removeVolumes(uid))).toMatchObject({ fault: 'Failed' });
        await runtime.remove(sandbox.id);
        expect(await runtime.podsWithVolumes()).toContain(uid);
        await runtime.removeVolumes(uid);
        expect(await runtime.podsWithVolumes()).not.toContain(uid);
        await runtime.removeVolumes(uid);
      });
    });

    describe('the cluster and node it speaks for', () => {
      it.each([
        { whom: 'another cluster', cluster: 'other-cluster', node: undefined },
        { whom: 'another node of the cluster', cluster: undefined, node: 'other-node' },
      ])('sees and touches nothing of $whom', async ({ cluster, node }) => {
        const pod = podKey();
        const spec = sandboxSpec(pod, { volumes: [{ name: 'data', medium: 'disk' }] });
        const foreign = bench.runtime(cluster, node);
        const theirs = await foreign.startSandbox((await foreign.createSandbox(spec)).id);
        const own = await runtime.createSandbox(spec);
        expect(own.id).not.toBe(theirs.id);

        expect((await runtime.list(pod.uid)).map(({ id }) => id)).toEqual([own.id]);
        expect((await foreign.list(pod.uid)).map(({ id }) => id)).toEqual([theirs.id]);
        expect(await faultOf(runtime.startSandbox(theirs.id))).toMatchObject({ fault: 'NotFound' });
        expect(await faultOf(output(runtime, theirs.id))).toMatchObject({ fault: 'NotFound' });
        await runtime.stop(theirs.id, 0);
        await runtime.remove(theirs.id);
        await runtime.remove(own.id);
        await runtime.removeVolumes(pod.uid);

        expect(await foreign.list(pod.uid)).toEqual([theirs]);
        expect(await foreign.podsWithVolumes()).toContain(pod.uid);
        expect(await runtime.podsWithVolumes()).not.toContain(pod.uid);
      });
    });

    describe('output', () => {
      const lines = ['one', 'two', 'three'];

      it('is read whole, from the end, or since a time', async () => {
        const id = await startedMember(await startedSandbox(runtime), { does: 'print', lines, then: 'exit' });
        const { finishedAt = 0, startedAt = 0 } = await ended(id);
        expect(await output(runtime, id)).toBe('one\ntwo\nthree\n');
        expect(await output(runtime, id, { ...READ_ALL, tailLines: 2 })).toBe('two\nthree\n');
        expect(await output(runtime, id, { ...READ_ALL, tailLines: 0 })).toBe('');
        expect(await output(runtime, id, { ...READ_ALL, tailLines: 100 })).toBe('one\ntwo\nthree\n');
        expect(await output(runtime, id, { ...READ_ALL, sinceMillis: startedAt - 1_000 })).toBe('one\ntwo\nthree\n');
        expect(await output(runtime, id, { ...READ_ALL, sinceMillis: finishedAt + 60_000 })).toBe('');
      });

      it('carries the time of every line when asked to', async () => {
        const id = await startedMember(await startedSandbox(runtime), { does: 'print', lines, then: 'exit' });
        const { startedAt = 0, finishedAt = 0 } = await ended(id);
        const stamped = (await output(runtime, id, { ...READ_ALL, timestamps: true })).trimEnd().split('\n');
        expect(stamped.map((line) => line.replace(/^\S+ /, ''))).toEqual(lines);
        for (const line of stamped) {
          expect(line).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}Z /);
          const at = Date.parse(line.split(' ')[0] ?? '');
          expect(at).toBeGreaterThanOrEqual(startedAt - 1_000);
          expect(at).toBeLessThanOrEqual(finishedAt + 1_000);
        }
      });

      it('is followed until the container ends', async () => {
        const id = await startedMember(await startedSandbox(runtime), { does: 'print', lines, then: 'run' });
        let text = '';
        const following = runtime.logs(
          id,
          { follow: true, timestamps: false },
          async (chunk) => void (text += Buffer.from(chunk).toString()),
          new AbortController().signal,
        );
        await bench.eventually('all lines are there', () => text === 'one\ntwo\nthree\n');
        await runtime.stop(id, 0);
        await bench.passing(following);
        expect(text).toBe('one\ntwo\nthree\n');
      });

      it('is no longer followed when the reader leaves', async () => {
        const id = await startedMember(await startedSandbox(runtime), { does: 'print', lines, then: 'run' });
        const left = new AbortController();
        const following = output(runtime, id, { follow: true, timestamps: false }, left.signal);
        left.abort();
        expect('one\ntwo\nthree\n').toContain(await bench.passing(following));
        expect((await seen(id))?.state).toBe('running');
      });

      it('waits for its reader, chunk by chunk, and passes its failure on', async () => {
        const id = await startedMember(await startedSandbox(runtime), { does: 'print', lines, then: 'exit' });
        await ended(id);
        let reading = 0;
        const most: number[] = [];
        const slowly = async (): Promise<void> => {
          most.push((reading += 1));
          await bench.eventually('a little later', () => true);
          reading -= 1;
        };
        await runtime.logs(id, READ_ALL, slowly, new AbortController().signal);
        expect(Math.max(...most)).toBe(1);
        const fails = runtime.logs(
          id,
          READ_ALL,
          () => Promise.reject(new Error('disk full')),
          new AbortController().signal,
        );
        await expect(fails).rejects.toThrow('disk full');
      });
    });

    describe('images', () => {
      it('are unknown until they are pulled, and then are what the registry says', async () => {
        const reference = await bench.pullable();
        expect(await runtime.image(reference)).toBeUndefined();
        const progress: { bytesDone: number; bytesTotal: number }[] = [];
        const pulls = [runtime.pull(reference, (p) => progress.push(p)), runtime.pull(reference, () => undefined)];
        const [pulled, again] = await bench.passing(Promise.all(pulls));
        expect(again).toEqual(pulled);
        expect(await runtime.image(reference)).toEqual(pulled);
        expect(pulled?.imageId).toMatch(/sha256:/);
        const last = progress.at(-1);
        expect(last?.bytesTotal).toBeGreaterThan(0);
        expect(last?.bytesDone).toBe(last?.bytesTotal);
      });

      it('that no registry has cannot be pulled', async () => {
        const pull = runtime.pull(await bench.unpullable(), () => undefined);
        expect(await faultOf(bench.passing(pull))).toMatchObject({ fault: 'PullFailed' });
      });

      it.each(['UPPER/case', 'a b', '../../containers/json', 'busybox:tag:tag', '', 'busybox?x=1'])(
        'are refused by the name of %j',
        async (reference) => {
          expect(await faultOf(runtime.image(reference))).toMatchObject({ fault: 'InvalidImageName' });
          expect(await faultOf(runtime.pull(reference, () => undefined))).toMatchObject({ fault: 'InvalidImageName' });
        },
      );
    });

    describe('changes', () => {
      it('wake once connected, then with the pod at every start and end, until unsubscribed', async () => {
        const sandbox = await startedSandbox(runtime);
        const { id } = await member(sandbox, { does: 'run' });
        const wakes: (string | undefined)[] = [];
        const unsubscribe = runtime.onChange((podUid) => wakes.push(podUid));
        await bench.eventually('it is connected', () => wakes.includes(undefined));
        await runtime.startContainer(id);
        await bench.eventually('the start is heard of', () => wakes.includes(sandbox.pod.uid));
        wakes.length = 0;
        await runtime.stop(id, 0);
        await bench.eventually('the end is heard of', () => wakes.includes(sandbox.pod.uid));
        unsubscribe();
        const heard = wakes.length;
        await runtime.remove(sandbox.id);
        await bench.eventually('it has gone', async () => (await seen(sandbox.id)) === undefined);
        expect(wakes).toHaveLength(heard);
      });

      it('of another node wake nobody here', async () => {
        const other = bench.runtime(undefined, 'noisy-node');
        const [here, there]: [(string | undefined)[], (string | undefined)[]] = [[], []];
        const stops = [runtime.onChange((uid) => here.push(uid)), other.onChange((uid) => there.push(uid))];
        await bench.eventually('both are connected', () => here.length > 0 && there.length > 0);
        const { pod } = await startedSandbox(other);
        await bench.eventually('its own node hears', () => there.includes(pod.uid));
        const ours = await startedSandbox(runtime);
        await bench.eventually('we hear of our own', () => here.includes(ours.pod.uid));
        expect(here).not.toContain(pod.uid);
        stops.forEach((stop) => stop());
      });
    });

    describe('an engine that goes away', () => {
      it('is unavailable, and afterwards everything is as it was, with a wake to look at it', async () => {
        const sandbox = await startedSandbox(runtime);
        const id = await startedMember(sandbox, { does: 'print', lines: ['before'], then: 'run' });
        const wakes: (string | undefined)[] = [];
        const unsubscribe = runtime.onChange((podUid) => wakes.push(podUid));
        await bench.eventually('it is connected', () => wakes.length > 0);
        const following = faultOf(output(runtime, id, { follow: true, timestamps: false }));
        await bench.eventually('output flows', async () => (await output(runtime, id)) === 'before\n');
        await bench.cutOff();
        expect(await faultOf(runtime.list())).toMatchObject({ fault: 'Unavailable' });
        expect(await faultOf(runtime.info())).toMatchObject({ fault: 'Unavailable' });
        expect(await faultOf(runtime.stop(id, 0))).toMatchObject({ fault: 'Unavailable' });
        expect(await faultOf(runtime.createSandbox(sandboxSpec(podKey())))).toMatchObject({ fault: 'Unavailable' });
        expect(await bench.passing(following)).toMatchObject({ fault: 'Unavailable' });
        wakes.length = 0;
        await bench.reconnect();
        await bench.eventually('it is connected again', () => wakes.includes(undefined));
        expect(await seen(id)).toMatchObject({ state: 'running' });
        expect((await seen(sandbox.id))?.ip).toBe(sandbox.ip);
        unsubscribe();
      });
    });

    it('says what its host offers', async () => {
      const info = await runtime.info();
      expect(info.cpuMillis).toBeGreaterThanOrEqual(1_000);
      expect(info.memoryBytes).toBeGreaterThan(2 ** 20);
      expect(info.runtimeVersion).toMatch(/^\w+:\/\/\d/);
      expect(info.engineId).not.toBe('');
      expect(info.architecture).toMatch(/^(amd64|arm64)$/);
      expect((await bench.runtime().info()).engineId).toBe(info.engineId);
    });
  });
}
