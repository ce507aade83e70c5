import { randomInt } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { isSystemError } from './system-error.js';

/** Somebody else listens where we were told to. */
export class PortTaken extends Error {
  constructor(
    readonly host: string,
    readonly port: number,
    hint: string,
  ) {
    super(`port ${port} on ${host} is taken by another program; ${hint}`);
    this.name = 'PortTaken';
  }
}

/** Whether a listener could be opened there now. Throws what is wrong with the address itself. */
export async function isFree(host: string, port: number): Promise<boolean> {
  try {
    await listenOnce(host, port);
    return true;
  } catch (error) {
    if (isSystemError(error, 'EADDRINUSE')) return false;
    throw error;
  }
}

/** Whether somebody listens there. */
export function isServed(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const answer = (served: boolean) => (): void => {
      socket.destroy();
      resolve(served);
    };
    socket.once('connect', answer(true));
    socket.once('error', answer(false));
  });
}

/** Where programs of this machine reach a server that listens on `host`: on every address means on the loopback one too. */
export function localAddress(host: string): string {
  return host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
}

/** An address as it stands in a URL. */
export function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** Below the range from which kernels give outgoing connections their ports, so that none sits on it by chance later. */
const keepable = { from: 20_000, to: 30_000 };
const tries = 100;

/** A TCP port nobody listens on, fit to be kept for good. */
export async function freePort(host: string): Promise<number> {
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const port = randomInt(keepable.from, keepable.to);
    if (await isFree(host, port)) return port;
  }
  throw new Error(`no free port on ${host} between ${keepable.from} and ${keepable.to}`);
}

function listenOnce(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve()));
  });
}
