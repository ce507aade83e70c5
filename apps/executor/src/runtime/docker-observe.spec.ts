import type { ObservedContainer } from '#domain';
import { markInfrastructureExits, sandboxIdOf, stateOf } from './docker-observe.js';

const ENGINE_STARTED = 1_000_000;
const pod = { uid: 'u', namespace: 'shop', name: 'web' };

function container(more: Partial<ObservedContainer>): ObservedContainer {
  const id = more.name || 'sandbox';
  const named = {
    id,
    pod,
    name: id,
    attempt: 0,
    specHash: 'h',
    image: 'i',
    imageId: 'i',
    createdAt: 0,
    startedAt: 100,
  };
  return { ...named, role: 'app', sandboxId: 'sandbox', state: 'exited', ...more };
}
const sandbox = (more: Partial<ObservedContainer>) => container({ ...more, role: 'sandbox', name: '' });

describe('markInfrastructureExits', () => {
  it.each([
    {
      what: 'a server that obeyed the engine going down is marked, though it ended with 0',
      containers: [sandbox({ finishedAt: 500_000 }), container({ name: 'app', exitCode: 0, finishedAt: 500_040 })],
      marked: ['sandbox', 'app'],
    },
    {
      what: 'what the engine killed 10 s after the signal is marked',
      containers: [sandbox({ finishedAt: 500_000 }), container({ name: 'app', exitCode: 137, finishedAt: 510_100 })],
      marked: ['sandbox', 'app'],
    },
    {
      what: 'what an engine finds dead after a power cut is marked',
      containers: [
        sandbox({ finishedAt: ENGINE_STARTED - 2_000 }),
        container({ name: 'app', exitCode: 255, finishedAt: ENGINE_STARTED - 1_990 }),
      ],
      marked: ['sandbox', 'app'],
    },
    {
      what: 'what ended by itself before the engine went down is not',
      containers: [sandbox({ finishedAt: 500_000 }), container({ name: 'app', exitCode: 0, finishedAt: 490_000 })],
      marked: ['sandbox'],
    },
    {
      what: 'what ended beside a sandbox that still runs is not',
      containers: [sandbox({ state: 'running' }), container({ name: 'app', exitCode: 255, finishedAt: 999_999 })],
      marked: [],
    },
    {
      what: 'nothing is known without the sandbox as a witness',
      containers: [container({ name: 'app', exitCode: 255, finishedAt: ENGINE_STARTED })],
      marked: [],
    },
    {
      what: 'a sandbox that somebody kills while the engine lives marks nothing',
      containers: [
        sandbox({ startedAt: 1_100_000, finishedAt: 1_200_000 }),
        container({ name: 'app', startedAt: 1_100_000, finishedAt: 1_200_001, exitCode: 137 }),
      ],
      marked: [],
    },
    {
      what: 'ends long after the engine came up are not its doing',
      containers: [
        sandbox({ finishedAt: 1_200_000 }),
        container({ name: 'app', finishedAt: 1_200_001, exitCode: 137 }),
      ],
      marked: [],
    },
    {
      what: 'what never started did not end',
      containers: [sandbox({ finishedAt: 500_000 }), { ...container({ name: 'app' }), state: 'created' as const }],
      marked: ['sandbox'],
    },
  ])('$what', ({ containers, marked }) => {
    const after = markInfrastructureExits(containers, ENGINE_STARTED);
    expect(after.filter((c) => c.infrastructureExit).map((c) => c.id)).toEqual(marked);
    expect(after.map(({ infrastructureExit: _mark, ...rest }) => rest)).toEqual(containers);
  });

  it('marks nothing while the start of the engine is unknown', () => {
    const containers = [sandbox({ finishedAt: 500_000 }), container({ name: 'app', finishedAt: 500_000 })];
    expect(markInfrastructureExits(containers, undefined)).toEqual(containers);
  });
});

it.each([
  ['created', 'created'],
  ['running', 'running'],
  ['paused', 'running'],
  ['exited', 'exited'],
  ['removing', 'exited'],
  ['dead', 'exited'],
] as const)('the engine says %s, the pod sees %s', (engine, ours) => {
  expect(stateOf(engine)).toBe(ours);
});

it('knows the sandbox that a container joined', () => {
  expect(sandboxIdOf('container:abc')).toBe('abc');
  expect(sandboxIdOf('podledger-net')).toBeUndefined();
  expect(sandboxIdOf(undefined)).toBeUndefined();
});
