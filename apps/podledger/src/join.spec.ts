import { decodeInvitation, encodeInvitation } from './join.js';

const invitation = {
  url: 'tls://192.0.2.7:24222',
  ca: '-----BEGIN CERTIFICATE-----\n',
  credentials: 'seed',
  token: 'pl1.a.b',
};

describe('an invitation', () => {
  it('comes out of its text as it went in, and the text is one word', () => {
    const text = encodeInvitation(invitation);
    expect(text).toMatch(/^podledger-join-[A-Za-z0-9_-]+$/);
    expect(decodeInvitation(text)).toEqual(invitation);
  });

  it.each([
    ['something else', 'hello'],
    ['one that was cut', encodeInvitation(invitation).slice(0, -9)],
    ['one without a token', encodeInvitation({ url: 'nats://x:1' } as never)],
  ])('is not %s', (_, text) => {
    expect(() => decodeInvitation(text)).toThrow(/not a join token as "npm start"/);
  });
});
