import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DockerEndpoint } from '../../executor/src/runtime/docker-client.js';

/** An engine's address as `DOCKER_HOST` has it, with the certificates of `DOCKER_CERT_PATH`. Throws on schemes we do not speak. */
export function dockerEndpoint(address: string, env: NodeJS.ProcessEnv): DockerEndpoint {
  const url = new URL(address);
  if (url.protocol === 'unix:') return url.pathname;
  if (url.protocol !== 'tcp:' && url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new Error(`DOCKER_HOST: ${url.protocol} addresses are not supported, give a unix: or tcp: address`);
  }
  const isTls = url.protocol === 'https:' || Boolean(env.DOCKER_TLS_VERIFY);
  const place = {
    host: url.hostname,
    port: url.port || (isTls ? '2376' : '2375'),
    protocol: isTls ? 'https' : 'http',
  } as const;
  const certificates = env.DOCKER_CERT_PATH;
  if (!isTls || !certificates) return place;
  const read = (name: string): string => readFileSync(join(certificates, name), 'utf8');
  return { ...place, ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') };
}
