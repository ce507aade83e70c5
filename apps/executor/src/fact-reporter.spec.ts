import { DomainError, type PodFact } from '#domain';
import { answerNodes, InMemoryBroker, nodeCalls, type Fact } from '#bus';
import { ManualClock } from '../../../test/support/manual-clock.js';
import { SeededIds } from '../../../test/support/seeded-ids.js';
import { FactReporter } from './fact-reporter.js';

const pod = { uid: 'uid-1', namespace: 'shop', name: 'web' };
const created = (n: number): PodFact => ({
  id: `c${n}/ContainerCreated`,
  type: 'ContainerCreated',
  data: { container: 'app', attempt: n, containerId: `c${n}` },
});
const failed = (n: number, message = ''): PodFact => ({
  id: `failed/${n}`,
  type: 'ContainerCreateFailed',
  data: { container: 'app', reason: 'CreateContainerError', message, retryAt: n },
});

/** A reporter and a log that takes what it is told, unless a test says otherwise. */
function scene() {
  const clock = new ManualClock();
  const broker = new InMemoryBroker({ clock, ids: new SeededIds(), report: () => undefined });
  const node = broker.connect('node');
  const messages: (readonly Fact[])[] = [];
  const log: { refuse?: Error; unknownPod?: boolean; malformed?: (fact: Fact) => boolean } = {};
  answerNodes(broker.connect('api'), nodeCalls.facts, async ({ facts }) => {
    if (log.refuse) throw log.refuse;
    if (log.malformed && facts.some(log.malformed)) throw new DomainError('BadRequest', 'not as it must be');
    messages.push(facts);
    return { acknowledged: facts.map(({ id }) => id), ...(log.unknownPod && { unknownPod: true }) };
  });
  const told: string[] = [];
  const session: { epoch: number | undefined } = { epoch: 1 };
  const reporter = new FactReporter({
    ...{ bus: node, clock, ids: new SeededIds(), node: 'n1' },
    report: (problem) => told.push(problem),
    epoch: () => session.epoch,
    onStale: (epoch) => told.push(`stale ${epoch}`),
    onUnknownPod: (uid) => told.push(`unknown ${uid}`),
    onAcknowledged: (uid) => told.push(`acknowledged ${uid}`),
  });
  const ids = (): string[] => messages.flat().map(({ id }) => id);
  return { clock, node, messages, ids, log, told, session, reporter };
}

describe('what a node tells the log', () => {
  it('is told once and in order, however often it is offered', async () => {
    const { clock, ids, reporter } = scene();
    reporter.offer(pod, [created(1), created(2)]);
    await clock.advance(0);
    reporter.offer(pod, [created(1), created(2), created(3)]);
    await clock.advance(60_000);
    expect(ids()).toEqual([created(1), created(2), created(3)].map(({ id }) => id));
    expect(reporter.isAcknowledged(pod.uid, created(3).id)).toBe(true);
    expect(reporter.isIdle).toBe(true);
  });

  it('waits for a registration and for the bus, and is then told at once', async () => {
    const { clock, node, ids, session, reporter } = scene();
    session.epoch = undefined;
    reporter.offer(pod, [created(1)]);
    await clock.advance(30_000);
    session.epoch = 2;
    node.reach(false);
    await clock.advance(30_000);
    expect(ids()).toEqual([]);
    node.reach(true);
    reporter.retryNow();
    await clock.advance(0);
    expect(ids()).toEqual([created(1).id]);
  });

  it('does not grow while nobody listens: of news that supersede each other the newest waits', async () => {
    const { clock, node, ids, reporter } = scene();
    node.reach(false);
    for (let n = 1; n <= 100; n += 1) reporter.tell(pod, [failed(n)]);
    node.reach(true);
    await clock.advance(20_000);
    expect(ids()).toEqual(['failed/100']);
  });

  it('goes in messages of a bounded size, with words of a bounded length', async () => {
    const { clock, messages, reporter } = scene();
    reporter.offer(pod, [failed(0, 'x'.repeat(100_000)), ...Array.from({ length: 1_200 }, (_, n) => created(n))]);
    await clock.advance(0);
    expect(messages.map(({ length }) => length)).toEqual([500, 500, 201]);
    expect(JSON.stringify(messages[0]?.[0]).length).toBeLessThan(5_000);
  });

  it('is dropped, and that is told, when the log will never take it; what happened after it is not held up', async () => {
    const { clock, ids, log, told, reporter } = scene();
    const facts = Array.from({ length: 700 }, (_, n) => created(n));
    const bad = [facts[0], facts[333], facts[699]].map((fact) => fact?.id);
    log.malformed = ({ id }) => bad.includes(id);
    reporter.offer(pod, facts);
    await clock.advance(0);
    expect(ids()).toEqual(facts.map(({ id }) => id).filter((id) => !bad.includes(id)));
    expect(told.filter((each) => each.startsWith('PodFactRejected'))).toEqual(
      bad.map((id) => `PodFactRejected: fact ${id} (ContainerCreated) of pod shop/web is dropped`),
    );
    reporter.offer(pod, facts);
    await clock.advance(60_000);
    expect(ids()).toHaveLength(697);
    expect(reporter.isAcknowledged(pod.uid, facts[0]?.id ?? '')).toBe(true);
    expect(reporter.isIdle).toBe(true);
  });

  it('is kept when it is refused, and says so', async () => {
    const { clock, ids, log, told, reporter } = scene();
    log.refuse = new DomainError('StaleNode', 'epoch 1 is over');
    reporter.offer(pod, [created(1)]);
    await clock.advance(50);
    expect(told).toEqual(['stale 1']);
    log.refuse = new DomainError('TooManyRequests', 'not now');
    await clock.advance(200);
    expect(told[1]).toContain('facts of pod shop/web were refused');
    delete log.refuse;
    await clock.advance(20_000);
    expect(ids()).toEqual([created(1).id]);
  });

  it('is over for a pod that the log does not know', async () => {
    const { clock, log, told, reporter } = scene();
    log.unknownPod = true;
    reporter.offer(pod, [created(1)]);
    await clock.advance(0);
    expect(told).toEqual(['unknown uid-1', 'acknowledged uid-1']);
    expect(reporter.isIdle).toBe(true);
  });
});
