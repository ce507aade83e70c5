import type { Clock, Millis } from '#domain';
import type { DockerClient } from './docker-client.js';
import { labelFilter, LABEL, type Scope } from './docker-names.js';
import { jsonLines, type ByteStream } from './docker-stream.js';

const CONNECT_DEADLINE_MS = 10_000;
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;
/** Without the list every exec would make three events more. */
const ACTIONS = ['start', 'die', 'oom', 'destroy'];

/** One of our containers started or ended. */
export interface ContainerChange {
  readonly containerId: string;
  readonly podUid?: string;
}

/**
 * Follows the engine's events of one cluster and node until the signal aborts. `onConnected` is called on every new
 * connection, after which nothing is missed: the engine replays little and nothing of an earlier life, so the state has to
 * be listed then. Reconnects for ever, with back-off; it has nobody to report a failure to but the next list.
 */
export async function followEvents(
  client: DockerClient,
  clock: Clock,
  scope: Scope,
  handlers: { readonly onConnected: () => void; readonly onChange: (change: ContainerChange) => void },
  signal: AbortSignal,
): Promise<void> {
  let retryMs = FIRST_RETRY_MS;
  while (!signal.aborted) {
    try {
      const stream = await connect(client, scope, signal);
      retryMs = FIRST_RETRY_MS;
      handlers.onConnected();
      for await (const event of jsonLines(stream)) {
        const change = changeOf(event);
        if (change !== undefined) handlers.onChange(change);
      }
    } catch {
      // The engine went away or does not answer: the same as an end of the stream.
    }
    if (signal.aborted) return;
    await clock.sleep(retryMs, signal);
    retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
  }
}

/** How much later than the end of a container its `oom` event may come: 0.3 s was seen on a loaded machine. */
const OOM_LATE_MS = 1_000;
const OOM_EARLY_MS = 10_000;

/**
 * Whether the engine told that a container which ended at `finishedAt` had run out of memory. Takes until a second after that
 * end when it did not. The engine remembers its last 256 events (of 20.10 to 28), and forgets them when it restarts.
 */
export async function sawOutOfMemory(client: DockerClient, id: string, finishedAt: Millis): Promise<boolean> {
  const filters = { container: [id], event: ['oom'] };
  const since = (finishedAt - OOM_EARLY_MS) / 1000;
  const until = (finishedAt + OOM_LATE_MS) / 1000;
  return client.call('read events', CONNECT_DEADLINE_MS, async (docker, abortSignal) => {
    const stream = await docker.getEvents({ filters, since, until, abortSignal });
    stream.setEncoding('utf8');
    for await (const event of jsonLines(stream)) return event['Action'] === 'oom';
    return false;
  });
}

async function connect(client: DockerClient, scope: Scope, signal: AbortSignal): Promise<ByteStream> {
  const filters = { type: ['container' as const], label: labelFilter(scope), event: ACTIONS };
  return client.call('follow events', CONNECT_DEADLINE_MS, async (docker, deadline) => {
    const stream = await docker.getEvents({ filters, abortSignal: AbortSignal.any([signal, deadline]) });
    stream.setEncoding('utf8');
    return stream;
  });
}

function changeOf(event: Record<string, unknown>): ContainerChange | undefined {
  const actor = event['Actor'];
  if (typeof actor !== 'object' || actor === null || !('ID' in actor)) return undefined;
  const attributes = 'Attributes' in actor && typeof actor.Attributes === 'object' ? { ...actor.Attributes } : {};
  const podUid: unknown = Object.entries(attributes).find(([key]) => key === LABEL.podUid)?.[1];
  return { containerId: String(actor.ID), ...(typeof podUid === 'string' && { podUid }) };
}
