import { readDockerHost } from './docker-endpoint.js';

describe('the address of an engine', () => {
  it.each([
    ['unix:///run/docker.sock', {}, '/run/docker.sock'],
    ['tcp://192.0.2.1', {}, { host: '192.0.2.1', port: '2375', protocol: 'http' }],
    ['tcp://192.0.2.1:9000', {}, { host: '192.0.2.1', port: '9000', protocol: 'http' }],
    ['tcp://192.0.2.1', { DOCKER_TLS_VERIFY: '1' }, { host: '192.0.2.1', port: '2376', protocol: 'https' }],
  ])('%s %j', (address, env, expected) => {
    expect(readDockerHost(address, env)).toEqual(expected);
  });

  it.each(['ssh://192.0.2.1', '/var/run/docker.sock', ''])(
    'is refused when it is not one that is spoken: %j',
    (address) => {
      expect(() => readDockerHost(address, {})).toThrow(`DOCKER_HOST: ${address} is neither`);
    },
  );
});
