import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectNats } from '#bus';
import { certificates } from './certificates.js';
import { Home } from './home.js';
import { startNats, type EmbeddedNats } from './nats-child.js';
import { commandLine } from './process-table.js';

const dist = join(import.meta.dirname, '../../../dist/apps/podledger/src');
const silent = (): void => undefined;

/** Publishes to itself: the credentials are accepted and messages flow. */
async function canTalk({ access }: EmbeddedNats): Promise<boolean> {
  const link = await connectNats({
    url: access.url,
    creds: access.credentials,
    name: 'test',
    ...(access.ca && { ca: access.ca }),
    report: silent,
  });
  try {
    link.connection.subscribe('echo', { callback: (_, message) => void message.respond(message.data) });
    return (await link.connection.request('echo', 'there', { timeout: 2000 })).string() === 'there';
  } finally {
    await link.close();
  }
}

describe('the child nats-server', () => {
  let directory: string;
  let home: Home;
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'podledger-nats-child-'));
    home = await Home.open(directory);
  });
  afterEach(() => {
    home.release();
    rmSync(directory, { recursive: true });
  });

  it('refuses strangers and keeps its port from start to start', async () => {
    const first = await startNats(home, '127.0.0.1', undefined, new Date(), silent);
    expect(await canTalk(first)).toBe(true);
    await expect(connectNats({ url: first.access.url, name: 'stranger', report: silent })).rejects.toThrow(/refuses/);
    await first.stop();
    const second = await startNats(home, '127.0.0.1', undefined, new Date(), silent);
    expect(second.port).toBe(first.port);
    expect(await canTalk(second)).toBe(true);
    await second.stop();
  }, 30_000);

  it('speaks TLS with the certificate of the home where it is open to others', async () => {
    const nats = await startNats(home, '0.0.0.0', await certificates(home, '0.0.0.0', new Date()), new Date(), silent);
    expect(nats.access.url).toMatch(/^tls:/);
    expect(await canTalk(nats)).toBe(true);
    await nats.stop();
  }, 30_000);

  it('is started again when it dies', async () => {
    const said: string[] = [];
    const nats = await startNats(home, '127.0.0.1', undefined, new Date(), (text) => said.push(text));
    process.kill(Number(nats.pid), 'SIGKILL');
    while (!said.includes('nats-server is back')) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await canTalk(nats)).toBe(true);
    await nats.stop();
  }, 30_000);

  it('stops the server that outlived a killed start', async () => {
    home.release();
    const script = `
      const { Home } = await import('${dist}/home.js');
      const { startNats } = await import('${dist}/nats-child.js');
      console.log((await startNats(await Home.open('${directory}'), '127.0.0.1', undefined, new Date(), () => {})).pid);
    `;
    const killed = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [output] = (await once(killed.stdout, 'data')) as [Buffer];
    const survivor = Number(output.toString());
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    expect(await commandLine(survivor)).toContain(join(directory, 'nats', 'nats.conf'));

    home = await Home.open(directory);
    const nats = await startNats(home, '127.0.0.1', undefined, new Date(), silent);
    expect(await commandLine(survivor)).toBeUndefined();
    expect(await canTalk(nats)).toBe(true);
    await nats.stop();
  }, 30_000);
});
