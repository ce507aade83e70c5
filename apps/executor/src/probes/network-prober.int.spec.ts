import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttp2, type Http2Server } from 'node:http2';
import { createServer as createHttps } from 'node:https';
import { createServer as createTcp, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net';
import { SystemClock } from '#system';
import { loopbackCertificate } from '../../../../test/support/tls.js';
import { NetworkProber } from './network-prober.js';
import type { NetworkCheck } from './prober.js';

const prober = new NetworkProber(new SystemClock());
const host = '127.0.0.1';
const open: { close(): void }[] = [];
const sockets = new Set<Socket>();
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of open.splice(0)) server.close();
});

async function portOf(server: Server | TcpServer | Http2Server): Promise<number> {
  open.push(server);
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return (server.address() as AddressInfo).port;
}
const http = (port: number, over: Partial<Extract<NetworkCheck, { type: 'http' }>> = {}): NetworkCheck => ({
  ...{ type: 'http', scheme: 'http', host, port, path: '/', headers: [] },
  ...over,
});
const tcp = (port: number): NetworkCheck => ({ type: 'tcp', host, port });
const grpc = (port: number, service = ''): NetworkCheck => ({ type: 'grpc', host, port, service });

async function unusedPort(): Promise<number> {
  const server = createTcp();
  const port = await portOf(server);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

describe('HTTP checks', () => {
  it('ask for the path with the given headers, and know nothing but the status', async () => {
    const requests: Pick<IncomingMessage, 'url' | 'headers'>[] = [];
    const port = await portOf(
      createHttp(({ url, headers }, answer) => {
        requests.push({ url, headers });
        answer.writeHead(418).end('x'.repeat(100_000));
      }),
    );
    const headers = [
      { name: 'Host', value: 'shop.example' },
      { name: 'X-Twice', value: 'one' },
      { name: 'X-Twice', value: 'two' },
    ];
    expect(await prober.ask(http(port, { path: '/healthz?full=1 2', headers }), 5_000)).toEqual({
      type: 'http',
      status: 418,
    });
    expect(requests).toMatchObject([
      { url: '/healthz?full=1%202', headers: { host: 'shop.example', 'x-twice': 'one, two', connection: 'close' } },
    ]);
    expect(requests[0]?.headers['user-agent']).toMatch(/^kube-probe\//);
  });

  it('come over TLS from whoever answers there', async () => {
    const port = await portOf(createHttps(await loopbackCertificate(), (_, answer) => answer.writeHead(200).end()));
    expect(await prober.ask(http(port, { scheme: 'https' }), 5_000)).toEqual({ type: 'http', status: 200 });
  });

  it('follow redirects on the same host, and stop at those to another', async () => {
    const redirect = (answer: ServerResponse, location: string): void => void answer.writeHead(302, { location }).end();
    const port = await portOf(
      createHttp(({ url }, answer) => {
        if (url === '/start') redirect(answer, '/next');
        else if (url === '/next') answer.writeHead(503).end();
        else if (url === '/loop') redirect(answer, '/loop');
        else redirect(answer, 'http://elsewhere.invalid/');
      }),
    );
    expect(await prober.ask(http(port, { path: '/start' }), 5_000)).toEqual({ type: 'http', status: 503 });
    expect(await prober.ask(http(port, { path: '/away' }), 5_000)).toEqual({ type: 'http', status: 302 });
    await expect(prober.ask(http(port, { path: '/loop' }), 5_000)).rejects.toThrow('stopped after 10 redirects');
  });

  it('take answers of servers that end their lines with a line feed alone', async () => {
    const answer = 'HTTP/1.1 503 No\nContent-Type: text/plain\n\nclosed\n';
    const port = await portOf(createTcp((socket) => void socket.once('data', () => socket.end(answer))));
    expect(await prober.ask(http(port), 5_000)).toEqual({ type: 'http', status: 503 });
  });

  it('say in known words why there was no answer', async () => {
    const port = await unusedPort();
    await expect(prober.ask(http(port, { path: '/x' }), 5_000)).rejects.toThrow(
      `Get "http://127.0.0.1:${port}/x": connect: connection refused`,
    );
    const silent = await portOf(createTcp());
    await expect(prober.ask(http(silent), 100)).rejects.toThrow('context deadline exceeded (timeout 0.1s)');
    const broken = await portOf(createTcp((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n')));
    await expect(prober.ask(http(broken), 5_000)).rejects.toMatchObject({ name: 'NoUsableAnswer' });
    const invalid = [{ name: 'X-Bad', value: 'a\nb' }];
    await expect(prober.ask(http(port, { headers: invalid }), 5_000)).rejects.toMatchObject({ name: 'NoUsableAnswer' });
  });
});

describe('TCP checks', () => {
  it('are content with a connection, and close it', async () => {
    let closed = (): void => undefined;
    const hangsUp = new Promise<void>((resolve) => (closed = resolve));
    const port = await portOf(createTcp((socket) => socket.resume().on('close', closed)));
    expect(await prober.ask(tcp(port), 5_000)).toEqual({ type: 'tcp' });
    await hangsUp;
  });

  it('say that nobody listens', async () => {
    const port = await unusedPort();
    await expect(prober.ask(tcp(port), 5_000)).rejects.toThrow(
      `dial tcp 127.0.0.1:${port}: connect: connection refused`,
    );
  });
});

describe('gRPC checks', () => {
  /** A health server: the status of services by name; others are unknown to it. */
  async function healthServer(services: Readonly<Record<string, number>>): Promise<number> {
    const server = createHttp2();
    server.on('stream', (stream, headers) => {
      const body: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => body.push(chunk));
      stream.on('end', () => {
        const isHealth = headers[':path'] === '/grpc.health.v1.Health/Check';
        // Field 1 of the message, after the frame's five bytes and its own two.
        const status = services[Buffer.concat(body).subarray(7).toString()];
        const respond = { ':status': 200, 'content-type': 'application/grpc' };
        if (!isHealth || status === undefined) {
          const [code, text] = isHealth ? ['5', 'unknown service'] : ['12', 'unimplemented'];
          return stream.respond({ ...respond, 'grpc-status': code, 'grpc-message': text }, { endStream: true });
        }
        stream.respond(respond, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        stream.end(Buffer.from(status === 0 ? [0, 0, 0, 0, 0] : [0, 0, 0, 0, 2, 8, status]));
      });
    });
    return portOf(server);
  }

  it('pass on what the server says of a service, or of itself', async () => {
    const port = await healthServer({ '': 1, db: 2, new: 0 });
    expect(await prober.ask(grpc(port), 5_000)).toEqual({ type: 'grpc', servingStatus: 1 });
    expect(await prober.ask(grpc(port, 'db'), 5_000)).toEqual({ type: 'grpc', servingStatus: 2 });
    expect(await prober.ask(grpc(port, 'new'), 5_000)).toEqual({ type: 'grpc', servingStatus: 0 });
    await expect(prober.ask(grpc(port, 'gone'), 5_000)).rejects.toThrow('failed with code 5: unknown service');
  });

  it('say what is no health server', async () => {
    const plain = createHttp2();
    plain.on('stream', (stream) => stream.respond({ ':status': 404 }, { endStream: true }));
    await expect(prober.ask(grpc(await portOf(plain)), 5_000)).rejects.toThrow('not a gRPC server (HTTP status 404)');
    const unimplemented = createHttp2();
    unimplemented.on('stream', (stream) =>
      stream.respond({ ':status': 200, 'grpc-status': '12' }, { endStream: true }),
    );
    await expect(prober.ask(grpc(await portOf(unimplemented)), 5_000)).rejects.toThrow('grpc health protocol');
    await expect(prober.ask(grpc(await portOf(createTcp())), 100)).rejects.toThrow('health rpc did not complete');
    await expect(prober.ask(grpc(await unusedPort()), 5_000)).rejects.toThrow('connection refused');
  });
});
