import { RuntimeError } from './container-runtime.js';
import {
  containerStartFailure,
  creationFailure,
  isNetworkAmiss,
  pullFailure,
  sandboxStartFailure,
  statusOf,
  translate,
} from './docker-errors.js';

/** As docker-modem rejects. */
function engineSays(statusCode: number, message: string): Error {
  const text = `(HTTP code ${statusCode}) server error - ${message} `;
  return Object.assign(new Error(text), { statusCode, json: { message } });
}

function nodeSays(code: string): Error {
  return Object.assign(new Error(`connect ${code} /var/run/docker.sock`), { code });
}

describe('what the engine or the connection says, as a fault', () => {
  it.each([
    [nodeSays('ECONNREFUSED'), 'Unavailable'],
    [nodeSays('ENOENT'), 'Unavailable'],
    [nodeSays('ECONNRESET'), 'Unavailable'],
    [new Error('aborted'), 'Unavailable'],
    [new Error('socket hang up'), 'Unavailable'],
    [engineSays(503, 'starting'), 'Unavailable'],
    [engineSays(404, 'No such image: busybox:9'), 'ImageNotPresent'],
    [engineSays(404, 'No such container: abc'), 'NotFound'],
    [engineSays(500, 'No such container: abc'), 'NotFound'],
    [engineSays(400, 'invalid reference format'), 'InvalidImageName'],
    [engineSays(500, 'something else'), 'Failed'],
    ['not even an error', 'Failed'],
  ] as const)('%s', (error, fault) => {
    expect(translate('do it', error)).toMatchObject({ fault, cause: error });
  });

  it('begins with what was tried and keeps the words of the engine', () => {
    expect(translate('create container x', engineSays(500, 'no space left')).message).toBe(
      'create container x: no space left',
    );
  });

  it('is translated once', () => {
    const error = new RuntimeError('DeadlineExceeded', 'late');
    expect(translate('again', error)).toBe(error);
  });

  it('still tells the status afterwards', () => {
    expect(statusOf(translate('x', engineSays(409, 'conflict')))).toBe(409);
    expect(statusOf(translate('x', nodeSays('EPIPE')))).toBeUndefined();
  });
});

describe('what only the verb can tell', () => {
  const failed = (status: number, message: string) => translate('verb', engineSays(status, message));

  it('a refused creation', () => {
    expect(creationFailure(failed(400, 'bad mount'))).toMatchObject({ fault: 'CreateFailed' });
    expect(creationFailure(failed(404, 'No such image: x'))).toMatchObject({ fault: 'ImageNotPresent' });
    expect(creationFailure(translate('verb', nodeSays('EPIPE')))).toMatchObject({ fault: 'Unavailable' });
  });

  it.each([
    'driver failed programming external connectivity on endpoint x: Bind for 0.0.0.0:80 failed: port is already allocated',
    'failed to set up container networking: failed to bind host port for 0.0.0.0:80: address already in use',
  ])('a taken port: %s', (message) => {
    expect(sandboxStartFailure(failed(500, message))).toMatchObject({ fault: 'PortTaken' });
  });

  it('a sandbox that did not start for another reason', () => {
    expect(sandboxStartFailure(failed(500, 'no space left'))).toMatchObject({ fault: 'Failed' });
  });

  it('a process that could not be started, with the code that the engine recorded', () => {
    const missing = failed(400, 'exec: "/nope": stat /nope: no such file or directory');
    expect(containerStartFailure(missing, 127)).toMatchObject({ fault: 'StartFailed', exitCode: 127 });
    expect(containerStartFailure(missing, undefined)).toBe(missing);
    expect(containerStartFailure(missing, 0)).toBe(missing);
  });

  it('a start that failed for the sandbox or the engine is no termination', () => {
    const sandboxDead = failed(409, 'cannot join network of a non running container: abc');
    expect(containerStartFailure(sandboxDead, 128)).toBe(sandboxDead);
    const gone = translate('verb', nodeSays('ECONNRESET'));
    expect(containerStartFailure(gone, 128)).toBe(gone);
  });

  it('a refused pull', () => {
    expect(pullFailure(failed(404, 'manifest for x:1 not found: manifest unknown'))).toMatchObject({
      fault: 'PullFailed',
    });
    expect(pullFailure(failed(500, 'no basic auth credentials'))).toMatchObject({ fault: 'PullFailed' });
    expect(pullFailure(failed(400, 'invalid reference format'))).toMatchObject({ fault: 'InvalidImageName' });
    expect(pullFailure(translate('verb', nodeSays('ECONNRESET')))).toMatchObject({ fault: 'Unavailable' });
  });

  it.each([
    ['network podledger-0a1b not found', true],
    ['network podledger-0a1b is ambiguous (2 matches found on name)', true],
    ['No such container: network', false],
  ])('a network that is amiss: %s', (message, amiss) => {
    expect(isNetworkAmiss(failed(404, message))).toBe(amiss);
  });
});
