import { describe, expect, it } from '@jest/globals';
import { LogUnavailable } from '#domain';
import { describeEventLog } from '../../../test/contract/event-log.contract.js';
import { ManualClock } from '../../../test/support/manual-clock.js';
import { InMemoryEventLog } from './in-memory-event-log.js';
import { LogState } from './log-state.js';

/** Ids that are the same in every run. */
function countingIds() {
  let count = 0;
  return {
    uuid: () => `00000000-0000-4000-8000-${String((count += 1)).padStart(12, '0')}`,
    random: () => 0.5,
  };
}

describeEventLog('the log in memory', async () => {
  const clock = new ManualClock();
  const ids = countingIds();
  const state = new LogState(clock, ids);
  return {
    connect: () => new InMemoryEventLog({ clock, ids, state }),
    elapse: (ms) => clock.advance(ms),
    close: async () => undefined,
  };
});

describe('the log in memory', () => {
  const command = {
    commandId: 'c',
    context: { actor: { kind: 'user' as const, name: 'ann' }, requestId: 'r', correlationId: 'r' },
    writes: [{ stream: 'core/pods/shop/web', expectedVersion: 0, events: [{ type: 'Noted', data: { list: [1] } }] }],
  };

  it('hands every call to its schedule, which may lose the question or the answer', async () => {
    const labels: string[] = [];
    let lose: 'question' | 'answer' | undefined;
    const log = new InMemoryEventLog({
      clock: new ManualClock(),
      ids: countingIds(),
      schedule: async (label, work) => {
        labels.push(label);
        if (lose === 'question') throw new LogUnavailable('lost');
        const answer = work();
        if (lose === 'answer') throw new LogUnavailable('lost');
        return answer;
      },
    });
    lose = 'question';
    await expect(log.append(command)).rejects.toBeInstanceOf(LogUnavailable);
    lose = undefined;
    expect(await log.head()).toBe(0);
    lose = 'answer';
    await expect(log.append(command)).rejects.toBeInstanceOf(LogUnavailable);
    lose = undefined;
    expect(await log.append(command)).toEqual({ first: 1, last: 1, duplicate: true });
    expect(labels).toEqual(['log.append c', 'log.head', 'log.append c', 'log.append c']);
  });

  it('gives the same log for the same calls', async () => {
    const run = async () => {
      const log = new InMemoryEventLog({ clock: new ManualClock(), ids: countingIds() });
      await log.append(command);
      return JSON.stringify(await log.readAfter(0, 10));
    };
    expect(await run()).toBe(await run());
  });

  it('lets no reader change an event for the others', async () => {
    const log = new InMemoryEventLog({ clock: new ManualClock(), ids: countingIds() });
    await log.append(command);
    const [event] = await log.readAfter(0, 1);
    expect(() => Object.assign(event?.data ?? {}, { list: [] })).toThrow(TypeError);
    expect(() => Object.assign(command.writes[0]?.events[0]?.data ?? {}, { list: [2] })).not.toThrow();
    expect((await log.readAfter(0, 1))[0]?.data).toEqual({ list: [1] });
  });
});
