import { dockerEndpoint } from './docker-address.js';

describe('the address of a Docker Engine', () => {
  it.each([
    ['unix:///var/run/docker.sock', {}, '/var/run/docker.sock'],
    ['tcp://192.0.2.7', {}, { host: '192.0.2.7', port: '2375', protocol: 'http' }],
    ['tcp://192.0.2.7:4243', {}, { host: '192.0.2.7', port: '4243', protocol: 'http' }],
    ['tcp://192.0.2.7', { DOCKER_TLS_VERIFY: '1' }, { host: '192.0.2.7', port: '2376', protocol: 'https' }],
  ])('%s is understood as Docker does', (address, env, endpoint) => {
    expect(dockerEndpoint(address, env)).toEqual(endpoint);
  });

  it('is refused by name where we do not speak its scheme', () => {
    expect(() => dockerEndpoint('ssh://somebody@host', {})).toThrow('ssh: addresses are not supported');
  });
});
