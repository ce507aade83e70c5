import { evolvePod, podStream, type ObjectChange, type PodEvent, type PodState, type Recorded } from '#domain';
import { aMeta, aPodSpec } from '../../../../test/support/builders.js';
import { movesOf } from './object-moves.js';

const stream = podStream('default', 'web');

/** Folds events of one pod and tells what each did, as the projection does. */
function changesBy(from: number, before: PodState | undefined, events: readonly PodEvent[]): ObjectChange[] {
  let state = before;
  return events.map((event, index) => {
    const recorded = {
      ...event,
      id: `e${from + index}`,
      revision: from + index,
      stream,
      version: from + index,
      time: 1_000,
      schemaVersion: 1,
      actor: { kind: 'user', name: 'tester' },
      requestId: 'r',
      correlationId: 'r',
      commandId: 'c',
      commandLast: from + events.length - 1,
    } as Recorded<PodEvent>;
    const was = state;
    state = evolvePod(was, recorded);
    return {
      stream,
      kind: 'Pod',
      ...(was && { before: was }),
      ...(state && { after: state }),
      event: { ...recorded, data: { ...recorded.data } } as Recorded,
    } satisfies ObjectChange;
  });
}

const requested: PodEvent = {
  type: 'PodRequested',
  data: { ...aMeta({ uid: 'u1' }), spec: aPodSpec(), mainContainer: 'app', sharedFate: true },
};
const scheduled: PodEvent = { type: 'PodScheduled', data: { uid: 'u1', node: 'n1', by: 'request' } };
const deleted: PodEvent = { type: 'PodDeleted', data: { uid: 'u1', reason: 'Requested' } };

describe('what a command did to an object, as readers see it', () => {
  it('is one move from before the command to after it, at the last version', () => {
    const [move, ...others] = movesOf(changesBy(7, undefined, [requested, scheduled]));
    expect(others).toEqual([]);
    expect(move).toMatchObject({ revision: 8, after: { nodeName: 'n1' } });
    expect(move).not.toHaveProperty('before');
  });

  it('is nothing when the object came and went within the command', () => {
    expect(movesOf(changesBy(7, undefined, [requested, deleted]))).toEqual([]);
  });

  it('keeps two objects of one name apart', () => {
    const created = changesBy(1, undefined, [requested]);
    const pod = created[0]?.after as PodState;
    const replaced = [...changesBy(2, pod, [deleted]), ...changesBy(3, undefined, [requested])];
    const moves = movesOf(replaced);
    expect(moves.map(({ revision, before, after }) => [revision, Boolean(before), Boolean(after)])).toEqual([
      [2, true, false],
      [3, false, true],
    ]);
  });

  it('is nothing when no version moved', () => {
    const [created] = changesBy(1, undefined, [requested]);
    const pod = created?.after as PodState;
    const [change] = changesBy(2, pod, [scheduled]);
    if (!change) throw new Error('no change');
    expect(movesOf([{ ...change, after: { ...pod, startedAt: 5 } }])).toEqual([]);
  });
});
