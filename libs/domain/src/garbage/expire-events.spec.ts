import { describe, expect, it } from '@jest/globals';
import { metaOf } from '../../../../test/support/scheduling-builders.js';
import type { KubernetesEventState } from '../cluster/kubernetes-event.js';
import { expireEvents } from './expire-events.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const seenAt = (lastSeenAt: number): KubernetesEventState => ({
  kind: 'Event',
  meta: metaOf('e'),
  body: {},
  lastSeenAt,
});

describe('expireEvents', () => {
  it.each<[string, number[], number, number | undefined, { through?: number; nextAt?: number }]>([
    ['has nothing to do without events', [], 5 * HOUR, undefined, {}],
    ['waits for the oldest to be an hour old', [10 * MINUTE, 20 * MINUTE], HOUR, undefined, { nextAt: 70 * MINUTE }],
    [
      'expires what is an hour old',
      [10 * MINUTE],
      70 * MINUTE,
      undefined,
      { through: 10 * MINUTE, nextAt: 75 * MINUTE },
    ],
    ['waits five minutes after the last expiry', [10 * MINUTE], 70 * MINUTE, 68 * MINUTE, { nextAt: 73 * MINUTE }],
    [
      'goes on five minutes after the last expiry',
      [10 * MINUTE],
      73 * MINUTE,
      68 * MINUTE,
      { through: 13 * MINUTE, nextAt: 78 * MINUTE },
    ],
  ])('%s', (_, seen, now, last, expected) => {
    expect(expireEvents(seen.map(seenAt), now, last)).toEqual(expected);
  });
});
