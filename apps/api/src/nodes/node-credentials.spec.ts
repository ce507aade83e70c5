import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decideNode, nodeStream, type NodeCommand } from '#domain';
import { NodeKeyFiles } from '#bus';
import { ClusterProjection, CommandBus, InMemoryEventLog } from '#eventlog';
import { SystemIds } from '#system';
import { aNodeDescription } from '../../../../test/support/builders.js';
import { eventually } from '../../../../test/support/eventually.js';
import { ManualClock } from '../../../../test/support/manual-clock.js';
import { NodeCredentials } from './node-credentials.js';

const context = { actor: { kind: 'user', name: 'test' }, requestId: 'r', correlationId: 'r' } as const;

describe('the credential of a deleted node', () => {
  let folder: string;
  let clock: ManualClock;
  let projection: ClusterProjection;
  let commands: CommandBus;
  let keys: NodeKeyFiles;
  let revoked: string[];
  const stop = new AbortController();
  const ids = new SystemIds();

  const execute = (command: NodeCommand) =>
    commands.execute({
      commandId: ids.uuid(),
      context,
      decide: (state) => [{ stream: nodeStream('n1'), events: decideNode(command, state.node('n1')) }],
    });
  const register = () =>
    execute({
      type: 'RegisterNode',
      ...{ name: 'n1', uid: ids.uuid(), podCIDR: '10.1.0.0/24', description: aNodeDescription() },
      streamVersion: projection.state.version(nodeStream('n1')),
    });
  const remove = () => execute({ type: 'DeleteNode', preconditions: {} });
  const watch = (revoke = (publicKeys: readonly string[]) => Promise.resolve(void revoked.push(...publicKeys))) =>
    new NodeCredentials({ projection, clock, keys, revoke, report: () => undefined }).start();

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'podledger-keys-'));
    keys = new NodeKeyFiles(folder);
    clock = new ManualClock();
    revoked = [];
    const log = new InMemoryEventLog({ clock, ids });
    projection = new ClusterProjection({ log, clock });
    await projection.start(stop.signal);
    commands = new CommandBus({ log, projection });
    await keys.remember('n1', 'UONE');
    await keys.remember('n1', 'UTWO');
    await register();
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  afterAll(() => stop.abort());

  it('is revoked once its executor has had time to hear that it has no pods any more', async () => {
    const close = await watch();
    await remove();
    await clock.advance(29_000);
    expect(revoked).toEqual([]);
    await clock.advance(2_000);
    await eventually('revoked', () => revoked.length === 2);
    expect(revoked).toEqual(['UONE', 'UTWO']);
    await eventually('forgotten', async () => (await keys.of('n1')).length === 0);
    close();
  });

  it('is revoked by the next start when nobody was there at the deletion', async () => {
    await remove();
    const close = await watch();
    await clock.advance(31_000);
    await eventually('revoked', () => revoked.length === 2);
    close();
  });

  it('stays when the node has registered again, and when it has joined and not registered yet', async () => {
    await keys.remember('n2', 'UNEW');
    const close = await watch();
    await remove();
    await register();
    await clock.advance(31_000);
    // The decision to leave it is made before the keys are read, so nothing is pending now.
    expect(revoked).toEqual([]);
    expect(await keys.nodes()).toEqual(['n1', 'n2']);
    close();
  });

  it('is tried again until NATS takes it', async () => {
    let refusals = 2;
    const close = await watch(async (publicKeys) => {
      if (refusals-- > 0) throw new Error('no answer');
      revoked.push(...publicKeys);
    });
    await remove();
    await eventually('taken', async () => {
      await clock.advance(10_000);
      return revoked.length === 2;
    });
    close();
  });
});
