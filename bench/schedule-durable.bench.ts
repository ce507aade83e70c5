import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { decideNode, decidePod, type EventLog, type NewEvent, nodeStream, podStream } from '#domain';
import { InMemoryBroker } from '#bus';
import { ClusterProjection, CommandBus, migrate, PostgresEventLog } from '#eventlog';
import { SystemClock, SystemIds } from '#system';
import { Scheduler } from '../apps/scheduler/src/scheduler.js';
import { aContainer, aMeta, aNodeDescription, aPodSpec } from '../test/support/builders.js';
import { freshDatabase } from '../test/support/postgres.js';

/** DESIGN section 5: placements decided and durable among 5,000 nodes, plain pods, per second. */
const ANCHOR_PER_SECOND = 5_000;
const NODES = 5_000;
const PODS = 10_000;
const PER_COMMAND = 100;

export interface DurableScheduleResult {
  /** Pods a second, from a warm scheduler without a lease until the last placement is in Postgres and back. */
  readonly placed: number;
  /** The limit taken in the same run: events of that size a second, appended one command each, without deciding anything. */
  readonly raw: number;
}

const clock = new SystemClock();
const ids = new SystemIds();
const context = { actor: { kind: 'system', name: 'bench' }, requestId: 'bench', correlationId: 'bench' } as const;

type Write = { readonly stream: string; readonly events: readonly NewEvent<string, unknown>[] };

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
  const command = { type: 'RequestPod', namespace: 'bench', name, meta, spec: aPodSpec({ containers }) } as const;
  return { stream: podStream('bench', name), events: decidePod(command, undefined) };
}

const many = (count: number, make: (index: number) => Write): Write[] =>
  Array.from({ length: count }, (_, index) => make(index));

/** Throws unless every pod was placed. */
export async function measure(): Promise<DurableScheduleResult> {
  const database = await freshDatabase();
  const { appUrl } = await migrate(database.ownerUrl, { appRole: 'podledger_bench', appPassword: 'bench' });
  const log = new PostgresEventLog({ url: appUrl, clock, ids });
  try {
    await seed(log, many(NODES, node));
    await seed(log, many(PODS, pod));
    const placed = await placeAll(log);
    return { placed, raw: await appendAll(log) };
  } finally {
    await log.close();
    await database.drop();
  }
}

async function placeAll(log: EventLog): Promise<number> {
  const projection = new ClusterProjection({ log, clock });
  const commands = new CommandBus({ log, projection });
  const bus = new InMemoryBroker({ clock, ids }).connect('scheduler');
  const report = (problem: string, cause?: unknown): void => console.error(problem, cause);
  const scheduler = new Scheduler({ log, projection, commands, bus, clock, ids, identity: 'bench', report });
  let waiting = PODS;
  const done = new Promise<void>((resolve) => {
    projection.onChanges((changes) => {
      waiting -= changes.filter(({ kind, event }) => kind === 'Pod' && event.type === 'PodScheduled').length;
      if (waiting === 0) resolve();
    });
  });
  await scheduler.start();
  const begun = performance.now();
  await done;
  const seconds = (performance.now() - begun) / 1000;
  await scheduler.stop();
  return PODS / seconds;
}

/** The same number of events of the same size, in as many commands at once as the scheduler has in one pass. */
async function appendAll(log: EventLog): Promise<number> {
  const [like] = (await log.readAfter((await log.head()) - 1, 1)).slice(-1);
  const begun = performance.now();
  for (let from = 0; from < PODS; from += 500) {
    await Promise.all(
      Array.from({ length: 500 }, (_, index) =>
        log.append({
          commandId: ids.uuid(),
          context,
          writes: [
            {
              stream: podStream('raw', `pod-${from + index}`),
              expectedVersion: 0,
              events: [{ type: 'PodScheduled', data: like?.data ?? {} }],
            },
          ],
        }),
      ),
    );
  }
  return PODS / ((performance.now() - begun) / 1000);
}

/** Prints durable placements a second and their ratios. */
export async function run(print: (line: string) => void = console.log): Promise<DurableScheduleResult> {
  print(`placing pods durably: ${cpus()[0]?.model ?? 'unknown cpu'}, ${cpus().length} cores, Node ${process.version}`);
  const result = await measure();
  const { placed, raw } = result;
  const whole = (value: number): string => Math.round(value).toLocaleString('en');
  print(
    `${whole(NODES)} nodes: ${whole(placed)}/s placed and durable (${(placed / ANCHOR_PER_SECOND).toFixed(2)} of the ` +
      `${whole(ANCHOR_PER_SECOND)}/s to reach, ${(placed / raw).toFixed(2)} of ${whole(raw)}/s appended without deciding)`,
  );
  return result;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await run();
