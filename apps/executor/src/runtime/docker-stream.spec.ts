import { demultiplexed, jsonLines } from './docker-stream.js';

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

function frame(stream: 1 | 2, text: string): Buffer {
  const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

describe.each([1, 2, 3, 7, 8, 9, 64, 10_000])('an answer in pieces of %i bytes', (size) => {
  it('is the same JSON objects', async () => {
    const text = '{"a":"ä"}\r\n\n{"b":2}\n3\n{"c":[1]}';
    expect(await all(jsonLines(inPieces(Buffer.from(text), size)))).toEqual([{ a: 'ä' }, { b: 2 }, { c: [1] }]);
  });

  it('is the same output of stdout and stderr, in order', async () => {
    const frames = [frame(1, 'out\n'), frame(2, 'err\n'), frame(1, ''), frame(1, 'größer\n')];
    const chunks = await all(demultiplexed(inPieces(Buffer.concat(frames), size)));
    expect(Buffer.concat(chunks).toString()).toBe('out\nerr\ngrößer\n');
  });
});

it('does not hold a frame back until it is complete', async () => {
  const whole = frame(1, 'abcdef');
  const chunks = demultiplexed(inPieces(whole.subarray(0, whole.length - 3), 100));
  expect((await chunks.next()).value?.toString()).toBe('abc');
});

it('says so when a line is not JSON', async () => {
  await expect(all(jsonLines(inPieces(Buffer.from('{"a":1}\nproxy error\n'), 5)))).rejects.toThrow(SyntaxError);
});
