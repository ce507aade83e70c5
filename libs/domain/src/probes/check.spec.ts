import { aContainer } from '../../../../test/support/builders.js';
import { checkOf, judgeExec, judgeGrpc, judgeHttp } from './check.js';

const container = aContainer('app', { ports: [{ name: 'web', containerPort: 8080 }] });
const of = (handler: Parameters<typeof checkOf>[0]) => checkOf(handler, container, '10.0.0.2');

describe('what a handler asks for', () => {
  it('the pod at a named port, with path, scheme and headers', () => {
    const httpHeaders = [{ name: 'Host', value: 'example.org' }];
    expect(of({ httpGet: { port: 'web', path: '/healthz?full=1', scheme: 'HTTPS', httpHeaders } })).toEqual({
      type: 'http',
      scheme: 'https',
      host: '10.0.0.2',
      port: 8080,
      path: '/healthz?full=1',
      headers: httpHeaders,
    });
  });

  it.each([
    {
      handler: { httpGet: { port: 80, host: '192.0.2.7', path: 'x' } },
      is: { type: 'http', host: '192.0.2.7', port: 80, path: '/x' },
    },
    { handler: { tcpSocket: { port: '6379' } }, is: { type: 'tcp', host: '10.0.0.2', port: 6379 } },
    { handler: { tcpSocket: { port: 'web', host: 'db' } }, is: { type: 'tcp', host: 'db', port: 8080 } },
    { handler: { grpc: { port: 9000 } }, is: { type: 'grpc', host: '10.0.0.2', port: 9000, service: '' } },
    { handler: { exec: { command: ['a', 'b'] } }, is: { type: 'exec', command: ['a', 'b'] } },
    { handler: { sleep: { seconds: 3 } }, is: { type: 'sleep', seconds: 3 } },
  ])('$is.type', ({ handler, is }) => {
    expect(of(handler)).toMatchObject(is);
  });

  it('what cannot be done says why', () => {
    expect(of({ httpGet: { port: 'admin' } })).toEqual({ type: 'impossible', message: `couldn't find port: "admin"` });
    expect(of({ tcpSocket: { port: 70_000 } })).toMatchObject({ type: 'impossible' });
    expect(checkOf({ tcpSocket: { port: 80 } }, container, undefined)).toMatchObject({ type: 'impossible' });
  });
});

describe('what an answer means', () => {
  it.each([
    [199, 'failure'],
    [200, 'success'],
    [399, 'success'],
    [400, 'failure'],
    [503, 'failure'],
  ])('HTTP status %i is a %s', (status, result) => {
    expect(judgeHttp(status).result).toBe(result);
  });

  it('a command that fails is quoted', () => {
    expect(judgeExec(0, 'fine\n')).toEqual({ result: 'success', message: '' });
    expect(judgeExec(1, 'cat: no such file\n')).toEqual({ result: 'failure', message: 'cat: no such file' });
    expect(judgeExec(7, '')).toEqual({ result: 'failure', message: 'command exited with code 7' });
    expect(judgeExec(1, 'x'.repeat(5_000)).message).toHaveLength(1_024);
  });

  it('a gRPC server must say that it serves', () => {
    expect(judgeGrpc(1).result).toBe('success');
    expect(judgeGrpc(2)).toEqual({ result: 'failure', message: 'service unhealthy (responded with "NOT_SERVING")' });
    expect(judgeGrpc(9).message).toContain('"9"');
  });
});
