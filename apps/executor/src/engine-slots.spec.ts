import { EngineSlots } from './engine-slots.js';

describe('the slots of an engine', () => {
  it('are given in the order of asking, never more than there are', async () => {
    const slots = new EngineSlots(2);
    const order: string[] = [];
    const [a, b] = [await slots.acquire(), await slots.acquire()];
    expect(slots.tryAcquire()).toBeUndefined();
    const waiting = ['c', 'd'].map((name) => slots.acquire().then((release) => (order.push(name), release)));
    a();
    a();
    await waiting[0];
    expect(order).toEqual(['c']);
    b();
    const [c, d] = await Promise.all(waiting);
    c?.();
    d?.();
    expect(order).toEqual(['c', 'd']);
    expect([slots.tryAcquire(), slots.tryAcquire(), slots.tryAcquire()].map(Boolean)).toEqual([true, true, false]);
  });
});
