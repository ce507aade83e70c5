import { randomBytes } from 'node:crypto';
import { stringify } from 'yaml';
import type { Home } from './home.js';
import { bracketed, localAddress } from './ports.js';

/** The administrator's bearer token: 256 random bits, made once per home. */
export function adminToken(home: Home): string {
  const known = home.read('token')?.trim();
  if (known) return known;
  const token = randomBytes(32).toString('base64url');
  home.write('token', `${token}\n`);
  return token;
}

/** Writes the administrator's kubeconfig, which is all a client needs, and returns its path. */
export function writeKubeconfig(home: Home, server: string, ca: string, token: string): string {
  const name = 'podledger';
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name, context: { cluster: name, user: 'admin', namespace: 'default' } }],
    'current-context': name,
  };
  home.write('kubeconfig', stringify(config));
  return home.file('kubeconfig');
}

/** The address clients on this machine use for a server that listens on `host`. */
export function serverUrl(host: string, port: number): string {
  return `https://${bracketed(localAddress(host))}:${port}`;
}
