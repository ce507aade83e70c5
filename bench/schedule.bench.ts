import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type NodeState, plan, type PodState, SchedulingSnapshot } from '#domain';
import { aNode, aPod } from '../test/support/scheduling-builders.js';

/** DESIGN section 5: placements decided per second among 5,000 nodes, plain pods. */
const ANCHOR_PER_SECOND = 5_000;
const PODS = 10_000;
/** As the scheduling loop plans them. */
const BATCH = 500;
/** A lone pod is the dearest per placement: its batch is only itself. */
const LONE_PODS = 1_000;

export interface ScheduleResult {
  readonly nodes: number;
  /** Pods a second, planned in batches of 500 and fed back as events. */
  readonly batched: number;
  /** Pods a second when each comes alone. */
  readonly alone: number;
  /** Pods a second, each of a demand that no other pod has: every pod ranks all nodes anew. */
  readonly distinct: number;
  /** The limit taken in the same run: placements a second of a loop that only looks at every node's free cpu once per pod. */
  readonly raw: number;
}

interface Cluster {
  readonly snapshot: SchedulingSnapshot;
  readonly nodes: readonly NodeState[];
}

function cluster(count: number): Cluster {
  const nodes = Array.from({ length: count }, (_, index) => aNode(`node-${index}`, { cpuMillis: 64_000, pods: 1_000 }));
  return { snapshot: SchedulingSnapshot.of({ nodes: () => nodes, pods: () => [], revision: 1 }), nodes };
}

const pods = (count: number, cpu: (index: number) => string): PodState[] =>
  Array.from({ length: count }, (_, index) => aPod(`pod-${index}`, { cpu: cpu(index), meta: { createdAt: index } }));

/** Plans and feeds every placement back, as the log would. Throws unless every pod got a node and none is over its capacity. */
function place({ snapshot, nodes }: Cluster, waiting: readonly PodState[], batchSize: number): number {
  const begun = performance.now();
  let placed = 0;
  for (let batch = 0; batch * batchSize < waiting.length; batch += 1) {
    const { placements } = plan(snapshot, waiting.slice(batch * batchSize, (batch + 1) * batchSize), { now: 0, batch });
    for (const { pod, node } of placements) follow(snapshot, pod, node, (placed += 1));
  }
  const seconds = (performance.now() - begun) / 1000;
  if (placed !== waiting.length) throw new Error(`only ${placed} of ${waiting.length} pods were placed`);
  const over = snapshot.nodes().filter(({ usedCpuMillis }) => usedCpuMillis > 64_000);
  if (over.length > 0) throw new Error(`${over.length} nodes are over their capacity`);
  const counts = snapshot.nodes().map(({ usedPods }) => usedPods);
  const fair = waiting.length / nodes.length;
  const least = Math.min(...counts);
  if (least < Math.floor(fair / 2)) throw new Error(`a node got ${least} pods where ${fair} were its share`);
  return waiting.length / seconds;
}

function follow(snapshot: SchedulingSnapshot, pod: PodState, node: string, revision: number): void {
  const after = { ...pod, nodeName: node };
  const event = {
    ...{ type: 'PodScheduled', data: {}, id: '', stream: '', version: 1, time: 0, schemaVersion: 1, commandId: '' },
    ...{ revision: revision + 1, commandLast: revision + 1, requestId: '', correlationId: '' },
    actor: { kind: 'system', name: 'bench' },
  } as const;
  snapshot.apply({ stream: '', kind: 'Pod', before: pod, after, event });
}

/** What any scheduler that looks at every node must at least do. */
function raw(nodes: number): number {
  const free = new Float64Array(nodes).fill(64_000);
  const rounds = Math.max(200, Math.floor(2e7 / nodes));
  const begun = performance.now();
  for (let pod = 0; pod < rounds; pod += 1) {
    let best = 0;
    for (let node = 1; node < nodes; node += 1) if ((free[node] ?? 0) > (free[best] ?? 0)) best = node;
    free[best] = (free[best] ?? 0) - 10;
  }
  return rounds / ((performance.now() - begun) / 1000);
}

/** One size. The first run warms the compiler up and is not counted. */
export function measure(nodes: number): ScheduleResult {
  const same = (): string => '10m';
  place(cluster(nodes), pods(2_000, same), BATCH);
  return {
    nodes,
    batched: place(cluster(nodes), pods(PODS, same), BATCH),
    alone: place(cluster(nodes), pods(LONE_PODS, same), 1),
    distinct: place(
      cluster(nodes),
      pods(LONE_PODS, (index) => `${index + 1}m`),
      BATCH,
    ),
    raw: raw(nodes),
  };
}

/** Prints placements a second at each size, and their ratios. Throws when a run did not place every pod. */
export function run(print: (line: string) => void = console.log): ScheduleResult[] {
  print(`placing pods: ${cpus()[0]?.model ?? 'unknown cpu'}, ${cpus().length} cores, Node ${process.version}`);
  const whole = (value: number): string => Math.round(value).toLocaleString('en');
  return [100, 1_000, 5_000].map((nodes) => {
    const result = measure(nodes);
    const { batched, alone, distinct, raw: limit } = result;
    print(
      `${whole(nodes)} nodes: ${whole(batched)}/s in batches (${(batched / ANCHOR_PER_SECOND).toFixed(1)} of the ${whole(ANCHOR_PER_SECOND)}/s to reach, ` +
        `${(batched / limit).toFixed(1)} of one bare look at every node), ${whole(alone)}/s one by one, ${whole(distinct)}/s all different`,
    );
    return result;
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) run();
