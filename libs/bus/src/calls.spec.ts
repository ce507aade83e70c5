import { NoAnswer, type Clock, type IdSource } from '#domain';
import { answerNodes, ask, nodeCalls } from './calls.js';
import { InMemoryBroker } from './memory/in-memory-broker.js';
import type { InMemoryBus } from './memory/in-memory-bus.js';
import { nodeRequestSubject } from './subjects.js';

const clock: Clock = { now: () => 0, sleep: () => Promise.resolve(), after: () => () => undefined };
const ids: IdSource = { uuid: () => 'id', random: () => 0 };

describe('requests of nodes', () => {
  let node: InMemoryBus;
  let controlPlane: InMemoryBus;

  beforeEach(() => {
    const broker = new InMemoryBroker({ clock, ids });
    node = broker.connect('n1');
    controlPlane = broker.connect('api');
  });

  const sync = (name: string): Promise<unknown> =>
    ask(node, nodeRequestSubject('n1', 'sync'), nodeCalls.sync, { node: name, nodeEpoch: 1 }, 1_000);
  const assignment = { kind: 'full', cluster: 'c', node: 'n1', nodeEpoch: 1, revision: 5, pods: [] } as const;

  it('are read and answered', async () => {
    answerNodes(controlPlane, nodeCalls.sync, async (request) => ({ ...assignment, node: request.node }));
    expect(await sync('n1')).toEqual(assignment);
  });

  it('are refused when the message speaks for another node than the subject', async () => {
    answerNodes(controlPlane, nodeCalls.sync, async () => assignment);
    await expect(sync('n2')).rejects.toMatchObject({ reason: 'Forbidden', message: 'n1 speaks for n2' });
  });

  it('are refused when they cannot be read', async () => {
    answerNodes(controlPlane, nodeCalls.sync, async () => assignment);
    const request = node.request(nodeRequestSubject('n1', 'sync'), { node: 'n1', nodeEpoch: 'one' }, 1_000);
    await expect(request).rejects.toMatchObject({ reason: 'BadRequest' });
  });

  it('have no answer when the answer cannot be read', async () => {
    controlPlane.respond('nodes.*.sync', undefined, async () => ({ ...assignment, pods: 'none' }));
    await expect(sync('n1')).rejects.toThrow(NoAnswer);
  });
});
