import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JsonObject } from '#domain';
import { type AdminAccess, readKubeconfig } from '../apps/podledger/src/admin-client.js';
import { freePort } from '../apps/podledger/src/ports.js';
import { assertRan } from './bench.js';

const ROOT = join(import.meta.dirname, '../..');
const ENTRY = join(ROOT, 'dist/apps/podledger/src/main.js');
const READY_WITHIN_MS = 120_000;

/** How to start it: as a user does, or without npm around it. */
const COMMANDS = { npm: ['npm', 'start'], node: [process.execPath, ENTRY, 'start'] } as const;

/** Podledger as it is shipped, on the local Docker Engine, with a home and a port of its own. */
export class Product {
  private readonly agent = new Agent({ keepAlive: true });
  private child: ChildProcess | undefined;
  private access: AdminAccess | undefined;

  private constructor(
    private readonly home: string,
    private readonly port: number,
  ) {}

  static async create(): Promise<Product> {
    return new Product(mkdtempSync(join(tmpdir(), 'podledger-bench-')), await freePort('127.0.0.1'));
  }

  get cluster(): string {
    return readFileSync(join(this.home, 'cluster-id'), 'utf8').trim();
  }

  get pid(): number {
    assertRan(this.child?.pid !== undefined, 'podledger is not running');
    return this.child.pid;
  }

  /** Starts it. Resolves when it says Ready, to the seconds since its process was made. */
  async start(how: keyof typeof COMMANDS = 'node'): Promise<number> {
    const [program, ...args] = COMMANDS[how];
    const begun = performance.now();
    const child = spawn(program, args, {
      cwd: ROOT,
      env: this.environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      // A process group of its own, to which a signal goes as from a terminal.
      detached: true,
    });
    this.child = child;
    let said = '';
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string): void => reject(new Error(`podledger did not start (${why}):\n${said}`));
      const timer = setTimeout(() => fail('too slow'), READY_WITHIN_MS);
      child.once('exit', (code) => fail(`exit ${code}`));
      const hear = (chunk: Buffer): void => {
        said += chunk.toString();
        if (!/^Ready after/m.test(said)) return;
        clearTimeout(timer);
        resolve();
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
    });
    const took = (performance.now() - begun) / 1000;
    this.access = readKubeconfig(join(this.home, 'kubeconfig'));
    return took;
  }

  /** Ends it as Ctrl-C at the terminal does. Pods go on. */
  async stop(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (child?.pid === undefined || child.exitCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    process.kill(-child.pid, 'SIGINT');
    await gone;
  }

  /** One request to the API, over a connection that is kept. Throws on any answer but 2xx. */
  call<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    const text = body === undefined ? '' : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const sent = this.open(method, path, text, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const answer = Buffer.concat(chunks).toString();
          const status = response.statusCode ?? 0;
          if (status < 200 || status > 299) return reject(new Error(`${method} ${path}: ${status} ${answer}`));
          resolve(JSON.parse(answer) as Answer);
        });
      });
      sent.on('error', reject);
      sent.end(text);
    });
  }

  /** Watches from a revision; each event is handed over as it comes. The returned function ends it. */
  watch(path: string, resourceVersion: string, seen: (event: WatchEvent) => void): () => void {
    const sent = this.open('GET', `${path}?watch=1&resourceVersion=${resourceVersion}`, '', (response) => {
      let rest = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) seen(JSON.parse(line) as WatchEvent);
      });
      response.on('error', () => undefined); // Ended by us.
    });
    sent.on('error', () => undefined);
    sent.end();
    return () => sent.destroy();
  }

  /** Ends it with every pod, and removes the home. */
  async destroy(): Promise<void> {
    await this.stop();
    const { status, stderr } = spawnSync(process.execPath, [ENTRY, 'down', '--grace-period', '0'], {
      env: this.environment(),
      encoding: 'utf8',
    });
    this.agent.destroy();
    if (status !== 0) throw new Error(`podledger down failed, see ${this.home}:\n${stderr}`);
    rmSync(this.home, { recursive: true, force: true });
  }

  private environment(): NodeJS.ProcessEnv {
    return { ...process.env, PODLEDGER_HOME: this.home, PODLEDGER_PORT: String(this.port), NODE_OPTIONS: '' };
  }

  private open(method: string, path: string, text: string, answered: Parameters<typeof request>[2]) {
    const { access } = this;
    assertRan(access !== undefined, 'podledger is not running');
    return request(
      new URL(path, access.server),
      {
        method,
        agent: this.agent,
        ca: access.ca,
        headers: {
          authorization: `Bearer ${access.token}`,
          ...(text !== '' && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
        },
      },
      answered,
    );
  }
}

export interface WatchEvent {
  readonly type: string;
  readonly object: PodObject;
}

/** What benches read of a pod. */
export interface PodObject extends JsonObject {
  readonly metadata: { readonly name: string; readonly uid: string; readonly resourceVersion: string };
  readonly status: {
    readonly phase: string;
    readonly containerStatuses?: readonly { readonly state: JsonObject }[];
  };
}
