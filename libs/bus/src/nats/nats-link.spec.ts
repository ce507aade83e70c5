import { connectionOptions } from './nats-link.js';

const optionsOf = (url: string | string[]): ReturnType<typeof connectionOptions> =>
  connectionOptions({ url, name: 'test' });

describe('a NATS URL', () => {
  it('brings user and password, decoded', () => {
    expect(optionsOf('nats://jane:p%40ss@nats.example.org:4223')).toMatchObject({
      servers: ['nats.example.org:4223'],
      user: 'jane',
      pass: 'p@ss',
    });
  });

  it('brings a token when it has a user alone', () => {
    const options = optionsOf('nats://s3cret@nats.example.org');
    expect(options).toMatchObject({ servers: ['nats.example.org'], token: 's3cret' });
    expect(options).not.toHaveProperty('user');
  });

  it('asks for TLS by its scheme, and brings no credentials of its own', () => {
    expect(optionsOf('tls://nats.example.org').tls).toEqual(expect.any(Object));
    const plain = optionsOf(['nats://a:1', 'nats://b:2']);
    expect(plain).not.toHaveProperty('tls');
    expect(plain).not.toHaveProperty('user');
    expect(plain.servers).toEqual(['a:1', 'b:2']);
  });
});
