import { describe, expect, it } from '@jest/globals';
import { Coalescer, type CoalescerLimits, type Outcome } from './coalescer.js';

const limits: CoalescerLimits = {
  lanes: 1,
  maxItems: 3,
  maxBytes: 100,
  maxWaiting: 10,
  overloaded: () => new Error('overloaded'),
};

/** A destination whose batches arrive and wait until the test answers them. */
function destination(more: Partial<CoalescerLimits> = {}) {
  const batches: { items: readonly string[]; answer: () => void; fail: (error: Error) => void }[] = [];
  const coalescer = new Coalescer<string, string>(
    (items) =>
      new Promise<readonly Outcome<string>[]>((resolve, reject) => {
        const outcome = (item: string): Outcome<string> =>
          item.startsWith('bad') ? { error: new Error(item) } : { value: `did ${item}` };
        batches.push({ items, answer: () => resolve(items.map(outcome)), fail: reject });
      }),
    { ...limits, ...more },
  );
  return { batches, coalescer, items: () => batches.map((batch) => batch.items) };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('coalescing', () => {
  it('sends who comes alone at once', async () => {
    const { batches, coalescer, items } = destination();
    const done = coalescer.submit('a', 1);
    await turn();
    expect(items()).toEqual([['a']]);
    batches[0]?.answer();
    expect(await done).toBe('did a');
  });

  it('gathers in arrival order while a batch is under way, up to the limit', async () => {
    const { batches, coalescer, items } = destination();
    const done = [coalescer.submit('a', 1)];
    await turn();
    done.push(...['b', 'c', 'd', 'e'].map((item) => coalescer.submit(item, 1)));
    await turn();
    expect(items()).toEqual([['a']]);
    batches[0]?.answer();
    await turn();
    expect(items()).toEqual([['a'], ['b', 'c', 'd']]);
    batches[1]?.answer();
    await turn();
    expect(items()).toEqual([['a'], ['b', 'c', 'd'], ['e']]);
    batches[2]?.answer();
    expect(await Promise.all(done)).toEqual(['did a', 'did b', 'did c', 'did d', 'did e']);
  });

  it('bounds a batch in bytes, and lets an item over the bound travel alone', async () => {
    const { batches, coalescer, items } = destination();
    for (const [item, bytes] of [
      ['a', 60],
      ['b', 40],
      ['c', 1],
      ['huge', 1_000],
      ['d', 1],
    ] as const)
      void coalescer.submit(item, bytes);
    for (let batch = 0; batch < 4; batch += 1) {
      await turn();
      batches[batch]?.answer();
    }
    await turn();
    expect(items()).toEqual([['a', 'b'], ['c'], ['huge'], ['d']]);
  });

  it('has as many batches under way as it has lanes', async () => {
    const { coalescer, items } = destination({ lanes: 2, maxItems: 1 });
    for (const item of ['a', 'b', 'c']) void coalescer.submit(item, 1);
    await turn();
    expect(items()).toEqual([['a'], ['b']]);
  });

  it('shares out among its lanes what is enough for several, and starts nothing small beside a batch', async () => {
    const { batches, coalescer, items } = destination({ lanes: 2, minBeside: 2, maxItems: 10 });
    const submit = (names: string): void => void names.split('').map((item) => coalescer.submit(item, 1));
    submit('abcdefg');
    await turn();
    expect(items().map((batch) => batch.join(''))).toEqual(['abcd', 'efg']);
    submit('hi');
    batches[0]?.answer();
    await turn();
    expect(items()[2]).toEqual(['h', 'i']);
    batches[1]?.answer();
    submit('j');
    await turn();
    expect(items()).toHaveLength(3);
    batches[2]?.answer();
    await turn();
    expect(items()[3]).toEqual(['j']);
    batches[3]?.answer();
    submit('klm');
    await turn();
    expect(items()[4]).toEqual(['k', 'l', 'm']);
  });

  it('gives each caller its own outcome', async () => {
    const { batches, coalescer } = destination();
    const done = Promise.allSettled(['a', 'bad b', 'c'].map((item) => coalescer.submit(item, 1)));
    await turn();
    batches[0]?.answer();
    expect(await done).toMatchObject([{ value: 'did a' }, { reason: { message: 'bad b' } }, { value: 'did c' }]);
  });

  it('fails a batch as a whole when it cannot be sent, and goes on with the next', async () => {
    const { batches, coalescer } = destination();
    const failed = Promise.allSettled(['a', 'b'].map((item) => coalescer.submit(item, 1)));
    await turn();
    batches[0]?.fail(new Error('gone'));
    expect((await failed).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const next = coalescer.submit('c', 1);
    await turn();
    batches[1]?.answer();
    expect(await next).toBe('did c');
  });

  it('refuses more than may wait', async () => {
    const { coalescer } = destination({ maxWaiting: 2 });
    void coalescer.submit('under way', 1);
    await turn();
    void coalescer.submit('first', 1);
    void coalescer.submit('second', 1);
    await expect(coalescer.submit('third', 1)).rejects.toThrow('overloaded');
  });

  it('closes when what is under way has ended, and refuses the rest', async () => {
    const { batches, coalescer } = destination({ maxItems: 1 });
    const underWay = coalescer.submit('a', 1);
    await turn();
    const waiting = expect(coalescer.submit('b', 1)).rejects.toThrow('closed');
    let closed = false;
    const closing = coalescer.close(new Error('closed')).then(() => (closed = true));
    await turn();
    await waiting;
    expect(closed).toBe(false);
    batches[0]?.answer();
    await closing;
    expect(await underWay).toBe('did a');
    await expect(coalescer.submit('c', 1)).rejects.toThrow('closed');
    expect(batches).toHaveLength(1);
  });
});
