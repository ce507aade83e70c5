import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import { hostname, networkInterfaces } from 'node:os';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';
import type { Home } from './home.js';

/** PEM texts of what a server shows and what its clients trust. */
export interface Certificates {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const dayMs = 24 * 60 * 60 * 1000;
const caDays = 3650;
const serverDays = 397; // The longest that Apple's and Mozilla's verifiers accept of a server certificate.
const renewBeforeDays = 30;
/** Clocks of clients may be a little behind. */
const backdateMs = 60 * 60 * 1000;

/**
 * The cluster's own authority, made at the first start, and a server certificate for every name this machine is reached by,
 * made anew when those names change or its end is near. Clients trust the authority, so that renewal disturbs none.
 */
export async function certificates(
  home: Home,
  listenHost: string,
  now: Date,
  furtherNames: readonly string[] = [],
): Promise<Certificates> {
  x509.cryptoProvider.set(webcrypto as Crypto);
  const authority = await loadAuthority(home, now);
  const names = [...new Set([...serverNames(listenHost), ...furtherNames])].sort();
  const cert = home.read('pki/server.crt');
  const key = home.read('pki/server.key');
  if (cert && key && (await isGood(new x509.X509Certificate(cert), authority.cert, names, now))) {
    return { ca: authority.cert.toString('pem'), cert, key };
  }
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const made = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: 'CN=podledger-api',
    issuer: authority.cert.subject,
    ...validity(now, serverDays),
    publicKey: keys.publicKey,
    signingKey: authority.key,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) ? 'ip' : 'dns', value }) as const),
      ),
      await x509.AuthorityKeyIdentifierExtension.create(authority.cert.publicKey),
    ],
  });
  const issued = {
    ca: authority.cert.toString('pem'),
    cert: made.toString('pem'),
    key: await exportKey(keys.privateKey),
  };
  home.write('pki/server.key', issued.key);
  home.write('pki/server.crt', issued.cert);
  return issued;
}

/** The certificates of a home as they are. Throws when it has none yet. */
export function readCertificates(home: Home): Certificates {
  const [ca, cert, key] = [home.read('pki/ca.crt'), home.read('pki/server.crt'), home.read('pki/server.key')];
  if (!ca || !cert || !key)
    throw new Error(`there are no certificates in ${home.file('pki')}: run "podledger setup" first`);
  return { ca, cert, key };
}

interface Authority {
  readonly cert: x509.X509Certificate;
  readonly key: webcrypto.CryptoKey;
}

async function loadAuthority(home: Home, now: Date): Promise<Authority> {
  const cert = home.read('pki/ca.crt');
  const key = home.read('pki/ca.key');
  if (cert && key) {
    const der = x509.PemConverter.decodeFirst(key);
    return {
      cert: new x509.X509Certificate(cert),
      key: await webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']),
    };
  }
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: `CN=podledger-ca-${randomBytes(4).toString('hex')}`,
    ...validity(now, caDays),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  // The certificate last: its presence says that the pair is complete.
  home.write('pki/ca.key', await exportKey(keys.privateKey));
  home.write('pki/ca.crt', made.toString('pem'));
  return { cert: made, key: keys.privateKey };
}

async function isGood(
  cert: x509.X509Certificate,
  authority: x509.X509Certificate,
  names: readonly string[],
  now: Date,
): Promise<boolean> {
  const alternative = cert.getExtension(x509.SubjectAlternativeNameExtension);
  const present = (alternative?.names.toJSON() ?? []).map(({ value }) => value).sort();
  return (
    present.join() === names.map(canonical).sort().join() &&
    cert.notAfter.getTime() - now.getTime() > renewBeforeDays * dayMs &&
    (await cert.verify({ publicKey: authority.publicKey, signatureOnly: true }))
  );
}

/** As the certificate writes an address: IPv6 without abbreviation. */
function canonical(name: string): string {
  return isIP(name) === 6 ? new x509.GeneralName('ip', name).value : name;
}

/** Every name clients may use: a server that listens on all addresses is reached by any of them. */
function serverNames(listenHost: string): string[] {
  const everywhere = listenHost === '0.0.0.0' || listenHost === '::';
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const own = addresses.filter(({ scopeid }) => !scopeid).map(({ address }) => address);
  return ['localhost', '127.0.0.1', '::1', hostname(), ...(everywhere ? own : [listenHost])];
}

function validity(now: Date, days: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(now.getTime() - backdateMs), notAfter: new Date(now.getTime() + days * dayMs) };
}

/** 16 random bytes, positive as X.509 wants it. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}
