import { Buffer } from 'node:buffer';
import type { PodState } from '#domain';
import { answer, ask, logsCall, logsSubject, streamCall, type LogsRequest } from '#bus';
import { ApiWorld, podNamed, type ApiReplica } from '../../../../test/support/api-world.js';
import { ofKind } from '../resources/editing.js';
import type { LogQuery } from './log-query.js';

describe('the output of containers', () => {
  let world: ApiWorld;
  let api: ApiReplica;
  const asked: LogsRequest[] = [];
  let proceeded: boolean[] = [];
  beforeEach(async () => {
    world = new ApiWorld();
    api = await world.replica();
    asked.length = 0;
    proceeded = [];
  });
  afterEach(() => world.stop());

  const started = (container: string, containerId: string, attempt = 0) => ({
    type: 'ContainerStarted',
    data: { container, attempt, containerId, imageId: 'i', startedAt: 0 },
  });
  const exited = (container: string, containerId: string, attempt = 0) => ({
    type: 'ContainerExited',
    data: { container, attempt, containerId, exitCode: 0, reason: 'Completed', finishedAt: 0 },
  });

  async function pod(...names: string[]): Promise<PodState> {
    const containers = names.map((name) => ({ name, image: 'busybox:1' }));
    await world.create(api, 'pods', 'default', podNamed('web', { spec: { nodeName: 'n1', containers } }));
    return current();
  }
  const current = async (): Promise<PodState> =>
    ofKind('Pod', await api.core.reader.get(world.resource(api, 'pods'), 'default', 'web'));

  /** A node that sends these pieces to whoever asks. */
  function node(...pieces: string[]): void {
    const bus = world.broker.connect('executor');
    answer(bus, logsSubject('n1'), undefined, logsCall, async (request) => {
      asked.push(request);
      void (async () => {
        for (const [sequence, piece] of pieces.entries()) {
          const data = Buffer.from(piece).toString('base64');
          const end = sequence === pieces.length - 1;
          const chunk = { sequence, data, ...(end && { end }) };
          const { proceed } = await ask(bus, request.stream, streamCall, chunk, 60_000).catch(() => ({
            proceed: false,
          }));
          proceeded.push(proceed);
          if (!proceed) return;
        }
      })();
      return { accepted: true };
    });
  }

  async function read(query: LogQuery = {}): Promise<string> {
    let text = '';
    const pieces = await api.core.logs.open(await current(), query, new AbortController().signal);
    for await (const piece of pieces) text += Buffer.from(piece).toString('utf8');
    return text;
  }

  it('arrives whole and in order from the node the pod is on', async () => {
    await pod('app');
    await world.record(api, 'web', started('app', 'c1'));
    node('one\n', 'two\n', 'three');
    expect(await read()).toBe('one\ntwo\nthree');
    expect(asked).toMatchObject([{ container: 'app', containerId: 'c1', pod: 'web', namespace: 'default' }]);
  });

  it('is cut at limitBytes', async () => {
    await pod('app');
    await world.record(api, 'web', started('app', 'c1'));
    node('one\n', 'two\n', 'three');
    expect(await read({ limitBytes: '6' })).toBe('one\ntw');
  });

  it('is of the run before this one when that is asked for', async () => {
    await pod('app');
    await world.record(api, 'web', started('app', 'c1'), exited('app', 'c1'), started('app', 'c2', 1));
    node('old');
    expect(await read({ previous: 'true' })).toBe('old');
    expect(asked).toMatchObject([{ containerId: 'c1', options: { previous: true } }]);
  });

  it('stops being sent when nobody reads any more', async () => {
    await pod('app');
    await world.record(api, 'web', started('app', 'c1'));
    node('one', 'two', 'three', 'four');
    const pieces = await api.core.logs.open(await current(), {}, new AbortController().signal);
    await pieces.next();
    await pieces.return();
    await world.clock.advance(61_000);
    expect(proceeded.at(-1)).toBe(false);
    expect(proceeded.length).toBeLessThan(4);
  });

  it('passes on what was asked of it', async () => {
    await pod('app');
    await world.record(api, 'web', started('app', 'c1'));
    node('x');
    await read({ follow: 'true', timestamps: '1', tailLines: '5', sinceSeconds: '10' });
    const sinceTime = world.clock.now() - 10_000;
    expect(asked[0]?.options).toEqual({ follow: true, previous: false, timestamps: true, tailLines: 5, sinceTime });
  });

  it.each<[string, string[], LogQuery, string]>([
    ['which of several', ['a', 'b'], {}, 'a container name must be specified for pod web, choose one of: [a b]'],
    ['a container there is not', ['a'], { container: 'x' }, 'container x is not valid for pod web'],
    ['one that has not started', ['a'], {}, 'container "a" in pod "web" is waiting to start: ContainerCreating'],
    ['a run there was not', ['a'], { previous: 'true' }, 'previous terminated container "a" in pod "web" not found'],
  ])('refuses %s in the words clients know', async (_, containers, query, message) => {
    await pod(...containers);
    await expect(read(query)).rejects.toMatchObject({ code: 400, reason: 'BadRequest', message });
  });

  it.each<[LogQuery, number]>([
    [{ tailLines: '-1' }, 422],
    [{ limitBytes: '0' }, 422],
    [{ sinceSeconds: 'x' }, 400],
    [{ sinceTime: 'yesterday' }, 400],
    [{ sinceSeconds: '1', sinceTime: '2026-01-01T00:00:00Z' }, 422],
    [{ follow: 'perhaps' }, 400],
  ])('refuses %j with %i', async (query, code) => {
    await pod('app');
    await expect(read(query)).rejects.toMatchObject({ code });
  });

  it('is unavailable while its node does not answer', async () => {
    await pod('app');
    await world.record(api, 'web', started('app', 'c1'));
    const reading = read().catch((error: unknown) => error);
    await world.clock.advance(10_100);
    expect(await reading).toMatchObject({ name: 'NoAnswer' });
  });
});
