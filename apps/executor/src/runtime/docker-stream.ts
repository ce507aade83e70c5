/** Anything a Docker answer can be read from; reading it slowly slows the engine down. */
export type ByteStream = AsyncIterable<Uint8Array | string>;

/** The JSON objects of an answer that sends one per line; a line may arrive in pieces, and several at once. */
export async function* jsonLines(stream: ByteStream): AsyncGenerator<Record<string, unknown>> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + (typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true }))).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield* parsed(line);
  }
  yield* parsed(rest);
}

function* parsed(line: string): Generator<Record<string, unknown>> {
  if (line.trim() === '') return;
  const value: unknown = JSON.parse(line);
  if (typeof value === 'object' && value !== null) yield { ...value };
}

const HEADER_BYTES = 8;

/**
 * The payload of a multiplexed stream (attach, logs without a terminal): frames of an 8-byte header, whose last four bytes
 * are the length, and that many bytes of stdout or stderr. Both come out in order of arrival, as they arrive: no frame is
 * held back for its end.
 */
export async function* demultiplexed(stream: ByteStream): AsyncGenerator<Uint8Array> {
  const header = Buffer.alloc(HEADER_BYTES);
  let headerBytes = 0;
  let frameBytesLeft = 0;
  for await (const piece of stream) {
    let chunk: Buffer = Buffer.from(piece);
    while (chunk.length > 0) {
      if (frameBytesLeft === 0) {
        const taken = chunk.copy(header, headerBytes);
        headerBytes += taken;
        chunk = chunk.subarray(taken);
        if (headerBytes < HEADER_BYTES) continue;
        headerBytes = 0;
        frameBytesLeft = header.readUInt32BE(4);
      } else {
        const payload = chunk.subarray(0, frameBytesLeft);
        frameBytesLeft -= payload.length;
        chunk = chunk.subarray(payload.length);
        yield payload;
      }
    }
  }
}
