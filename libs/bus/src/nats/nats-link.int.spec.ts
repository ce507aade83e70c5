import { jest } from '@jest/globals';
import 'reflect-metadata';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { TestNats } from '../../../../test/support/nats.js';
import { controlPlaneCreds } from './credentials.js';
import { createNatsKeys } from './keys.js';
import { connectNats, type NatsLinkOptions } from './nats-link.js';

// A busy machine may be slow to start a server; nothing here is a measurement.
jest.setTimeout(60_000);

const quiet = (): void => undefined;

/** A certificate for one address that is its own authority, as PEM files. */
async function certificate(
  dir: string,
  address = '127.0.0.1',
): Promise<{ certFile: string; keyFile: string; ca: string }> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const cert = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: 'CN=podledger test',
      notAfter: new Date(Date.now() + 3_600_000),
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true),
        new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: address }]),
      ],
    },
    crypto,
  );
  const key = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const [certFile, keyFile, ca] = [join(dir, 'cert.pem'), join(dir, 'key.pem'), cert.toString('pem')];
  await writeFile(certFile, ca);
  await writeFile(keyFile, `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`);
  return { certFile, keyFile, ca };
}

/** The first problem that keeps a link from standing. */
async function refusalOf(options: NatsLinkOptions): Promise<string> {
  const abort = new AbortController();
  let problem = 'none';
  const link = connectNats({
    ...options,
    signal: abort.signal,
    report: (_, cause) => {
      problem = String(cause);
      abort.abort(new Error('enough'));
    },
  });
  await expect(link).rejects.toThrow('enough');
  return problem;
}

describe('a link to our own server over TLS', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'podledger-tls-'));
  });
  afterAll(() => rm(dir, { recursive: true }));

  it('stands with the authority it was given, and with no other', async () => {
    const { ca, ...tls } = await certificate(dir);
    const keys = createNatsKeys();
    const nats = await TestNats.start(keys, tls);
    const creds = controlPlaneCreds(keys, Date.now());

    const link = await connectNats({ url: nats.url, name: 'over TLS', creds, ca, report: quiet });
    expect(link.connected).toBe(true);
    await link.close();

    const foreign = await certificate(await mkdtemp(join(dir, 'foreign-')));
    expect(await refusalOf({ url: nats.url, name: 'distrusting', creds, ca: foreign.ca })).toMatch(
      /self.signed|certificate/i,
    );
    await nats.stop();
  });

  it('refuses a server whose certificate is for another address', async () => {
    const { ca, ...tls } = await certificate(dir, '192.0.2.1');
    const nats = await TestNats.start(createNatsKeys(), tls);
    expect(await refusalOf({ url: nats.url, name: 'careful', ca })).toMatch(/does not match/);
    await nats.stop();
  });
});
