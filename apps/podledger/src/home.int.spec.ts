import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Home, HomeLocked } from './home.js';

/** Opens the home in a process of its own, as a start does, and tells when it holds it. */
const holder = (path: string): string => `
  const { Home } = await import('${join(import.meta.dirname, '../../../dist/apps/podledger/src/home.js')}');
  await Home.open('${path}');
  console.log('held');
  setInterval(() => {}, 1000);
`;

describe('a home', () => {
  let path: string;
  beforeEach(() => (path = join(mkdtempSync(join(tmpdir(), 'podledger-home-')), 'home')));
  afterEach(() => rmSync(join(path, '..'), { recursive: true, force: true }));

  it('is made for its owner only', async () => {
    const home = await Home.open(path);
    home.write('pki/ca.key', 'secret');
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(statSync(home.file('pki')).mode & 0o777).toBe(0o700);
    expect(statSync(home.file('pki', 'ca.key')).mode & 0o777).toBe(0o600);
    home.release();
  });

  it('keeps what is written once: whoever comes second, also in the same instant, gets what the first wrote', () => {
    const first = Home.shared(path);
    const second = Home.shared(path);
    // The second comes while the first still thinks that there is nothing.
    const seen = first.keep('key', () => second.keep('key', () => 'second') && 'first');
    expect([seen, second.keep('key', () => 'third')]).toEqual(['second', 'second']);
    expect(statSync(first.file('key')).mode & 0o777).toBe(0o600);
    expect(readdirSync(path)).toEqual(['key']);
  });

  it('refuses a second holder, naming the first, and takes it when the first has given it free', async () => {
    const first = await Home.open(path);
    await expect(Home.open(path)).rejects.toThrow(`${first.path} is in use by process ${process.pid}`);
    first.release();
    (await Home.open(path)).release();
  });

  it('is free again as soon as its holder was killed', async () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', holder(path)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    await expect(Home.open(path)).rejects.toThrow(HomeLocked);
    child.kill('SIGKILL');
    await once(child, 'exit');
    (await Home.open(path)).release();
  });
});
