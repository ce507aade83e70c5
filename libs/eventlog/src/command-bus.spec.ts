import {
  ClusterState,
  decideNamespace,
  type NamespaceCommand,
  namespaceStream,
  StaleEpoch,
  VersionConflict,
} from '#domain';
import { ClusterProjection, type Command, CommandBus, clusterStateAt, InMemoryEventLog } from '#eventlog';
import { SystemClock, SystemIds } from '#system';
import { aMeta } from '../../../test/support/builders.js';

const context = { actor: { kind: 'user', name: 'test' }, requestId: 'r', correlationId: 'r' } as const;
const stream = namespaceStream('shop');

function onNamespace(commandId: string, command: NamespaceCommand, more: Partial<Command> = {}): Command {
  return {
    commandId,
    context,
    decide: (state: ClusterState) => [{ stream, events: decideNamespace(command, state.namespace('shop')) }],
    ...more,
  };
}
const create = (uid = 'uid-1'): NamespaceCommand => ({ type: 'RequestNamespace', name: 'shop', meta: aMeta({ uid }) });
const remove: NamespaceCommand = { type: 'DeleteNamespace', preconditions: {} };
const finalize = (uid = 'uid-1'): NamespaceCommand => ({ type: 'FinalizeNamespace', uid });

describe('the command bus', () => {
  const stop = new AbortController();
  const clock = new SystemClock();
  const ids = new SystemIds();
  let log: InMemoryEventLog;
  let projection: ClusterProjection;
  let commands: CommandBus;

  beforeEach(async () => {
    log = new InMemoryEventLog({ clock, ids });
    projection = new ClusterProjection({ log, clock });
    await projection.start(stop.signal);
    commands = new CommandBus({ log, projection });
  });
  afterAll(() => stop.abort());

  it('answers when its own replica shows the result', async () => {
    const { revision, changed } = await commands.execute(onNamespace('c1', create()));
    expect({ revision, changed }).toEqual({ revision: 1, changed: true });
    expect(projection.state.namespace('shop')?.meta.uid).toBe('uid-1');
  });

  it('records nothing when there is nothing to record', async () => {
    await commands.execute(onNamespace('c1', create()));
    expect(await commands.execute(onNamespace('c2', finalize()))).toMatchObject({ changed: false });
    expect(await log.head()).toBe(1);
  });

  it('carries a repeated command out once, and gives its first revisions', async () => {
    // The decision of the repeat is made on a state that has moved on, as after a lost acknowledgement.
    const command = onNamespace('c1', create());
    await commands.execute(command);
    const repeat = {
      ...command,
      decide: () => [{ stream, events: [{ type: 'NamespaceDeleted', data: { uid: 'uid-1' } }] }],
    };
    expect(await commands.execute(repeat)).toEqual({ revision: 1, changed: true, duplicate: true });
    expect(await log.head()).toBe(1);
  });

  it('decides again when another writer was first', async () => {
    await commands.execute(onNamespace('c1', create()));
    let asked = 0;
    const command = onNamespace('c2', remove);
    const raced: Command = {
      ...command,
      decide: (state) => {
        asked += 1;
        // Another process appends after this one has read: the append must be refused and decided anew.
        if (asked === 1) {
          log.state.append({
            commandId: 'other',
            context,
            writes: [{ stream, expectedVersion: 1, events: [{ type: 'NamespaceDeletionRequested', data: {} }] }],
          });
          return [{ stream, events: [{ type: 'NamespaceDeletionRequested', data: {} }] }];
        }
        return command.decide(state);
      },
    };
    expect(await commands.execute(raced)).toMatchObject({ changed: false });
    expect({ asked, head: await log.head() }).toEqual({ asked: 2, head: 2 });
  });

  it('is refused when a guarded stream has moved, and gives up after a bounded number of tries', async () => {
    let moved = 0;
    const guarded = onNamespace('c1', create(), {
      guards: () => {
        moved += 1;
        log.state.append({
          commandId: `move-${moved}`,
          context,
          writes: [
            {
              stream: namespaceStream('other'),
              expectedVersion: moved - 1,
              events: [
                { type: moved === 1 ? 'NamespaceRequested' : 'NamespaceChanged', data: { ...aMeta(), changes: [] } },
              ],
            },
          ],
        });
        return [namespaceStream('other')];
      },
    });
    await expect(commands.execute(guarded)).rejects.toThrow(VersionConflict);
    expect(projection.state.namespace('shop')).toBeUndefined();
  });

  it('refuses the commands of a scheduler that was replaced', async () => {
    const old = await log.acquireLease('scheduler', 'one', 1);
    await log.releaseLease('scheduler', 'one');
    const next = await log.acquireLease('scheduler', 'two', 1000);
    expect(next?.epoch).toBeGreaterThan(old?.epoch ?? 0);
    await expect(commands.execute(onNamespace('c1', create(), { schedulerEpoch: old?.epoch ?? 0 }))).rejects.toThrow(
      StaleEpoch,
    );
  });
});

describe('the state at a revision', () => {
  it('is the state that every reader saw then, never half a command', async () => {
    const clock = new SystemClock();
    const log = new InMemoryEventLog({ clock, ids: new SystemIds() });
    const stop = new AbortController();
    const projection = new ClusterProjection({ log, clock, snapshotEvery: 2 });
    await projection.start(stop.signal);
    const commands = new CommandBus({ log, projection });
    const seen = new Map<number, string>();
    projection.onChanges((_, revision) => seen.set(revision, JSON.stringify(projection.state.toSnapshot())));
    for (let round = 1; round <= 4; round += 1) {
      await commands.execute(onNamespace(`create-${round}`, create(`uid-${round}`)));
      await commands.execute(onNamespace(`remove-${round}`, remove));
      await commands.execute(onNamespace(`finalize-${round}`, finalize(`uid-${round}`)));
    }
    const head = await log.head();
    expect(head).toBe(16);
    for (let revision = 1; revision <= head; revision += 1) {
      const whole = Math.max(0, ...[...seen.keys()].filter((known) => known <= revision));
      const state = await clusterStateAt(log, revision);
      expect(state.revision).toBe(whole);
      expect(JSON.stringify(state.toSnapshot())).toBe(seen.get(whole));
    }
    stop.abort();
  });
});
