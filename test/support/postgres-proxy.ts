import { connect, createServer, type Server, type Socket } from 'node:net';

/** `ReadyForQuery`, idle: the server's last word on a statement, sent after its commit. */
const READY_FOR_QUERY = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

/** What becomes of the next statement that names the marker: it never arrives, or it is carried out and nobody is told. */
export type Loss = 'question' | 'answer';

/** A wire to PostgreSQL that can be cut at the worst moment. */
export class PostgresProxy {
  /** Connections cut so far. */
  cuts = 0;
  readonly #sockets = new Set<Socket>();
  #plan: { marker: string; loss: Loss; times: number } | undefined;
  #refusing = false;

  private constructor(
    private readonly server: Server,
    /** The URL of the server, through the proxy. */
    readonly url: string,
  ) {}

  static async open(targetUrl: string): Promise<PostgresProxy> {
    const target = new URL(targetUrl);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
    const url = new URL(targetUrl);
    url.hostname = '127.0.0.1';
    url.port = String(address.port);
    const proxy = new PostgresProxy(server, url.href);
    server.on('connection', (client) => proxy.#join(client, target));
    return proxy;
  }

  /** Cuts the wire at the next `times` statements whose message contains the marker. */
  lose(loss: Loss, marker: string, times = 1): void {
    this.#plan = { marker, loss, times };
  }

  /** Cuts every connection, and every new one until {@link restore}. */
  cutAll(): void {
    this.#refusing = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  restore(): void {
    this.#refusing = false;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  #join(client: Socket, target: URL): void {
    if (this.#refusing) {
      client.destroy();
      return;
    }
    const server = connect(Number(target.port || '5432'), target.hostname);
    const cut = (): void => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', cut);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        cut();
      });
    }
    let answerIsLost = false;
    client.on('data', (message) => {
      const loss = this.#lossOf(message);
      if (loss === 'question') return cut();
      answerIsLost ||= loss === 'answer';
      server.write(message);
    });
    server.on('data', (answer) => {
      if (!answerIsLost) client.write(answer);
      else if (answer.includes(READY_FOR_QUERY)) cut();
    });
  }

  #lossOf(message: Buffer): Loss | undefined {
    const plan = this.#plan;
    if (!plan || plan.times === 0 || !message.includes(plan.marker)) return undefined;
    plan.times -= 1;
    this.cuts += 1;
    return plan.loss;
  }
}
