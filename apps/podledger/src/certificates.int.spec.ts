import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { isIP, type AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { certificates, type Certificates } from './certificates.js';
import { Home } from './home.js';

const day = 24 * 60 * 60 * 1000;
const now = new Date();

/** Whether a client that trusts `ca` and asks for `name` accepts what a server with these certificates shows. */
async function accepts(server: Certificates, ca: string, name: string): Promise<string> {
  const listener = createServer({ key: server.key, cert: server.cert });
  listener.on('tlsClientError', () => undefined); // The refusals this test asks for.
  await once(listener.listen(0, '127.0.0.1'), 'listening');
  const { port } = listener.address() as AddressInfo;
  const socket = connect({ host: '127.0.0.1', port, ca, ...(isIP(name) ? {} : { servername: name }) });
  const outcome = await new Promise<string>((resolve) => {
    socket.once('secureConnect', () => resolve('accepted'));
    socket.once('error', (error) => resolve(error.message));
  });
  socket.destroy();
  listener.close();
  return outcome;
}

describe('certificates of a home', () => {
  let directory: string;
  let home: Home;
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'podledger-pki-'));
    home = await Home.open(directory);
  });
  afterEach(() => {
    home.release();
    rmSync(directory, { recursive: true });
  });

  it.each(['localhost', '127.0.0.1', hostname()])('let a client that knows the authority reach %s', async (name) => {
    const made = await certificates(home, '127.0.0.1', now);
    expect(await accepts(made, made.ca, name)).toBe('accepted');
  });

  it('are refused for a name they do not carry, and by a client of another authority', async () => {
    const made = await certificates(home, '127.0.0.1', now);
    expect(await accepts(made, made.ca, 'elsewhere.example')).toMatch(/not match|altnames/i);
    const otherDirectory = mkdtempSync(join(tmpdir(), 'podledger-pki-'));
    const other = await Home.open(otherDirectory);
    const { ca } = await certificates(other, '127.0.0.1', now);
    other.release();
    rmSync(otherDirectory, { recursive: true });
    expect(await accepts(made, ca, 'localhost')).toMatch(/unable to verify|self.signed|certificate/i);
  });

  it('are kept from start to start', async () => {
    const first = await certificates(home, '127.0.0.1', now);
    expect(await certificates(home, '127.0.0.1', new Date(now.getTime() + 300 * day))).toEqual(first);
  });

  it('are made anew, by the same authority, for another address and near their end', async () => {
    const first = await certificates(home, '127.0.0.1', now);
    const moved = await certificates(home, '192.0.2.7', now);
    expect(moved.cert).not.toBe(first.cert);
    expect(moved.ca).toBe(first.ca);
    const renewed = await certificates(home, '192.0.2.7', new Date(now.getTime() + 380 * day));
    expect(renewed.cert).not.toBe(moved.cert);
    expect(renewed.ca).toBe(first.ca);
  });
});
