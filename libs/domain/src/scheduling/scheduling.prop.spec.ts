import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { aNode, aPod } from '../../../../test/support/scheduling-builders.js';
import type { ObjectChange } from '../cluster/stored-object.js';
import type { NodeState } from '../node/node.js';
import type { PodState } from '../pod/pod.js';
import { nodeStream, podStream } from '../stream.js';
import { verdictOf } from './filters.js';
import { NodeInfo } from './node-info.js';
import { demandOf } from './pod-demand.js';
import { type Plan, plan } from './plan.js';
import { DEFAULT_POLICY } from './policy.js';
import { SchedulingSnapshot } from './snapshot.js';

/** A cluster as plain maps, and the snapshot that has followed all its changes. */
class World {
  readonly nodes = new Map<string, NodeState>();
  readonly pods = new Map<string, PodState>();
  readonly snapshot = new SchedulingSnapshot();
  revision = 0;

  node(name: string, after: NodeState | undefined): void {
    this.#follow('Node', nodeStream(name), this.nodes.get(name), after);
    if (after) this.nodes.set(name, after);
    else this.nodes.delete(name);
  }

  pod(name: string, after: PodState | undefined): void {
    this.#follow('Pod', podStream('shop', name), this.pods.get(name), after);
    if (after) this.pods.set(name, after);
    else this.pods.delete(name);
  }

  carryOut({ placements }: Plan): void {
    for (const { pod, node } of placements) this.pod(pod.meta.name, { ...pod, nodeName: node });
  }

  rebuilt(): SchedulingSnapshot {
    return SchedulingSnapshot.of({
      nodes: () => [...this.nodes.values()].reverse(),
      pods: () => [...this.pods.values()].reverse(),
      revision: this.revision,
    });
  }

  #follow(kind: 'Node' | 'Pod', stream: string, before?: NodeState | PodState, after?: NodeState | PodState): void {
    this.revision += 1;
    const event = {
      ...{ type: 'Changed', data: {}, id: '', stream, version: 1, time: 0, schemaVersion: 1, commandId: '' },
      ...{ revision: this.revision, commandLast: this.revision, requestId: '', correlationId: '' },
      actor: { kind: 'system', name: 'test' },
    } as const;
    const change: ObjectChange = { stream, kind, event, ...(before && { before }), ...(after && { after }) };
    this.snapshot.apply(change);
  }
}

const nodeName = fc.integer({ min: 1, max: 6 }).map((index) => `n${index}`);
const podName = fc.integer({ min: 1, max: 25 }).map((index) => `p${index}`);
const aTaint = { key: 'gpu', effect: 'NoSchedule' } as const;

const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('node' as const),
      name: nodeName,
      cpuMillis: fc.integer({ min: 0, max: 4000 }),
      pods: fc.integer({ min: 0, max: 8 }),
      unschedulable: fc.boolean(),
      tainted: fc.boolean(),
      zone: fc.constantFrom('a', 'b'),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('pod' as const),
      name: podName,
      cpu: fc.constantFrom('0', '100m', '1', '2500m'),
      memory: fc.constantFrom('0', '1Gi'),
      createdAt: fc.integer({ min: 0, max: 5 }),
      hostPort: fc.constantFrom(undefined, 80),
      tolerant: fc.boolean(),
      zone: fc.constantFrom(undefined, 'a'),
      uid: fc.integer({ min: 0, max: 2 ** 31 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('pod ends' as const), name: podName }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('pod goes' as const), name: podName }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('node goes' as const), name: nodeName }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('bind' as const), name: podName, node: nodeName }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('plan' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

const input = { now: 5, batch: 3 };
const planFor = (snapshot: SchedulingSnapshot) => plan(snapshot, snapshot.pending(), input);

function take(world: World, move: Step): void {
  switch (move.type) {
    case 'node': {
      const { name, cpuMillis, pods, unschedulable, tainted, zone } = move;
      const taints = tainted ? [aTaint] : [];
      return world.node(name, aNode(name, { cpuMillis, pods, unschedulable, taints, meta: { labels: { zone } } }));
    }
    case 'pod': {
      const { name, cpu, memory, createdAt, hostPort, tolerant, zone, uid } = move;
      if (world.pods.has(name)) return;
      const tolerations = tolerant ? [{ key: 'gpu', operator: 'Exists' } as const] : [];
      const spec = { tolerations, ...(zone !== undefined && { nodeSelector: { zone } }) };
      const meta = { createdAt, uid: `${uid}-${world.revision}` };
      return world.pod(name, aPod(name, { cpu, memory, spec, meta, ...(hostPort !== undefined && { hostPort }) }));
    }
    case 'pod ends': {
      const pod = world.pods.get(move.name);
      return pod && world.pod(move.name, { ...pod, terminated: { phase: 'Succeeded', at: 1 } });
    }
    case 'pod goes':
      return world.pods.has(move.name) ? world.pod(move.name, undefined) : undefined;
    case 'node goes':
      return world.nodes.has(move.name) ? world.node(move.name, undefined) : undefined;
    case 'bind': {
      const pod = world.pods.get(move.name);
      return pod && !pod.nodeName ? world.pod(move.name, { ...pod, nodeName: move.node }) : undefined;
    }
    case 'plan':
      return world.carryOut(planFor(world.snapshot));
  }
}

const worlds = fc.array(step, { maxLength: 60 });
const grown = (moves: readonly Step[]): World => {
  const world = new World();
  for (const move of moves) take(world, move);
  return world;
};
const contents = (snapshot: SchedulingSnapshot) => ({
  revision: snapshot.revision,
  nodes: snapshot.nodes().map((node) => ({ ...node, hostPorts: [...node.hostPorts].map(String).sort() })),
  pending: [...snapshot.pending()].map(({ meta }) => meta.uid).sort(),
});

describe('scheduling, on generated clusters', () => {
  it('keeps an index equal to one made anew, and plans the same from both', () => {
    fc.assert(
      fc.property(worlds, (moves) => {
        const world = grown(moves);
        const rebuilt = world.rebuilt();
        expect(contents(world.snapshot)).toEqual(contents(rebuilt));
        expect(planFor(world.snapshot)).toEqual(planFor(rebuilt));
      }),
      { numRuns: 300 },
    );
  });

  it('takes no node over its capacity, and gives no host port twice', () => {
    fc.assert(
      fc.property(worlds, (moves) => {
        const world = grown(moves);
        const info = new Map(
          [...world.nodes.values()].map((state) => [state.meta.name, new NodeInfo(state.meta.name)]),
        );
        for (const [name, node] of info) {
          const state = world.nodes.get(name);
          if (state) node.state = state;
          for (const pod of world.pods.values())
            if (pod.nodeName === name && !pod.terminated) node.add(demandOf(pod.spec, DEFAULT_POLICY));
        }
        for (const { pod, node } of planFor(world.snapshot).placements) {
          const demand = demandOf(pod.spec, DEFAULT_POLICY);
          const target = info.get(node);
          expect(target && verdictOf(demand, target)).toBeUndefined();
          target?.add(demand);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('leaves out nobody who would fit', () => {
    fc.assert(
      fc.property(worlds, (moves) => {
        const world = grown(moves);
        world.carryOut(planFor(world.snapshot));
        for (const pod of world.snapshot.pending())
          for (const node of world.snapshot.nodes())
            expect(verdictOf(demandOf(pod.spec, DEFAULT_POLICY), node)).toBeDefined();
      }),
      { numRuns: 200 },
    );
  });

  it('plans nothing new once carried out, and leaves the snapshot as it was', () => {
    fc.assert(
      fc.property(worlds, (moves) => {
        const world = grown(moves);
        const before = contents(world.snapshot);
        const first = planFor(world.snapshot);
        expect(contents(world.snapshot)).toEqual(before);
        expect(planFor(world.snapshot)).toEqual(first);
        world.carryOut(first);
        const settled = planFor(world.snapshot);
        expect(settled.placements).toEqual([]);
        expect(settled.refusals.map(({ message }) => message)).toEqual(first.refusals.map(({ message }) => message));
      }),
      { numRuns: 200 },
    );
  });

  it('counts every node exactly once per refused filter', () => {
    fc.assert(
      fc.property(worlds, (moves) => {
        const world = grown(moves);
        for (const { record } of planFor(world.snapshot).refusals) {
          const perFilter = Object.values(record.refused).map((reasons) => Math.max(...Object.values(reasons)));
          const named = Object.values(record.refused).map((reasons) => Object.values(reasons).reduce((a, b) => a + b));
          expect(perFilter.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(record.nodesConsidered);
          expect(named.reduce((a, b) => a + b, 0)).toBeGreaterThanOrEqual(record.nodesConsidered);
        }
      }),
      { numRuns: 100 },
    );
  });
});
