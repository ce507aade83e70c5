import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { natsServerConfig, type NatsKeys } from '#bus';

const maxPayload = 8 * 1024 * 1024;

/** A real nats-server with JetStream on a free port, its files in a temporary directory of its own. */
export class TestNats {
  private child: ChildProcess | undefined;
  /** Chosen by the server at its first start, kept at every further one. */
  private port = -1;
  /** A server that starts again reads the configuration it was given first: newer claims are in its store. */
  private readonly configuredAt = Date.now();

  private constructor(
    private readonly dir: string,
    private readonly keys: NatsKeys | undefined,
    private readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined,
  ) {}

  /** With keys the server demands credentials, as in production; without, it lets everybody do everything. */
  static async start(
    keys?: NatsKeys,
    tls?: { readonly certFile: string; readonly keyFile: string },
  ): Promise<TestNats> {
    const server = new TestNats(await mkdtemp(join(tmpdir(), 'podledger-nats-')), keys, tls);
    await server.up();
    return server;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** Starts the server again, on the same port and with what its store holds. */
  async up(): Promise<void> {
    const config = join(this.dir, 'nats.conf');
    await writeFile(config, this.config());
    const child = spawn('nats-server', ['-c', config], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.child = child;
    this.port = await listening(child);
  }

  /** Ends the server: in order, or as a crash with `SIGKILL`. */
  async down(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.child;
    this.child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }

  /** Deletes the store; the server must be down. */
  async wipe(): Promise<void> {
    await rm(this.store, { recursive: true, force: true });
  }

  /** Ends the server and removes everything of it. */
  async stop(): Promise<void> {
    await this.down();
    await rm(this.dir, { recursive: true, force: true });
  }

  private get store(): string {
    return join(this.dir, 'store');
  }

  private config(): string {
    const place = { host: '127.0.0.1', port: this.port, storeDir: this.store };
    if (this.keys) {
      const tls = this.tls === undefined ? {} : { tls: this.tls };
      return natsServerConfig({ ...place, ...tls, keys: this.keys, now: this.configuredAt });
    }
    return [
      `host: "${place.host}"`,
      `port: ${place.port}`,
      `max_payload: ${maxPayload}`,
      `jetstream: { store_dir: "${place.storeDir}" }`,
      '',
    ].join('\n');
  }
}

/** Waits until the server says that it is ready; answers the port. Fails with its output when it ends before. */
async function listening(child: ChildProcess): Promise<number> {
  if (!child.stderr) throw new Error('nats-server has no output');
  const lines: string[] = [];
  let port = -1;
  const ended = once(child, 'exit').then(() => {
    throw new Error(`nats-server ended:\n${lines.join('\n')}`);
  });
  const ready = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => {
      if (lines.length < 200) lines.push(line);
      const found = /Listening for client connections on .*:(\d+)$/.exec(line);
      if (found) port = Number(found[1]);
      if (line.includes('Server is ready')) resolve(port);
    });
  });
  ended.catch(() => undefined);
  return Promise.race([ready, ended]);
}
