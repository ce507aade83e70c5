import { DomainError, type JsonObject } from '#domain';
import { readFact } from './fact-check.js';

const exited: JsonObject = {
  id: 'c1/exited',
  type: 'ContainerExited',
  data: { container: 'app', attempt: 0, containerId: 'c1', exitCode: 0, reason: 'Completed', finishedAt: 1 },
};
const withData = (data: JsonObject): JsonObject => ({
  ...exited,
  data: { ...(exited['data'] as JsonObject), ...data },
});

describe('a fact from a node', () => {
  it('is taken with all that it says, also that the engine took the container down', () => {
    const told = withData({ signal: 15, message: 'm', startedAt: 0, infrastructure: true });
    expect(readFact(told)).toEqual(told);
  });

  it('loses what nobody knows', () => {
    expect(readFact(withData({ nonsense: 1 }))).toEqual(exited);
  });

  it.each([
    ['an unknown type', { ...exited, type: 'PodRequested' }],
    ['a type of the prototype', { ...exited, type: 'constructor' }],
    ['no id', { ...exited, id: 7 }],
    ['no data', { ...exited, data: null }],
    ['a missing member', { ...exited, data: { container: 'app' } }],
    ['a negative attempt', withData({ attempt: -1 })],
    ['a reason that is none', withData({ reason: 'Bored' })],
    ['a flag that is a text', withData({ infrastructure: 'true' })],
    ['a time beyond the calendar', withData({ finishedAt: 1e300 })],
    ['an endless message', withData({ message: 'x'.repeat(40_000) })],
  ])('of another form is refused: %s', (_what, fact) => expect(() => readFact(fact)).toThrow(DomainError));
});
