import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect as http2Connect } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { connect as tcpConnect } from 'node:net';
import protobuf from 'protobufjs/minimal.js';
import type { Clock } from '#domain';
import { NoUsableAnswer, type NetworkAnswer, type NetworkCheck, type Prober } from './prober.js';

type CheckOf<Type extends NetworkCheck['type']> = Extract<NetworkCheck, { type: Type }>;
/** Calls back when the time is over; ends what is under way. */
type Within = (end: () => void) => void;

/** Servers tell probes from people by it; some let them in without a login. */
const USER_AGENT = 'kube-probe/1.33';
const MAX_REDIRECTS = 10;

/** {@link Prober} by connections of this process, a new one for every question: what a pod's server does for others shows. */
export class NetworkProber implements Prober {
  constructor(private readonly clock: Clock) {}

  async ask(check: NetworkCheck, timeoutMs: number): Promise<NetworkAnswer> {
    let abort = (): void => undefined;
    let expired = false;
    const cancel = this.clock.after(timeoutMs, () => {
      expired = true;
      abort();
    });
    const within: Within = (end) => {
      abort = end;
      if (expired) end();
    };
    try {
      switch (check.type) {
        case 'http':
          return { type: 'http', status: await httpGet(check, within) };
        case 'tcp':
          await tcpDial(check, within);
          return { type: 'tcp' };
        case 'grpc':
          return { type: 'grpc', servingStatus: await grpcHealth(check, within) };
      }
    } catch (cause) {
      const why = expired ? `${timeoutText(check.type)} (timeout ${timeoutMs / 1000}s)` : problemOf(cause);
      throw new NoUsableAnswer(`${labelOf(check)}: ${why}`, { cause });
    } finally {
      cancel();
      abort();
    }
  }
}

const addressOf = ({ host, port }: NetworkCheck): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;

function labelOf(check: NetworkCheck): string {
  switch (check.type) {
    case 'http':
      return `Get "${check.scheme}://${addressOf(check)}${check.path}"`;
    case 'tcp':
      return `dial tcp ${addressOf(check)}`;
    case 'grpc':
      return `health check of service "${check.service}" at ${addressOf(check)}`;
  }
}

const timeoutText = (type: NetworkCheck['type']): string =>
  type === 'tcp' ? 'i/o timeout' : type === 'http' ? 'context deadline exceeded' : 'health rpc did not complete';

/** Node's error codes in the words of those who read events. */
const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  ECONNRESET: 'connection reset by peer',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ENOTFOUND: 'no such host',
};

function problemOf(cause: unknown): string {
  if (typeof cause !== 'object' || cause === null) return String(cause);
  const words = 'code' in cause ? WORDS[String(cause.code)] : undefined;
  if (words !== undefined) return words;
  // HTTP/2 says of a stream that its connection failed, and why beneath.
  if ('cause' in cause && cause.cause !== undefined) return problemOf(cause.cause);
  return 'message' in cause ? String(cause.message) : String(cause);
}

/** Follows redirects to the same host; one to another is an answer in itself (kubelet's rule). */
async function httpGet(check: CheckOf<'http'>, within: Within): Promise<number> {
  let url = new URL(`${check.scheme}://${addressOf(check)}`);
  let path = check.path;
  for (let hops = 0; ; hops += 1) {
    const { status, location } = await httpOnce(url, path, check.headers, within);
    if (location === undefined || ![301, 302, 303, 307, 308].includes(status)) return status;
    const next = new URL(location, new URL(path, url));
    if (next.hostname !== url.hostname) return status;
    if (hops === MAX_REDIRECTS) throw new Error(`stopped after ${MAX_REDIRECTS} redirects`);
    url = next;
    path = `${next.pathname}${next.search}`;
  }
}

interface HttpAnswer {
  readonly status: number;
  readonly location?: string;
}

function httpOnce(url: URL, path: string, given: CheckOf<'http'>['headers'], within: Within): Promise<HttpAnswer> {
  const headers: Record<string, string[]> = {};
  for (const { name, value } of given) (headers[name.toLowerCase()] ??= []).push(value);
  headers['user-agent'] ??= [USER_AGENT];
  headers['accept'] ??= ['*/*'];
  headers['connection'] = ['close'];
  // Node takes a list for most headers, but not for the one that must be single.
  const host = headers['host']?.[0];
  const options = {
    // What a URL may not carry travels as its code.
    path: path.replace(/[^\x21-\x7e]/g, encodeURIComponent),
    ...{ host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port || undefined, agent: false },
    headers: { ...headers, ...(host !== undefined && { host }) },
    // Who can reach the pod's address at all is on its node: its certificate proves nothing more (kubelet's rule).
    rejectUnauthorized: false,
    // Small servers in scripts end their lines as they please, and Go, which kubelet is written in, does not mind.
    insecureHTTPParser: true,
  };
  return new Promise((resolve, reject) => {
    const answered = (answer: IncomingMessage): void => {
      const { statusCode = 0, headers: got } = answer;
      // The status is all that counts: the rest is not waited for.
      answer.destroy();
      resolve({ status: statusCode, ...(got.location !== undefined && { location: got.location }) });
    };
    const asked = url.protocol === 'https:' ? httpsRequest(options, answered) : httpRequest(options, answered);
    asked.on('error', reject);
    within(() => asked.destroy());
    asked.end();
  });
}

function tcpDial({ host, port }: CheckOf<'tcp'>, within: Within): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = tcpConnect({ host, port }, resolve);
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('closed')));
    within(() => socket.destroy());
  });
}

/** `POST /grpc.health.v1.Health/Check` over HTTP/2 without TLS; the messages have one field each. */
function grpcHealth(check: CheckOf<'grpc'>, within: Within): Promise<number> {
  return new Promise((resolve, reject) => {
    const session = http2Connect(`http://${addressOf(check)}`);
    within(() => session.destroy());
    session.on('error', reject);
    session.on('close', () => reject(new Error('the connection was closed')));
    const call = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      'user-agent': USER_AGENT,
      te: 'trailers',
    });
    const body: Buffer[] = [];
    let trailers: Readonly<Record<string, unknown>> = {};
    // An answer without a body has its trailers in front.
    call.on('response', (headers) => (trailers = { ...headers }));
    call.on('trailers', (headers) => (trailers = { ...trailers, ...headers }));
    call.on('data', (chunk: Buffer) => body.push(chunk));
    call.on('error', reject);
    call.on('end', () => {
      try {
        resolve(servingStatusOf(trailers, Buffer.concat(body)));
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
    call.end(framed(protobuf.Writer.create().uint32(10).string(check.service).finish()));
  });
}

/** gRPC's framing: not compressed, and the length. */
function framed(message: Uint8Array): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}

const UNIMPLEMENTED = '12';

function servingStatusOf(trailers: Readonly<Record<string, unknown>>, body: Buffer): number {
  const code = String(trailers['grpc-status'] ?? '');
  if (code === UNIMPLEMENTED) {
    throw new Error('this server does not implement the grpc health protocol (grpc.health.v1.Health)');
  }
  if (code !== '0') {
    const status = String(trailers[':status'] ?? 'none');
    throw new Error(
      code === ''
        ? `not a gRPC server (HTTP status ${status})`
        : `health rpc failed with code ${code}: ${String(trailers['grpc-message'] ?? '')}`,
    );
  }
  const length = body.length >= 5 ? body.readUInt32BE(1) : 0;
  const reader = protobuf.Reader.create(body.subarray(5, 5 + length));
  let status = 0;
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === 8) status = reader.int32();
    else reader.skipType(tag & 7);
  }
  return status;
}
