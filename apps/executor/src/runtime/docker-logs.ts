import { IncomingMessage } from 'node:http';
import type Dockerode from 'dockerode';
import type { LogOptions } from './container-runtime.js';
import type { DockerClient } from './docker-client.js';
import { translate } from './docker-errors.js';
import { demultiplexed } from './docker-stream.js';

const OPEN_DEADLINE_MS = 10_000;

/**
 * Reads a container's output. Nothing is read from the engine while `onChunk` is pending, so that a slow reader holds the
 * engine up and not our memory. An abort ends it without an error; what `onChunk` throws is thrown.
 */
export async function readLogs(
  client: DockerClient,
  container: { readonly id: string; readonly tty: boolean },
  options: LogOptions,
  onChunk: (chunk: Uint8Array) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  // The engine takes "the last 0 lines" for "all" when it does not follow.
  if (signal.aborted || (options.tailLines === 0 && !options.follow)) return;
  const what = `read the output of ${container.id.slice(0, 12)}`;
  const stream = await client.call(what, OPEN_DEADLINE_MS, (docker) => open(docker, container.id, options));
  const abort = (): void => void stream.destroy();
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  try {
    const chunks = (container.tty ? stream : demultiplexed(stream))[Symbol.asyncIterator]();
    for (;;) {
      const chunk = await nextChunk(chunks, what, signal);
      if (chunk === undefined) return;
      await onChunk(chunk);
    }
  } finally {
    signal.removeEventListener('abort', abort);
    stream.destroy();
  }
}

async function nextChunk(
  chunks: AsyncIterator<Uint8Array>,
  what: string,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  try {
    const { value, done } = await chunks.next();
    return done || signal.aborted ? undefined : value;
  } catch (error) {
    if (signal.aborted) return undefined;
    throw translate(what, error);
  }
}

/** dockerode collects the answer in memory unless it follows; asked directly, it is always a stream. */
function open(docker: Dockerode, id: string, options: LogOptions): Promise<IncomingMessage> {
  const query = {
    stdout: true,
    stderr: true,
    follow: options.follow,
    timestamps: options.timestamps,
    ...(options.tailLines !== undefined && { tail: options.tailLines }),
    ...(options.sinceMillis !== undefined && { since: seconds(options.sinceMillis) }),
  };
  return new Promise((resolve, reject) => {
    docker.modem.dial(
      {
        path: `/containers/${id}/logs?`,
        method: 'GET',
        isStream: true,
        options: query,
        statusCodes: { 200: true, 404: 'no such container', 500: 'server error' },
      },
      (error, answer) => {
        if (error !== null) reject(error);
        else if (answer instanceof IncomingMessage) resolve(answer);
        else reject(new Error('the engine answered without a stream'));
      },
    );
  });
}

/** The engine's time stamps in queries: seconds with a fraction, as text, or it would lose digits. */
function seconds(millis: number): string {
  return (millis / 1000).toFixed(3);
}
