import { DomainError, RemoteRefusal } from '#domain';
import {
  answer,
  ask,
  InMemoryBroker,
  logsCall,
  logsSubject,
  streamCall,
  type LogsOptions,
  type StreamChunk,
} from '#bus';
import { FakeContainerRuntime } from '../../../test/support/fake-container-runtime.js';
import { FakeEngine } from '../../../test/support/fake-engine.js';
import { ManualClock } from '../../../test/support/manual-clock.js';
import { SeededIds } from '../../../test/support/seeded-ids.js';
import { LogStreamer } from './log-streamer.js';

const key = { uid: 'uid-1', namespace: 'shop', name: 'web' };
const stream = 'streams.n1.s1';

/** A container `app` that wrote three lines, and a reader that keeps what it gets. */
async function scene() {
  const clock = new ManualClock();
  const broker = new InMemoryBroker({ clock, ids: new SeededIds() });
  const engine = new FakeEngine({ clock });
  engine.addImage('talker:1', { program: { prints: ['one', 'two', 'three'] } });
  const runtime = new FakeContainerRuntime(engine, { cluster: 'c1', node: 'n1' });
  const sandbox = await runtime.createSandbox({
    ...{ pod: key, attempt: 0, specHash: 's', hostname: 'web', ports: [], volumes: [], labels: {} },
  });
  await runtime.startSandbox(sandbox.id);
  const start = async (attempt: number): Promise<string> => {
    const { id } = await runtime.createContainer({
      ...{
        pod: key,
        name: 'app',
        attempt,
        specHash: 'h',
        sandboxId: sandbox.id,
        image: 'talker:1',
        env: [],
        mounts: [],
      },
      ...{ shareProcessNamespace: false, stdin: false, tty: false, labels: {} },
    });
    await runtime.startContainer(id);
    return id;
  };
  const api = broker.connect('api');
  const node = new LogStreamer({ bus: broker.connect('node'), runtime, clock, node: 'n1', report: () => undefined });
  node.start();
  const chunks: StreamChunk[] = [];
  const reader = { proceed: true, hold: Promise.resolve() };
  answer(api, stream, undefined, streamCall, async (chunk) => {
    chunks.push(chunk);
    await reader.hold;
    return { proceed: reader.proceed };
  });
  const open = (options: LogsOptions, containerId?: string): Promise<unknown> => {
    const request = { uid: key.uid, namespace: key.namespace, pod: key.name, container: 'app', options, stream };
    return ask(api, logsSubject('n1'), logsCall, { ...request, ...(containerId && { containerId }) }, 1_000);
  };
  const text = (): string => chunks.map(({ data }) => Buffer.from(data, 'base64').toString()).join('');
  return { clock, engine, start, open, chunks, text, reader, node };
}

describe("a container's output", () => {
  it('is sent in numbered pieces, and its end is said', async () => {
    const { clock, start, open, chunks, text } = await scene();
    await start(0);
    await open({});
    await clock.advance(0);
    expect(text()).toBe('one\ntwo\nthree\n');
    expect(chunks.map(({ sequence }) => sequence)).toEqual(chunks.map((_, index) => index));
    expect(chunks.at(-1)).toMatchObject({ end: true, data: '' });
  });

  it.each([
    [{ tailLines: 1 }, 'three\n'],
    [{ limitBytes: 5 }, 'one\nt'],
  ])('is cut as asked: %j', async (options, expected) => {
    const { clock, start, open, chunks, text } = await scene();
    await start(0);
    await open(options);
    await clock.advance(0);
    expect(text()).toBe(expected);
    expect(chunks.at(-1)?.end).toBe(true);
  });

  it('is followed until the container ends', async () => {
    const { clock, engine, start, open, chunks, text } = await scene();
    const id = await start(0);
    await open({ follow: true });
    await clock.advance(1_000);
    engine.print(id, 'four');
    await clock.advance(1_000);
    expect(text()).toBe('one\ntwo\nthree\nfour\n');
    expect(chunks.some(({ end }) => end)).toBe(false);
    engine.kill(id);
    await clock.advance(0);
    expect(chunks.at(-1)?.end).toBe(true);
  });

  it('of the run before is the run before', async () => {
    const { clock, engine, start, open, text } = await scene();
    const first = await start(0);
    engine.print(first, 'last words');
    engine.kill(first);
    await start(1);
    await open({ previous: true, tailLines: 1 });
    await clock.advance(0);
    expect(text()).toBe('last words\n');
  });

  it('is refused where there is none, in words', async () => {
    const { start, open } = await scene();
    await expect(open({})).rejects.toThrow(RemoteRefusal);
    await start(0);
    await expect(open({ previous: true })).rejects.toThrow(
      'previous terminated container "app" in pod "web" not found',
    );
    await expect(open({}, 'another')).rejects.toMatchObject({ reason: new DomainError('BadRequest', '').reason });
  });

  it('waits for a slow reader, and stops when the reader is gone, also in silence', async () => {
    const { clock, engine, start, open, chunks, reader } = await scene();
    const id = await start(0);
    let release: () => void = () => undefined;
    reader.hold = new Promise((resolve) => (release = resolve));
    await open({ follow: true });
    await clock.advance(5_000);
    expect(chunks).toHaveLength(1);
    release();
    await clock.advance(0);
    expect(chunks).toHaveLength(3);
    reader.proceed = false;
    await clock.advance(25_000);
    const sent = chunks.length;
    engine.print(id, 'nobody reads this');
    await clock.advance(60_000);
    expect(chunks).toHaveLength(sent);
  });
});
