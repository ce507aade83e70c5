import { networkInterfaces } from 'node:os';

/** Bridges and pairs that container engines make: addresses on them are nobody else's. */
const ENGINE_INTERFACE = /^(docker|br-|veth|podman|cni)/;

/** The address of this machine that others use: the first that is not its own loop. */
export function hostAddress(): string {
  const addresses = Object.entries(networkInterfaces()).flatMap(([name, each]) =>
    ENGINE_INTERFACE.test(name) ? [] : (each ?? []),
  );
  return addresses.find(({ internal, family }) => !internal && family === 'IPv4')?.address ?? '127.0.0.1';
}
