import type { PodSpec } from '#domain';
import { aContainer, aPodSpec } from '../../../test/support/builders.js';
import { ExecutorWorld } from '../../../test/support/executor-world.js';

/** The node has 4 cores. */
const asking = (cpu: string): PodSpec =>
  aPodSpec({ containers: [aContainer('app', { resources: { requests: { cpu } } })] });

describe('the admission of a node whose executor is new', () => {
  it('counts what runs before it takes what does not, whichever was placed first', async () => {
    const world = new ExecutorWorld();
    const { control } = world;
    await world.start();
    const holder = control.run('holder', asking('3'));
    await world.until('it runs', () => control.phase(holder) === 'Running');
    // From here on nothing gets into the log: what the node decides is forgotten with its executor.
    control.deaf = true;
    const refused = control.run('refused', asking('3'));
    await world.advance(1_000);
    control.forget(holder);
    await world.until('the holder is gone', () => world.isEmpty);
    const admitted = control.run('admitted', asking('3'));
    await world.until('the next one runs', () => world.running('app').some(({ seen }) => seen.pod.uid === admitted));
    world.crash();
    control.deaf = false;
    await world.start();
    await world.until(
      'both are settled',
      () => control.phase(admitted) === 'Running' && control.phase(refused) !== 'Pending',
    );
    expect(control.pod(refused).terminated).toMatchObject({ phase: 'Failed', reason: 'OutOfcpu' });
    expect(world.running('app').map(({ seen }) => seen.pod.uid)).toEqual([admitted]);
  });
});
