import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const built = join(import.meta.dirname, '../../../dist/apps/podledger/src');
const lifecycle = join(built, 'lifecycle.js');

/** A service that says what is asked of it; it stops when `stop` resolves. */
const script = (start: string, stop: string): string => `
  const { runUntilStopped } = await import('${lifecycle}');
  const say = (text) => process.stdout.write(text + '\\n');
  process.exit(await runUntilStopped({
    start: async () => { ${start}; say('started'); setInterval(() => {}, 1000); },
    stop: async () => { say('stopping'); ${stop}; say('stopped'); },
    abandon: () => say('abandoned'),
  }, (text) => say('reported ' + text)));
`;

class Said {
  text = '';
  private readonly waiting = new Set<() => void>();

  constructor(readonly child: ChildProcess) {
    child.stdout?.on('data', (data: Buffer) => {
      this.text += data.toString();
      for (const wake of this.waiting) wake();
    });
  }

  async until(part: string): Promise<void> {
    while (!this.text.includes(part)) await new Promise<void>((resolve) => this.waiting.add(resolve));
  }
}

function run(start: string, stop: string): Said {
  return new Said(
    spawn(process.execPath, ['--input-type=module', '-e', script(start, stop)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );
}

describe('a service', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('stops in good order on %s', async (signal) => {
    const service = run('', '');
    await service.until('started');
    service.child.kill(signal);
    expect(await once(service.child, 'exit')).toEqual([0, null]);
    expect(service.text).toMatch(/stopping\nstopped/);
  });

  it('stops at once on a second signal, and leaves nothing behind', async () => {
    const service = run('', 'await new Promise(() => {})');
    await service.until('started');
    service.child.kill('SIGINT');
    await service.until('stopping');
    service.child.kill('SIGINT');
    expect(await once(service.child, 'exit')).toEqual([130, null]);
    expect(service.text).toContain('abandoned');
  });

  it('says why it cannot start, and stops what had started', async () => {
    const service = run('throw new Error("no port")', '');
    expect(await once(service.child, 'exit')).toEqual([1, null]);
    expect(service.text).toContain('reported no port');
    expect(service.text).toContain('stopped');
  });

  it.each([
    ['an error', 'setTimeout(() => { throw new Error("broken") }, 10)'],
    ['a rejection', 'setTimeout(() => void Promise.reject(new Error("broken")), 10)'],
  ])('stops in good order after %s that nobody caught, and fails', async (_, start) => {
    const service = run(start, '');
    expect(await once(service.child, 'exit')).toEqual([1, null]);
    expect(service.text).toContain('broken');
    expect(service.text).toContain('stopped');
  });

  it('stops in good order, and fails, when a part of it cannot go on', async () => {
    const service = run(
      `const { Parts } = await import(${JSON.stringify(join(built, 'parts.js'))});
       const broken = new Promise((_, reject) => setTimeout(() => reject(new Error('the log has a gap')), 10));
       await new Parts(() => {}).start('API', 0, async () => ({ ended: broken, stop: async () => {} }))`,
      '',
    );
    expect(await once(service.child, 'exit')).toEqual([1, null]);
    expect(service.text).toMatch(/^reported the API cannot go on: the log has a gap; stopping$/m);
    expect(service.text).toContain('stopped');
  });

  it('stops when the npm that started it was killed', async () => {
    const program = JSON.stringify(script('', ''));
    const npm = `
      const { spawn } = await import('node:child_process');
      spawn(process.execPath, ['--input-type=module', '-e', ${program}], { stdio: ['ignore', 'inherit', 'inherit'] });
      setInterval(() => {}, 1000);
    `;
    const parent = new Said(
      spawn(process.execPath, ['--input-type=module', '-e', npm], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, npm_lifecycle_event: 'start' },
      }),
    );
    await parent.until('started');
    parent.child.kill('SIGKILL');
    await parent.until('stopped');
    expect(parent.text).toContain('npm is gone');
  });
});
