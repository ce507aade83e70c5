import type { FastifyReply } from 'fastify';

/** A reader that takes nothing for so long is given up, in milliseconds: its connection holds memory of ours. */
const STALL_MS = 60_000;

/** What a streaming answer needs of its connection. */
export interface StreamReply {
  /** Aborts when the client is gone, or takes nothing any more. */
  readonly gone: AbortSignal;
  /** Sends a piece; resolves when the client has taken enough of it for the next. */
  write(piece: string | Uint8Array): Promise<void>;
  end(): void;
}

/** Takes the reply out of Fastify's hands: headers at once, then pieces as they come, nothing held back. */
export function streamReply(reply: FastifyReply, contentType: string): StreamReply {
  const { raw } = reply;
  reply.hijack();
  for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value);
  raw.writeHead(200, { 'Content-Type': contentType, 'Cache-Control': 'no-cache, private' });
  raw.flushHeaders();
  const gone = new AbortController();
  raw.on('close', () => gone.abort());
  raw.on('error', () => gone.abort());
  if (raw.destroyed) gone.abort();
  return {
    gone: gone.signal,
    write: async (piece) => {
      if (gone.signal.aborted || raw.write(piece)) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => raw.destroy(), STALL_MS);
        const done = (): void => {
          clearTimeout(timer);
          raw.off('drain', done);
          gone.signal.removeEventListener('abort', done);
          resolve();
        };
        raw.once('drain', done);
        gone.signal.addEventListener('abort', done);
      });
    },
    end: () => {
      if (!raw.destroyed) raw.end();
    },
  };
}
