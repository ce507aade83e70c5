import { type NodeState, plan, type PodState, SchedulingSnapshot } from '#domain';
import { aNode, aPod } from '../test/support/scheduling-builders.js';
import { assertRan, type Bench } from './bench.js';
import { judged, shown, spreadOf } from './measure.js';

/** DESIGN section 5: placements decided per second among 5,000 nodes, plain pods. */
const ANCHOR_PER_SECOND = 5_000;
const PODS = 10_000;
/** As the scheduling loop plans them. */
const BATCH = 500;
/** A lone pod is the dearest per placement: its batch is only itself. */
const LONE_PODS = 1_000;
const ROUNDS = 3;

interface PlanResult {
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
  assertRan(placed === waiting.length, `only ${placed} of ${waiting.length} pods were placed`);
  const over = snapshot.nodes().filter(({ usedCpuMillis }) => usedCpuMillis > 64_000);
  assertRan(over.length === 0, `${over.length} nodes are over their capacity`);
  const counts = snapshot.nodes().map(({ usedPods }) => usedPods);
  const fair = waiting.length / nodes.length;
  const least = Math.min(...counts);
  assertRan(least >= Math.floor(fair / 2), `a node got ${least} pods where ${fair} were its share`);
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

function measure(nodes: number): PlanResult {
  const same = (): string => '10m';
  return {
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

/** The decision alone: no log, no loop. What it becomes when every placement is durable is `place`. */
export const planning: Bench = {
  name: 'plan',
  about: 'placements/s that plan() decides, nothing recorded / one bare look at the free cpu of every node per pod',
  run: async (print) => {
    for (const nodes of [100, 1_000, 5_000]) {
      measure(nodes); // Warms the compiler up.
      const results = Array.from({ length: ROUNDS }, () => measure(nodes));
      const ratios = results.map((result) => result.batched / result.raw);
      const { median } = spreadOf(results.map(({ batched }) => batched));
      print(
        `${nodes} nodes: ${shown(results.map(({ batched }) => batched))}/s in batches of ${BATCH}, ` +
          `${shown(results.map(({ alone }) => alone))}/s one by one, ` +
          `${shown(results.map(({ distinct }) => distinct))}/s when no two pods ask for the same; ` +
          `raw ${shown(results.map((result) => result.raw))}/s; ratio ${shown(ratios, 2)}, ` +
          judged(median, { atLeast: ANCHOR_PER_SECOND }, '/s'),
      );
    }
  },
};
