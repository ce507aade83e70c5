import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BrokenInvariant, LogUnavailable } from '#domain';
import type { Schedule } from '#eventlog';
import { PausableProcess } from '../../../test/support/pausable-process.js';
import { type RunningScheduler, SchedulerWorld } from '../../../test/support/scheduler-world.js';

describe('schedulers', () => {
  let world: SchedulerWorld;
  beforeEach(async () => {
    world = await SchedulerWorld.create();
    await world.join('n1');
  });
  afterEach(() => world.stop());
  const leaders = (...running: RunningScheduler[]) => running.map(({ scheduler }) => scheduler.epoch);

  it('are active one at a time', async () => {
    const first = await world.scheduler('first');
    const second = await world.scheduler('second');
    await world.pass(60);
    expect(leaders(first, second)).toEqual([1, undefined]);
    await world.pod('web');
    expect(world.events('PodScheduled')).toHaveLength(1);
  });

  it('hand over at once when the active one stops', async () => {
    const first = await world.scheduler('first');
    const second = await world.scheduler('second');
    await Promise.all([first.scheduler.stop(), world.pass(0.5)]);
    expect(leaders(first, second)).toEqual([undefined, 2]);
    await world.pass(5);
    await world.pod('web');
    expect(world.placements()).toEqual({ web: 'n1' });
  });

  it.each([0, 0.3, 0.5, 0.9])('take over within 5 s when the active one stands still, %s s after', async (offset) => {
    const first = await world.scheduler('first');
    await world.pass(offset);
    const second = await world.scheduler('second');
    await world.pass(7);
    first.process.pause();
    await world.pod('web');
    await world.pass(5);
    expect(second.scheduler.epoch).toBe(2);
    await world.pass(5);
    expect(world.placements()).toEqual({ web: 'n1' });
  });

  it('write nothing late when one was paused in the middle of an append and does not know that it was replaced', async () => {
    const late: string[] = [];
    const process = new PausableProcess();
    const stopping: Schedule = async (label, work) => {
      if (!label.startsWith('log.append')) return process.schedule(label, work);
      process.pause();
      return process.schedule(label, () => {
        late.push(label);
        return work();
      });
    };
    const first = await world.scheduler('first', stopping, process);
    const second = await world.scheduler('second');
    await world.pass(5);
    expect(process.paused).toBe(true); // On its way to record that n1 is ready.
    await world.pass(60);
    expect(leaders(second)).toEqual([2]);
    await world.pod('web');
    const head = world.logState.head();
    process.resume();
    await world.pass(5);
    expect(late).toHaveLength(1);
    expect(leaders(first, second)).toEqual([undefined, 2]);
    expect(world.logState.head()).toBe(head);
    expect(world.placements()).toEqual({ web: 'n1' });
  });

  it('learn from a refused append that their term is over', async () => {
    let holder = '';
    const first = await world.scheduler('first', async (label, work) => {
      if (label.startsWith('log.acquireLease')) holder = label.split(' ').at(-1) ?? '';
      return work();
    });
    await world.pass(5);
    // The lease passes to another between two renewals, as after a pause that this one did not notice.
    world.logState.releaseLease('scheduler', holder);
    world.logState.acquireLease('scheduler', 'usurper', 4_000);
    expect(leaders(first)).toEqual([1]);
    await world.pod('web');
    expect(leaders(first)).toEqual([undefined]);
    expect(world.events('PodScheduled')).toEqual([]);
    expect(world.problems).toEqual(['epoch 1 is over: 2 has begun']);
  });

  it('stand down when the log is out of reach for as long as the lease lasts, and lead again when it is back', async () => {
    let away = false;
    const { scheduler } = await world.scheduler('first', async (_label, work) => {
      if (away) throw new LogUnavailable('the database is away');
      return work();
    });
    await world.pass(7);
    away = true;
    await world.pass(3);
    expect(scheduler.epoch).toBe(1);
    await world.pass(2);
    expect(scheduler.epoch).toBeUndefined();
    await world.pod('web');
    await world.pass(60);
    away = false;
    await world.pass(10);
    expect(scheduler.epoch).toBe(1);
    expect(world.placements()).toEqual({ web: 'n1' });
  });

  it('end, and say why, when an invariant is broken', async () => {
    let broken = false;
    const { scheduler } = await world.scheduler('first', async (label, work) => {
      if (broken && label.startsWith('log.append')) throw new BrokenInvariant('the log contradicts itself');
      return work();
    });
    await world.pass(5);
    broken = true;
    await world.pod('web');
    await expect(scheduler.ended).rejects.toThrow('the log contradicts itself');
    expect(scheduler.epoch).toBeUndefined();
    broken = false;
    await expect(scheduler.stop()).rejects.toThrow('the log contradicts itself');
    world.forget(scheduler);
  });
});
