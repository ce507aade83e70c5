import { decideNode, decidePod, type EventLog, type NewEvent, nodeStream, podStream } from '#domain';
import { InMemoryBroker } from '#bus';
import { ClusterProjection, CommandBus } from '#eventlog';
import { Scheduler } from '../apps/scheduler/src/scheduler.js';
import { aMeta, aNodeDescription, aPodSpec, aContainer } from '../test/support/builders.js';
import { assertRan, type Bench } from './bench.js';
import { BenchLog, clock, ids, NAMESPACE } from './bench-log.js';
import { interleave, judged, seconds, shown, spreadOf } from './measure.js';

/** DESIGN section 5: placements decided and durable among 5,000 nodes, plain pods, per second. */
const ANCHOR_PER_SECOND = 5_000;
const SIZES = [100, 1_000, 5_000];
const PODS = 10_000;
const ROUNDS = 3;
/** What is there before the clock starts is written in commands of this many objects. */
const PER_COMMAND = 100;
/** As many commands at once as raw appending gains anything from. */
const APPENDS_AT_ONCE = 500;

const context = { actor: { kind: 'system', name: 'bench' }, requestId: 'bench', correlationId: 'bench' } as const;

type Write = { readonly stream: string; readonly events: readonly NewEvent<string, unknown>[] };

/** The whole scheduler on PostgreSQL: lease, loops, one guarded command per placement. */
export const place: Bench = {
  name: 'place',
  about:
    'placements/s decided and durable by a whole scheduler / EventLog.append of events of that size, nothing decided',
  run: async (print, pods = PODS) => {
    for (const nodes of SIZES) {
      let bench: BenchLog | undefined;
      const { ours, limit, ratios } = await interleave(
        ROUNDS,
        async () => {
          await bench?.close();
          bench = await BenchLog.open();
          await seed(bench.log, many(nodes, node));
          await seed(bench.log, many(pods, pod));
          return placeAll(bench, pods);
        },
        async () => {
          bench ??= await BenchLog.open();
          return appendAll(bench, pods);
        },
      );
      await bench?.close();
      print(
        `${nodes} nodes: ${shown(ours)} placements/s; raw ${shown(limit)} events/s; ratio ${shown(ratios, 2)}, ` +
          judged(spreadOf(ours).median, { atLeast: ANCHOR_PER_SECOND }, '/s'),
      );
    }
  },
};

async function seed(log: EventLog, writes: readonly Write[]): Promise<void> {
  for (let from = 0; from < writes.length; from += PER_COMMAND) {
    const some = writes.slice(from, from + PER_COMMAND).map((write) => ({ ...write, expectedVersion: 0 }));
    await log.append({ commandId: ids.uuid(), context, writes: some });
  }
}

function node(index: number): Write {
  const name = `node-${index}`;
  const capacity = { cpuMillis: 64_000, memoryBytes: 256 * 2 ** 30, pods: 250 };
  const description = aNodeDescription({ capacity, allocatable: capacity });
  const events = decideNode(
    { type: 'RegisterNode', name, uid: ids.uuid(), podCIDR: '10.0.0.0/24', description, streamVersion: 0 },
    undefined,
  );
  const ready = { type: 'NodeBecameReady', data: { reason: 'KubeletReady', message: '' } };
  return { stream: nodeStream(name), events: [...events, ready] };
}

function pod(index: number): Write {
  const name = `pod-${index}`;
  const containers = [aContainer('app', { resources: { requests: { cpu: '10m' } } })];
  const meta = aMeta({ uid: ids.uuid() });
  const command = { type: 'RequestPod', namespace: NAMESPACE, name, meta, spec: aPodSpec({ containers }) } as const;
  return { stream: podStream(NAMESPACE, name), events: decidePod(command, undefined) };
}

const many = (count: number, make: (index: number) => Write): Write[] =>
  Array.from({ length: count }, (_, index) => make(index));

/** From a warm scheduler without a lease until the last placement is in PostgreSQL and back in its projection. */
async function placeAll(bench: BenchLog, pods: number): Promise<number> {
  const { log } = bench;
  const projection = new ClusterProjection({ log, clock });
  const commands = new CommandBus({ log, projection });
  const bus = new InMemoryBroker({ clock, ids }).connect('scheduler');
  const report = (problem: string, cause?: unknown): void => console.error(problem, cause);
  const scheduler = new Scheduler({ log, projection, commands, bus, clock, ids, identity: 'bench', report });
  let waiting = pods;
  const done = new Promise<void>((resolve) => {
    projection.onChanges((changes) => {
      waiting -= changes.filter(({ kind, event }) => kind === 'Pod' && event.type === 'PodScheduled').length;
      if (waiting === 0) resolve();
    });
  });
  await scheduler.start();
  const took = await seconds(() => Promise.race([done, scheduler.ended]));
  await scheduler.stop();
  const placed = await bench.rows('PodScheduled');
  assertRan(placed === pods, `${placed} of ${pods} placements are in the log`);
  const fullest = Math.max(
    ...[...projection.state.nodes()].map(({ meta }) => projection.state.podsOnNode(meta.name).length),
  );
  assertRan(fullest <= 250, `a node for 250 pods got ${fullest}`);
  return pods / took;
}

/** Events of a placement's size, in streams of their own. */
async function appendAll(bench: BenchLog, count: number): Promise<number> {
  const before = await bench.rows();
  const [like] = await bench.log.readAfter(before - 1, 1);
  const events = [{ type: 'PodScheduled', data: like?.data ?? {} }];
  const prefix = ids.uuid();
  const one = (index: number) =>
    bench.log.append({
      commandId: ids.uuid(),
      context,
      writes: [{ stream: podStream('raw', `${prefix}-${index}`), expectedVersion: 0, events }],
    });
  const took = await seconds(async () => {
    for (let from = 0; from < count; from += APPENDS_AT_ONCE) {
      const size = Math.min(APPENDS_AT_ONCE, count - from);
      await Promise.all(Array.from({ length: size }, (_, index) => one(from + index)));
    }
  });
  const written = (await bench.rows()) - before;
  assertRan(written === count, `${written} of ${count} events are in the log`);
  return count / took;
}
