import { describe, expect, it } from '@jest/globals';
import { DomainError, type EventContext, type EventLog, LogUnavailable, StaleEpoch, VersionConflict } from '#domain';
import { ManualClock } from '../../../test/support/manual-clock.js';
import { handleCommand } from './handle-command.js';
import { InMemoryEventLog } from './in-memory-event-log.js';

const stream = 'core/pods/shop/web';
const context: EventContext = { actor: { kind: 'user', name: 'ann' }, requestId: 'r', correlationId: 'r' };
const newLog = (): EventLog => {
  let count = 0;
  return new InMemoryEventLog({
    clock: new ManualClock(),
    ids: { uuid: () => `id-${(count += 1)}`, random: () => 0.5 },
  });
};
const noted = (expectedVersion: number) => ({
  writes: [{ stream, expectedVersion, events: [{ type: 'Noted', data: {} }] }],
});
const streamVersion = async (log: EventLog): Promise<number> => (await log.readStream(stream)).length;

describe('handling a command', () => {
  it('records what was decided on the state that was loaded', async () => {
    const log = newLog();
    const appended = await handleCommand({
      log,
      commandId: 'c1',
      context,
      load: () => streamVersion(log),
      decide: noted,
    });
    expect(appended).toEqual({ first: 1, last: 1, duplicate: false });
  });

  it('records nothing when there is nothing to record', async () => {
    const log = newLog();
    const nothing = { log, commandId: 'c1', context, load: async () => 0 };
    expect(await handleCommand({ ...nothing, decide: () => undefined })).toBeUndefined();
    expect(await handleCommand({ ...nothing, decide: () => ({ writes: [] }) })).toBeUndefined();
    expect(await log.head()).toBe(0);
  });

  it('decides again on a newer state when another was faster, and tells the loader what it has to reach', async () => {
    const log = newLog();
    const conflicts: (number | undefined)[] = [];
    const appended = await handleCommand({
      log,
      commandId: 'c1',
      context,
      load: async (conflict) => {
        conflicts.push(conflict?.actual);
        const version = await streamVersion(log);
        if (conflicts.length <= 2)
          await log.append({ commandId: `rival-${conflicts.length}`, context, ...noted(version) });
        return version;
      },
      decide: noted,
    });
    expect(conflicts).toEqual([undefined, 1, 2]);
    expect(appended).toMatchObject({ first: 3 });
  });

  it('gives up with the conflict after its retries', async () => {
    const log = newLog();
    await log.append({ commandId: 'rival', context, ...noted(0) });
    let decided = 0;
    const handling = handleCommand({
      log,
      commandId: 'c1',
      context,
      load: async () => 0,
      decide: (version: number) => {
        decided += 1;
        return noted(version);
      },
      retries: 2,
    });
    await expect(handling).rejects.toBeInstanceOf(VersionConflict);
    expect(decided).toBe(3);
  });

  it('repeats nothing else: a refusal, an outdated scheduler, an unknown outcome', async () => {
    const log = newLog();
    const refusal = new DomainError('Invalid', 'no');
    const refusing = { log, commandId: 'c1', context, load: async () => 0 };
    await expect(
      handleCommand({
        ...refusing,
        decide: () => {
          throw refusal;
        },
      }),
    ).rejects.toBe(refusal);
    await log.acquireLease('scheduler', 'a', 1_000);
    await expect(handleCommand({ ...refusing, decide: noted, schedulerEpoch: 0 })).rejects.toBeInstanceOf(StaleEpoch);
    let asked = 0;
    const unreachable = {
      append: async () => {
        asked += 1;
        throw new LogUnavailable('gone');
      },
    };
    await expect(handleCommand({ ...refusing, log: unreachable, decide: noted })).rejects.toBeInstanceOf(
      LogUnavailable,
    );
    expect(asked).toBe(1);
  });

  it('answers the repeat of a request with what the first has written', async () => {
    const log = newLog();
    const request = { log, commandId: 'c1', context, load: () => streamVersion(log), decide: noted };
    const first = await handleCommand(request);
    expect(await handleCommand(request)).toEqual({ ...first, duplicate: true });
  });
});
