import type { ObservedContainer } from '#domain';
import type { ContainerRuntime, ContainerSpec } from '../../apps/executor/src/runtime/container-runtime.js';
import {
  containerSpec,
  output,
  podKey,
  sandboxSpec,
  startedSandbox,
  type RuntimeBench,
} from './container-runtime.contract.js';

/** A bench whose containers run real processes. */
export interface ProcessBench extends RuntimeBench {
  /** A shell script, run by an image that has busybox and the files of a small root file system. */
  script(script: string): Pick<ContainerSpec, 'image' | 'command'>;
  /** An image whose entrypoint is `echo from-image`, and whose arguments are `by default`. */
  echoImage(): Promise<string>;
}

/** What processes in one pod have of each other, for runtimes that run processes. */
export function describePodProcesses(name: string, makeBench: () => Promise<ProcessBench>): void {
  describe(`processes of a pod: ${name}`, () => {
    let bench: ProcessBench;
    let runtime: ContainerRuntime;
    beforeAll(async () => {
      bench = await makeBench();
      runtime = bench.runtime();
    });
    afterAll(() => bench.dispose());

    const started = async (spec: ContainerSpec): Promise<string> => {
      const { id } = await runtime.createContainer(spec);
      await runtime.startContainer(id);
      return id;
    };
    const script = (sandbox: ObservedContainer, text: string, more: Partial<ContainerSpec> = {}): ContainerSpec =>
      containerSpec(sandbox, bench.script(text), more);
    /** Runs to the end and gives exit code and output. */
    const result = async (
      spec: ContainerSpec,
    ): Promise<{ readonly code: number | undefined; readonly text: string }> => {
      const id = await started(spec);
      const find = async () => (await runtime.list(spec.pod.uid)).find((container) => container.id === id);
      await bench.eventually('it has ended', async () => (await find())?.state === 'exited');
      return { code: (await find())?.exitCode, text: await output(runtime, id) };
    };
    const mounts = (volume: string, mountPath: string, readOnly = false) => ({
      mounts: [{ volume, mountPath, readOnly }],
    });
    const SERVER = 'echo hello > /tmp/index.html; exec httpd -f -p 8080 -h /tmp';
    const FETCH = 'until timeout 2 wget -qO- http://localhost:8080/; do sleep 0.1; done';

    it('reach each other on localhost, and are reached at the pod address', async () => {
      const sandbox = await startedSandbox(runtime);
      await started(script(sandbox, SERVER));
      expect(await result(script(sandbox, FETCH, { name: 'helper' }))).toEqual({ code: 0, text: 'hello\n' });
      expect(await (await fetch(`http://${sandbox.ip}:8080/`)).text()).toBe('hello\n');
    });

    it('are published outside where a host port asks for it', async () => {
      const hostPort = await bench.freeHostPort();
      const ports = [{ containerPort: 8080, protocol: 'TCP' as const, hostPort, hostIP: '127.0.0.1' }];
      const sandbox = await startedSandbox(runtime, podKey(), { ports });
      await started(script(sandbox, SERVER));
      await result(script(sandbox, FETCH, { name: 'helper' }));
      expect(await (await fetch(`http://127.0.0.1:${hostPort}/`)).text()).toBe('hello\n');
    });

    it('share volumes that every user may write, and that outlive them', async () => {
      const volumes = [
        { name: 'disk', medium: 'disk' as const },
        { name: 'memory', medium: 'memory' as const },
      ];
      const sandbox = await startedSandbox(runtime, podKey(), { volumes });
      for (const { name: volume } of volumes) {
        const write = script(sandbox, 'stat -c %a /data; echo shared > /data/file', {
          ...mounts(volume, '/data'),
          name: `${volume}-writer`,
        });
        expect(await result(write)).toEqual({ code: 0, text: '777\n' });
        const read = script(sandbox, 'cat /else/where/file; echo no > /else/where/file', {
          ...mounts(volume, '/else/where', true),
          name: `${volume}-reader`,
        });
        const { code, text } = await result(read);
        expect(code).toBe(1);
        // The engine keeps stdout and stderr each in order, not one against the other.
        expect(text).toContain('shared\n');
        expect(text).toContain('Read-only file system');
      }
    });

    it('find no room in memory beyond its limit', async () => {
      const volumes = [{ name: 'small', medium: 'memory' as const, sizeLimitBytes: 2 ** 20 }];
      const sandbox = await startedSandbox(runtime, podKey(), { volumes });
      const fits = script(sandbox, 'dd if=/dev/zero of=/data/a bs=1k count=512 2>/dev/null', mounts('small', '/data'));
      expect((await result(fits)).code).toBe(0);
      const over = script(sandbox, 'dd if=/dev/zero of=/data/b bs=1k count=1024', {
        ...mounts('small', '/data'),
        name: 'b',
      });
      const { code, text } = await result(over);
      expect(code).toBe(1);
      expect(text).toContain('No space left on device');
    });

    it('see an empty volume where the image has files', async () => {
      const sandbox = await startedSandbox(runtime, podKey(), { volumes: [{ name: 'data', medium: 'disk' }] });
      const look = script(sandbox, 'test ! -e /etc/passwd && echo hidden', mounts('data', '/etc'));
      expect((await result(look)).text).toBe('hidden\n');
    });

    it('share memory and the host name', async () => {
      const sandbox = await startedSandbox(runtime, podKey(), { hostname: 'web-0' });
      await result(script(sandbox, 'echo shm > /dev/shm/x', { name: 'writer' }));
      expect((await result(script(sandbox, 'cat /dev/shm/x; hostname', { name: 'reader' }))).text).toBe('shm\nweb-0\n');
    });

    it('see each other only where the pod shares its process namespace', async () => {
      const sandbox = await startedSandbox(runtime);
      const first = 'cat /proc/1/comm';
      expect((await result(script(sandbox, first, { name: 'alone' }))).text).not.toBe('pause\n');
      const shared = script(sandbox, first, { name: 'shared', shareProcessNamespace: true });
      expect((await result(shared)).text).toBe('pause\n');
    });

    it('get environment and working directory as given', async () => {
      const env = [
        { name: 'EMPTY', value: '' },
        { name: 'WORDS', value: 'a b=c\n"d" $HOME' },
        ...Array.from({ length: 20 }, (_, i) => ({ name: `BIG_${i}`, value: 'x'.repeat(100_000) })),
      ];
      const spec = script(await startedSandbox(runtime), 'printf "%s|%s|%s|%s" "$EMPTY" "$WORDS" "${#BIG_19}" "$PWD"', {
        ...{ env, workingDir: '/tmp' },
      });
      expect((await result(spec)).text).toBe('|a b=c\n"d" $HOME|100000|/tmp');
    });

    it.each([
      { given: 'nothing', spec: {}, says: 'from-image by default\n' },
      { given: 'arguments', spec: { args: ['mine'] }, says: 'from-image mine\n' },
      { given: 'a command', spec: { command: ['echo', 'mine'] }, says: 'mine\n' },
      { given: 'both', spec: { command: ['echo'], args: ['two', 'words'] }, says: 'two words\n' },
    ])('run what the image says unless the pod says otherwise: given $given', async ({ spec, says }) => {
      const sandbox = await startedSandbox(runtime);
      expect((await result(containerSpec(sandbox, { image: await bench.echoImage(), ...spec }))).text).toBe(says);
    });

    it('write to a terminal where they have one', async () => {
      const spec = script(await startedSandbox(runtime), 'test -t 1 && echo terminal', { tty: true, stdin: true });
      expect((await result(spec)).text).toBe('terminal\r\n');
    });

    it('lose no output, however much there is', async () => {
      const { text } = await result(script(await startedSandbox(runtime), 'seq 1 200000'));
      expect(text.length).toBe(Array.from({ length: 200_000 }, (_, i) => `${i + 1}\n`).join('').length);
      expect(text.endsWith('199999\n200000\n')).toBe(true);
    });

    it('end when asked, each by its own handler', async () => {
      const sandbox = await startedSandbox(runtime);
      const id = await started(script(sandbox, 'trap "echo bye; exit 9" TERM; echo up; sleep 60 & wait'));
      await bench.eventually('it is up', async () => (await output(runtime, id)) === 'up\n');
      await runtime.stop(id, 30);
      const ended = (await runtime.list(sandbox.pod.uid)).find((container) => container.id === id);
      expect(ended).toMatchObject({ state: 'exited', exitCode: 9 });
      expect(await output(runtime, id)).toBe('up\nbye\n');
    });

    it('that time out beside them are ended with all that they started', async () => {
      const id = await started(script(await startedSandbox(runtime), 'trap "exit 0" TERM; sleep 3600 & wait'));
      const hang = ['sh', '-c', 'sleep 4321 & sleep 4321; true'];
      const timedOut = await runtime.exec(id, hang, { timeoutMs: 500 }).catch((error: unknown) => error);
      expect(timedOut).toMatchObject({ fault: 'DeadlineExceeded' });
      const count = ['sh', '-c', 'ps | grep -c "[s]leep 4321" || true'];
      await bench.eventually('none is left', async () => {
        return (await runtime.exec(id, count, { timeoutMs: 10_000 })).output === '0\n';
      });
    });

    it('that leave something behind which holds their output are not waited for longer than they may take', async () => {
      const id = await started(script(await startedSandbox(runtime), 'trap "exit 0" TERM; sleep 3600 & wait'));
      const leave = ['sh', '-c', 'sleep 3600 & echo done; exit 4'];
      expect(await runtime.exec(id, leave, { timeoutMs: 1_000 })).toEqual({ exitCode: 4, output: 'done\n' });
    });

    it.each([
      { of: 'no such file', command: ['/no/such/program'], exitCode: [126, 127] },
      { of: 'a name that is nowhere', command: ['no-such-program'], exitCode: [126, 127] },
    ])('that cannot be run say why: $of', async ({ command, exitCode }) => {
      const id = await started(script(await startedSandbox(runtime), 'sleep 3600'));
      const result = await runtime.exec(id, command, { timeoutMs: 10_000 });
      expect(exitCode).toContain(result.exitCode);
      expect(result.output).toMatch(/no such file|not found/);
    });

    it('belong to pods with names as long as Kubernetes allows', async () => {
      const pod = { ...podKey('p'.repeat(253)), namespace: 'n'.repeat(63) };
      const volume = 'v'.repeat(63);
      const spec = sandboxSpec(pod, { hostname: 'h'.repeat(63), volumes: [{ name: volume, medium: 'disk' }] });
      const sandbox = await runtime.startSandbox((await runtime.createSandbox(spec)).id);
      const long = script(sandbox, 'hostname', { ...mounts(volume, '/data'), name: 'c'.repeat(63) });
      expect((await result(long)).text).toBe(`${'h'.repeat(63)}\n`);
      expect((await runtime.list(pod.uid)).map((container) => container.pod)).toEqual([pod, pod]);
    });
  });
}
