import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttp2 } from 'node:http2';
import { createServer as createHttps } from 'node:https';
import { createServer as createTcp } from 'node:net';
import { SystemClock } from '#system';
import { describeProber } from '../../../../test/contract/prober.contract.js';
import { healthServer, LoopbackServers } from '../../../../test/support/loopback-servers.js';
import { loopbackCertificate } from '../../../../test/support/tls.js';
import { NetworkProber } from './network-prober.js';
import type { NetworkCheck } from './prober.js';

const prober = new NetworkProber(new SystemClock());
const servers = new LoopbackServers();
const { host } = servers;
afterEach(() => servers.close());
const portOf = (server: Parameters<LoopbackServers['portOf']>[0]): Promise<number> => servers.portOf(server);
const unusedPort = (): Promise<number> => servers.unusedPort();

const http = (port: number, over: Partial<Extract<NetworkCheck, { type: 'http' }>> = {}): NetworkCheck => ({
  ...{ type: 'http', scheme: 'http', host, port, path: '/', headers: [] },
  ...over,
});
const tcp = (port: number): NetworkCheck => ({ type: 'tcp', host, port });
const grpc = (port: number, service = ''): NetworkCheck => ({ type: 'grpc', host, port, service });

describeProber('connections of this process', async () => {
  const served = new LoopbackServers();
  return {
    prober,
    serve: (server) => served.serve(server),
    passing: (work) => work,
    dispose: async () => served.close(),
  };
});

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
  it('pass on what the server says of a service, or of itself', async () => {
    const port = await portOf(healthServer({ '': 1, db: 2, new: 0 }));
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
