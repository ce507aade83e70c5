import { describe, expect, it } from '@jest/globals';
import type { Growth } from '#domain';
import { GrowthNews } from './growth-news.js';

/** Listens, and keeps what it is told. */
function listening(news: GrowthNews): { told: Growth[]; leave: () => void } {
  const told: Growth[] = [];
  return { told, leave: news.listen((one) => told.push(one)) };
}

/** An append that goes on until it is ended. */
function append(news: GrowthNews): { end: (error?: Error) => Promise<unknown> } {
  let settle: (error?: Error) => void = () => undefined;
  const work = new Promise<void>((resolve, reject) => {
    settle = (error) => (error ? reject(error) : resolve());
  });
  const done = news.during(() => work).catch((error: unknown) => error);
  return {
    end: (error) => {
      settle(error);
      return done;
    },
  };
}

describe('news of growth', () => {
  it('reaches all who listen, until they leave', () => {
    const news = new GrowthNews();
    const [one, other] = [listening(news), listening(news)];
    news.tell({ head: 1 });
    one.leave();
    news.tell({ head: 2 });
    expect([one.told, other.told]).toEqual([[{ head: 1 }], [{ head: 1 }, { head: 2 }]]);
    expect(news.hasListeners).toBe(true);
    other.leave();
    expect(news.hasListeners).toBe(false);
  });

  it('from outside waits for the end of an append, and is then told as one', async () => {
    const news = new GrowthNews();
    const { told } = listening(news);
    news.hear({ head: 1 });
    const under = append(news);
    news.hear({ head: 3 });
    news.hear({ head: 2 });
    expect(told).toEqual([{ head: 1 }]);
    news.tell({ head: 2, events: [] });
    await under.end();
    expect(told.slice(1)).toEqual([{ head: 2, events: [] }, { head: 3 }]);
  });

  it('that knows no head still says, after an append that failed, that there may be more', async () => {
    const news = new GrowthNews();
    const { told } = listening(news);
    const under = append(news);
    news.hear({ head: 3 });
    news.hear({});
    expect(await under.end(new Error('refused'))).toMatchObject({ message: 'refused' });
    expect(told).toEqual([{ head: Infinity }]);
  });

  it('does not wait for appends that began after it came', async () => {
    const news = new GrowthNews();
    const { told } = listening(news);
    const [first, second] = [append(news), append(news)];
    news.hear({ head: 1 });
    await first.end();
    expect(told).toEqual([{ head: 1 }]);
    await second.end();
    expect(told).toHaveLength(1);
  });
});
