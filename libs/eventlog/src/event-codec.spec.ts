import { describe, expect, it } from '@jest/globals';
import { BrokenInvariant, type JsonObject } from '#domain';
import { EventCodec, type EventRow, parseInt8, type Upcaster } from './event-codec.js';

/** `PodScheduled` as its first version was stored, and how it came to its third. */
const firstVersion: JsonObject = { node: 'n1', score: 7 };
const upcasters: Upcaster[] = [
  { type: 'PodScheduled', from: 2, up: ({ score, ...rest }) => ({ ...rest, scores: [score ?? 0] }) },
  { type: 'PodScheduled', from: 1, up: ({ node, ...rest }) => ({ ...rest, nodeName: node ?? '' }) },
];

const row = (changes: { type?: string; schemaVersion?: string; data?: string; revision?: string } = {}): EventRow => [
  changes.revision ?? '9007199254740991',
  'core/pods/shop/web',
  '3',
  changes.type ?? 'PodScheduled',
  changes.schemaVersion ?? '1',
  '1767225600000',
  '6f9619ff-8b86-4d01-b42d-00cf4fc964ff',
  'command-1',
  '9007199254740991',
  'system',
  'scheduler',
  'request-1',
  'cause-1',
  'request-0',
  changes.data ?? JSON.stringify(firstVersion),
];

describe('the event codec', () => {
  it('reads a row as the event it is', () => {
    expect(new EventCodec().decode(row())).toEqual({
      type: 'PodScheduled',
      data: firstVersion,
      id: '6f9619ff-8b86-4d01-b42d-00cf4fc964ff',
      revision: 9007199254740991,
      stream: 'core/pods/shop/web',
      version: 3,
      time: 1767225600000,
      schemaVersion: 1,
      commandId: 'command-1',
      commandLast: 9007199254740991,
      actor: { kind: 'system', name: 'scheduler' },
      requestId: 'request-1',
      causationId: 'cause-1',
      correlationId: 'request-0',
    });
  });

  it('lifts an old event step by step, whatever the order its upcasters are listed in', () => {
    const event = new EventCodec(upcasters).decode(row());
    expect(event.data).toEqual({ nodeName: 'n1', scores: [7] });
    expect(event.schemaVersion).toBe(3);
  });

  it('takes only the steps that an event still lacks', () => {
    const codec = new EventCodec(upcasters);
    expect(codec.upcast('PodScheduled', 2, { nodeName: 'n1', score: 7 })).toEqual({ nodeName: 'n1', scores: [7] });
    expect(codec.upcast('PodScheduled', 3, { nodeName: 'n1', scores: [] })).toEqual({ nodeName: 'n1', scores: [] });
    expect(codec.upcast('PodRequested', 1, firstVersion)).toBe(firstVersion);
  });

  it('writes each type in its newest version', () => {
    const codec = new EventCodec(upcasters);
    expect(codec.schemaVersionOf('PodScheduled')).toBe(3);
    expect(codec.schemaVersionOf('PodRequested')).toBe(1);
  });

  it('stops rather than guess at an event of a program newer than itself', () => {
    expect(() => new EventCodec(upcasters).decode(row({ schemaVersion: '4' }))).toThrow(BrokenInvariant);
  });

  it.each([
    ['a missing first step', [{ type: 'A', from: 2, up: (data: JsonObject) => data }]],
    ['two steps from one version', [1, 1].map((from) => ({ type: 'A', from, up: (data: JsonObject) => data }))],
  ])('refuses upcasters with %s', (_what, wrong) => {
    expect(() => new EventCodec(wrong)).toThrow(BrokenInvariant);
  });

  it('refuses a number that would not be exact, and data that is no object', () => {
    expect(() => parseInt8('9007199254740992')).toThrow(BrokenInvariant);
    expect(() => parseInt8('NaN')).toThrow(BrokenInvariant);
    expect(() => new EventCodec().decode(row({ data: '[]' }))).toThrow(BrokenInvariant);
    expect(() => new EventCodec().encodeData({ type: 'A', data: 'text' })).toThrow(BrokenInvariant);
  });

  it('encodes data on one line', () => {
    expect(new EventCodec().encodeData({ type: 'A', data: { text: 'a\nb\u2028c' } })).not.toContain('\n');
  });
});
