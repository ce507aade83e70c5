import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DockerEndpoint } from './runtime/docker-client.js';

/** Where an engine listens unless it is told otherwise. */
export const DEFAULT_DOCKER_HOST = 'unix:///var/run/docker.sock';

/**
 * An engine's address as Docker's own tools read it from `DOCKER_HOST`, with the certificates of `DOCKER_CERT_PATH` when
 * `DOCKER_TLS_VERIFY` is set. Throws on a scheme that is not spoken here.
 */
export function readDockerHost(address: string, env: Readonly<Record<string, string | undefined>>): DockerEndpoint {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  switch (url?.protocol) {
    case 'unix:':
      return url.pathname;
    case 'tcp:':
    case 'http:':
    case 'https:': {
      const secure = url.protocol === 'https:' || Boolean(env['DOCKER_TLS_VERIFY']);
      const port = url.port || (secure ? '2376' : '2375');
      const directory = env['DOCKER_CERT_PATH'];
      const file = (name: string): { readonly [name: string]: string } =>
        directory === undefined ? {} : { [name]: readFileSync(join(directory, `${name}.pem`), 'utf8') };
      const certificates = secure ? { ...file('ca'), ...file('cert'), ...file('key') } : {};
      return { host: url.hostname, port, protocol: secure ? 'https' : 'http', ...certificates };
    }
    default:
      throw new Error(`DOCKER_HOST: ${address} is neither a unix: nor a tcp: address`);
  }
}
