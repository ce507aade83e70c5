import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NodeStateFile } from './node-state-store.js';

describe("a node's state on disk", () => {
  let directory: string;
  beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), 'podledger-node-'))));
  afterEach(() => rm(directory, { recursive: true }));

  it('is what was saved last, also for a directory that is not there yet', async () => {
    const path = join(directory, 'nodes', 'n1', 'seen.json');
    expect(await new NodeStateFile(path).load()).toBeUndefined();
    await new NodeStateFile(path).save({ cluster: 'c1', revision: 1 });
    await new NodeStateFile(path).save({ cluster: 'c1', revision: 2 });
    expect(await new NodeStateFile(path).load()).toEqual({ cluster: 'c1', revision: 2 });
  });

  it.each(['{"cluster":7}', '', '{"cluster":"c1","rev'])(
    'is refused when it is something else: a node must not forget by accident where it belongs: %j',
    async (text) => {
      const path = join(directory, 'seen.json');
      await writeFile(path, text);
      await expect(new NodeStateFile(path).load()).rejects.toThrow(`${path} does not hold a node's state`);
    },
  );
});
