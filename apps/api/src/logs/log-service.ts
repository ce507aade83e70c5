import { Buffer } from 'node:buffer';
import { NoAnswer, RemoteRefusal, type Clock, type IdSource, type MessageBus, type PodState } from '#domain';
import {
  answer,
  ask,
  logsCall,
  logsSubject,
  streamCall,
  streamSubject,
  type LogsRequest,
  type StreamChunk,
  type StreamReply,
} from '#bus';
import type { ClusterProjection } from '#eventlog';
import { badRequest } from '../status-error.js';
import { logsOptions, logSource, type LogQuery } from './log-query.js';

/** How long a node may take to say that it begins, in milliseconds. */
const ANSWER_MS = 10_000;
/** How long it may take for the next piece when nothing is awaited from the container itself, in milliseconds. */
const PIECE_MS = 30_000;
/** While following, how often it is looked at whether there is still somebody to follow, in milliseconds. */
const LOOK_MS = 5_000;

/** Relays containers' output from their nodes, piece by piece: the next piece is asked for when the reader has taken the last. */
export class LogService {
  constructor(
    private readonly projection: ClusterProjection,
    private readonly bus: MessageBus,
    private readonly clock: Clock,
    private readonly ids: IdSource,
  ) {}

  /**
   * Opens a container's output. Throws 400 of a container that cannot be meant or has no output yet, `NoAnswer` when its
   * node does not answer. The generator ends with the output, or with the signal.
   */
  async open(pod: PodState, query: LogQuery, signal: AbortSignal): Promise<AsyncGenerator<Uint8Array, void, void>> {
    const options = logsOptions(query, this.clock.now());
    const { node, container, containerId } = logSource(pod, query.container, options.previous ?? false);
    const { uid, namespace, name } = pod.meta;
    const stream = streamSubject(node, this.ids.uuid());
    const pieces = new Pieces();
    const unsubscribe = answer(this.bus, stream, undefined, streamCall, (chunk) => pieces.put(chunk));
    const request: LogsRequest = { uid, namespace, pod: name, container, containerId, options, stream };
    try {
      await ask(this.bus, logsSubject(node), logsCall, request, ANSWER_MS);
    } catch (error) {
      unsubscribe();
      pieces.close();
      if (error instanceof RemoteRefusal) throw badRequest(error.message);
      throw error instanceof NoAnswer ? new NoAnswer(`node ${node} does not answer: ${error.message}`) : error;
    }
    return this.read(
      pieces,
      unsubscribe,
      { node, uid, follow: options.follow ?? false, limit: options.limitBytes },
      signal,
    );
  }

  private async *read(
    pieces: Pieces,
    unsubscribe: () => void,
    source: { node: string; uid: string; follow: boolean; limit: number | undefined },
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, void> {
    let left = source.limit ?? Infinity;
    try {
      for (let sequence = 0; left > 0; sequence += 1) {
        const chunk = await this.next(pieces, source, signal);
        // A gap means a lost piece: better the truth that it ends here than output that looks whole.
        if (!chunk || chunk.sequence !== sequence) return;
        const data = Buffer.from(chunk.data, 'base64').subarray(0, left);
        left -= data.byteLength;
        if (data.byteLength > 0) yield data;
        if (chunk.end === true) return;
      }
    } finally {
      unsubscribe();
      pieces.close();
    }
  }

  /** The next piece; `undefined` when none will come. */
  private async next(
    pieces: Pieces,
    { node, uid, follow }: { readonly node: string; readonly uid: string; readonly follow: boolean },
    signal: AbortSignal,
  ): Promise<StreamChunk | undefined> {
    for (;;) {
      const waiting = new AbortController();
      const end = (): void => waiting.abort();
      signal.addEventListener('abort', end);
      const cancel = this.clock.after(follow ? LOOK_MS : PIECE_MS, end);
      const chunk = await pieces.take(waiting.signal);
      cancel();
      signal.removeEventListener('abort', end);
      if (chunk || signal.aborted || !follow) return chunk;
      const { state } = this.projection;
      if (!state.podByUid(uid) || state.node(node)?.ready.status !== 'True') return undefined;
    }
  }
}

interface Waiting {
  readonly chunk: StreamChunk;
  readonly reply: (reply: StreamReply) => void;
}

/** At most one piece waits here; its sender gets its answer when the piece is taken. */
class Pieces {
  private waiting: Waiting | undefined;
  private taker: (() => void) | undefined;
  private closed = false;
  private expected = 0;

  put(chunk: StreamChunk): Promise<StreamReply> {
    if (this.closed) return Promise.resolve({ proceed: false });
    // The answer to this one was lost, and it was sent again.
    if (chunk.sequence < this.expected) return Promise.resolve({ proceed: true });
    this.expected = chunk.sequence + 1;
    return new Promise((reply) => {
      this.waiting = { chunk, reply };
      this.taker?.();
    });
  }

  async take(signal: AbortSignal): Promise<StreamChunk | undefined> {
    if (!this.waiting && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.taker = resolve;
        signal.addEventListener('abort', () => resolve());
      });
      this.taker = undefined;
    }
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.reply({ proceed: true });
    return waiting?.chunk;
  }

  close(): void {
    this.closed = true;
    this.waiting?.reply({ proceed: false });
    this.waiting = undefined;
  }
}
