import { Parts, Stopping } from './parts.js';

/** A part whose stop is noted. */
const part = (name: string, stopped: string[]) => async () => ({
  stop: async () => void stopped.push(name),
});

describe('the parts of a cluster', () => {
  it('stop by rank, whatever the order of their start', async () => {
    const stopped: string[] = [];
    const parts = new Parts(() => undefined);
    await parts.start('database', 3, part('database', stopped));
    await parts.start('api', 1, part('api', stopped));
    await parts.start('executor', 0, part('executor', stopped));
    await parts.stop();
    expect(stopped).toEqual(['executor', 'api', 'database']);
  });

  it('stop once, however often they are told', async () => {
    const stopped: string[] = [];
    const parts = new Parts(() => undefined);
    await parts.start('api', 0, part('api', stopped));
    await Promise.all([parts.stop(), parts.stop()]);
    expect(stopped).toEqual(['api']);
  });

  it('that are still starting stop as soon as they have started, and nothing is started after', async () => {
    const stopped: string[] = [];
    const parts = new Parts(() => undefined);
    let finishStart: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (finishStart = resolve));
    const starting = parts.start('api', 0, async () => {
      await gate;
      return { stop: async () => void stopped.push('api') };
    });
    const stop = parts.stop();
    expect(stopped).toEqual([]);
    finishStart();
    await expect(starting).rejects.toThrow(Stopping);
    await stop;
    expect(stopped).toEqual(['api']);
    await expect(parts.start('late', 0, part('late', stopped))).rejects.toThrow(Stopping);
  });

  it.each<[string, () => Promise<void>, string]>([
    ['rejects', () => Promise.reject(new Error('revision 8 after 6')), 'the API cannot go on: revision 8 after 6'],
    ['resolves', () => Promise.resolve(), 'the API has ended by itself'],
  ])('say of which one is over though nobody stopped it: it %s', async (_, end, message) => {
    const told = new Promise((resolve) => {
      const parts = new Parts(() => undefined, resolve);
      void parts.start('API', 0, async () => ({ ended: end(), stop: () => Promise.resolve() }));
    });
    expect(await told).toMatchObject({ name: 'PartEnded', message });
  });

  it('say nothing of one that ends because they stop', async () => {
    const said: unknown[] = [];
    const parts = new Parts(
      () => undefined,
      (error) => said.push(error),
    );
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    await parts.start('API', 0, async () => ({ ended, stop: async () => end() }));
    await parts.stop();
    expect(said).toEqual([]);
  });

  it('that fail to start or to stop do not keep the others from stopping', async () => {
    const stopped: string[] = [];
    const said: string[] = [];
    const parts = new Parts((text) => said.push(text));
    await parts.start('database', 2, part('database', stopped));
    await expect(parts.start('nats', 1, () => Promise.reject(new Error('no such program')))).rejects.toThrow(
      'no such program',
    );
    await parts.start('api', 0, async () => ({ stop: () => Promise.reject(new Error('stuck')) }));
    await parts.stop();
    expect(stopped).toEqual(['database']);
    expect(said).toEqual(['api did not stop cleanly: stuck']);
  });
});
