import { aPodSpec } from '../../../test/support/builders.js';
import { ExecutorWorld } from '../../../test/support/executor-world.js';

describe('a node that cannot write down what it has seen', () => {
  it('goes on with its pods, says so once, and writes it down when it can', async () => {
    const world = new ExecutorWorld();
    world.diskIsFull = true;
    await world.start();
    const uid = world.control.run('web', aPodSpec());
    await world.until('it runs', () => world.control.phase(uid) === 'Running');
    await world.advance(30_000);
    expect(world.reports).toEqual(['what this node has seen cannot be written down yet']);
    expect(world.seen).toBeUndefined();
    world.diskIsFull = false;
    await world.until('it is written down', () => world.seen?.revision === world.control.revision, 5_000);
  });
});
