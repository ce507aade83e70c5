import { createServer as createHttp } from 'node:http';
import { createServer as createHttp2, type Http2Server } from 'node:http2';
import { createServer as createTcp, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Server as ProbedServer } from '../contract/prober.contract.js';

/** Servers on the loopback address, for as long as a test needs them. */
export class LoopbackServers {
  readonly host = '127.0.0.1';
  private readonly servers: { close(): void }[] = [];
  private readonly sockets = new Set<Socket>();

  /** The port that a server listens on from now on. */
  async portOf(server: Server | Http2Server): Promise<number> {
    this.servers.push(server);
    server.on('connection', (socket: Socket) => this.sockets.add(socket));
    await new Promise<void>((resolve) => server.listen(0, this.host, resolve));
    return (server.address() as AddressInfo).port;
  }

  async unusedPort(): Promise<number> {
    const server = createTcp();
    const port = await this.portOf(server);
    await new Promise<void>((resolve) => server.close(() => resolve()));
    return port;
  }

  /** A server that does one thing. */
  async serve(server: ProbedServer): Promise<{ readonly host: string; readonly port: number }> {
    return { host: this.host, port: await this.portFor(server) };
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    for (const server of this.servers.splice(0)) server.close();
  }

  private portFor(server: ProbedServer): Promise<number> {
    switch (server.does) {
      case 'answer HTTP':
        return this.portOf(createHttp((_, answer) => answer.writeHead(server.status).end('x')));
      case 'answer gRPC':
        return this.portOf(healthServer({ '': server.servingStatus }));
      case 'keep silent':
        return this.portOf(createTcp());
      case 'not exist':
        return this.unusedPort();
    }
  }
}

/** A server of grpc.health.v1: the status of services by name; others are unknown to it. */
export function healthServer(services: Readonly<Record<string, number>>): Http2Server {
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
  return server;
}
