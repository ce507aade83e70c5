import { DomainError, NoAnswer, RemoteRefusal, type Clock, type MessageBus, type ObservedContainer } from '#domain';
import { answer, ask, logsCall, logsSubject, streamCall, type LogsOptions, type LogsRequest } from '#bus';
import type { Report } from './report.js';
import { RuntimeError, type ContainerRuntime } from './runtime/container-runtime.js';

/** How long a reader may take over one piece before it is given up. */
const READER_MS = 60_000;
/** An empty piece after that much silence finds out whether the reader is still there. */
const PROBE_MS = 20_000;
/** Bytes in one message. */
const PIECE_BYTES = 256 * 1024;

export interface LogStreamerOptions {
  readonly bus: MessageBus;
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly node: string;
  readonly report: Report;
}

/** Sends containers' output to whoever asks through the control plane. */
export class LogStreamer {
  private readonly open = new Set<AbortController>();
  private unsubscribe: () => void = () => undefined;

  constructor(private readonly options: LogStreamerOptions) {}

  start(): void {
    const { bus, node } = this.options;
    this.unsubscribe = answer(bus, logsSubject(node), undefined, logsCall, async (request) => {
      const container = await this.find(request);
      void this.send(request, container);
      return { accepted: true };
    });
  }

  stop(): void {
    this.unsubscribe();
    for (const stream of this.open) stream.abort();
  }

  /** The run that is meant; kubelet's words where there is none. Throws `DomainError`. */
  private async find(request: LogsRequest): Promise<ObservedContainer> {
    const { uid, container: name, containerId, options } = request;
    const found = await this.options.runtime.list(uid);
    const runs = found
      .filter((one) => one.role === 'app' && one.name === name && one.startedAt !== undefined)
      .sort((a, b) => b.attempt - a.attempt);
    const run = containerId === undefined ? runs[options.previous ? 1 : 0] : runs.find(({ id }) => id === containerId);
    if (run) return run;
    throw options.previous
      ? new DomainError('BadRequest', `previous terminated container "${name}" in pod "${request.pod}" not found`)
      : new DomainError('BadRequest', `container "${name}" in pod "${request.pod}" has no output on this node`);
  }

  private async send(request: LogsRequest, container: ObservedContainer): Promise<void> {
    const { runtime, report } = this.options;
    const abort = new AbortController();
    this.open.add(abort);
    const pieces = new PieceSender(this.options, request, abort);
    const failed = await runtime
      .logs(container.id, readOptions(request.options), (chunk) => pieces.send(chunk), abort.signal)
      .then(
        () => undefined,
        (cause: unknown) => {
          if (cause instanceof RuntimeError) return cause.message;
          report(`output of ${request.pod}/${request.container} could not be sent`, cause);
          return 'the output could not be read';
        },
      );
    await pieces.end(failed);
    this.open.delete(abort);
  }
}

function readOptions({
  follow,
  tailLines,
  sinceTime,
  timestamps,
}: LogsOptions): Parameters<ContainerRuntime['logs']>[1] {
  return {
    follow: follow ?? false,
    timestamps: timestamps ?? false,
    ...(tailLines !== undefined && { tailLines }),
    ...(sinceTime !== undefined && { sinceMillis: sinceTime }),
  };
}

/** One stream's pieces: numbered, one at a time, each awaited, so that a slow reader slows the engine's. */
class PieceSender {
  private sequence = 0;
  private bytesLeft: number;
  private tail: Promise<void> = Promise.resolve();
  private cancelProbe: () => void = () => undefined;

  constructor(
    private readonly options: LogStreamerOptions,
    private readonly request: LogsRequest,
    private readonly abort: AbortController,
  ) {
    this.bytesLeft = request.options.limitBytes ?? Infinity;
    this.probeLater();
  }

  async send(chunk: Uint8Array): Promise<void> {
    for (let from = 0; from < chunk.length && !this.abort.signal.aborted; from += PIECE_BYTES) {
      const piece = chunk.subarray(from, Math.min(from + PIECE_BYTES, from + this.bytesLeft, chunk.length));
      this.bytesLeft -= piece.length;
      await this.deliver(piece);
      if (this.bytesLeft <= 0) this.abort.abort();
    }
  }

  async end(error: string | undefined): Promise<void> {
    await this.deliver(new Uint8Array(), { end: true, ...(error !== undefined && { error }) });
    this.cancelProbe();
  }

  private deliver(piece: Uint8Array, last: { readonly end?: boolean; readonly error?: string } = {}): Promise<void> {
    this.tail = this.tail.then(() => this.deliverNext(piece, last));
    return this.tail;
  }

  private async deliverNext(
    piece: Uint8Array,
    last: { readonly end?: boolean; readonly error?: string },
  ): Promise<void> {
    if (this.abort.signal.aborted && !(last.end && this.bytesLeft <= 0)) return;
    this.cancelProbe();
    const data = Buffer.from(piece).toString('base64');
    const message = { sequence: this.sequence, data, ...last };
    this.sequence += 1;
    try {
      const { proceed } = await ask(this.options.bus, this.request.stream, streamCall, message, READER_MS);
      if (!proceed) this.abort.abort();
    } catch (cause) {
      if (!(cause instanceof NoAnswer || cause instanceof RemoteRefusal)) throw cause;
      this.abort.abort();
    }
    if (!this.abort.signal.aborted) this.probeLater();
  }

  private probeLater(): void {
    this.cancelProbe = this.options.clock.after(PROBE_MS, () => void this.deliver(new Uint8Array()));
  }
}
