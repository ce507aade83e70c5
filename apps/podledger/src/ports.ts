import { createServer } from 'node:net';
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

/** A TCP port nobody listens on, chosen by the kernel. */
export function freePort(host: string): Promise<number> {
  return listenOnce(host, 0);
}

function listenOnce(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : port));
    });
  });
}
