import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BrokenInvariant, type Json } from '#domain';
import { ChunkJoiner, cutIntoChunks, type SnapshotChunk } from './snapshot-chunks.js';

/** Cuts, sends each chunk through JSON as the store does, and joins. */
function throughChunks(state: Json, entriesPerChunk: number): Json {
  const joiner = new ChunkJoiner();
  for (const chunk of cutIntoChunks(state, entriesPerChunk)) {
    const travelled: SnapshotChunk = JSON.parse(JSON.stringify(chunk));
    joiner.add(travelled);
  }
  return joiner.state();
}

describe('cutting a snapshot into chunks', () => {
  it('gives back any state as it was, byte for byte', () => {
    fc.assert(
      fc.property(fc.json(), fc.integer({ min: 1, max: 3 }), (text, entriesPerChunk) => {
        const state: Json = JSON.parse(text);
        expect(JSON.stringify(throughChunks(state, entriesPerChunk))).toBe(JSON.stringify(state));
      }),
    );
  });

  it('gives back names that mean something to the engine', () => {
    const text = '{"__proto__":{"__proto__":1,"constructor":2},"toString":[1]}';
    expect(JSON.stringify(throughChunks(JSON.parse(text), 1))).toBe(text);
  });

  it('cuts large collections, so that no chunk holds more than its share', () => {
    const pods = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`pod-${index}`, { index }]));
    const chunks = [...cutIntoChunks({ pods, nodes: [1, 2, 3, 4, 5] }, 4)];
    expect(chunks.map((chunk) => chunk.kind)).toEqual([
      'empty-object',
      'entries',
      'entries',
      'entries',
      'items',
      'items',
    ]);
  });

  it('refuses a snapshot without its beginning', () => {
    expect(() => new ChunkJoiner().state()).toThrow(BrokenInvariant);
  });
});
