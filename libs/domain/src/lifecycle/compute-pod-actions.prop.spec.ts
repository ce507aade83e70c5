import fc from 'fast-check';
import { anAssignedPod, ModelEngine, T0 } from '../../../../test/support/model-engine.js';
import type { AssignedPod } from '../node/assigned-pod.js';
import { computePodActions } from './compute-pod-actions.js';
import type { ObservedContainer } from './observed.js';
import { containerHash, sandboxHash, specHashOf } from './spec-hash.js';

const policies = ['Always', 'OnFailure', 'Never'] as const;

/** A pod's containers in any state whatever, also states that no run of ours could lead to. */
const arbitraryScene = fc.record({
  policy: fc.constantFrom(...policies),
  sharedFate: fc.boolean(),
  // An engine has each name, and so each attempt of a container, once.
  sandboxes: fc.uniqueArray(
    fc.record({
      attempt: fc.nat(3),
      state: fc.constantFrom('created', 'running', 'exited'),
      right: fc.boolean(),
      bad: fc.boolean(),
    }),
    { maxLength: 3, selector: ({ attempt }) => attempt },
  ),
  apps: fc.uniqueArray(
    fc.record({
      name: fc.constantFrom('app', 'helper', 'stranger'),
      attempt: fc.nat(4),
      generation: fc.nat(4),
      state: fc.constantFrom('created', 'running', 'exited'),
      startFailed: fc.boolean(),
      right: fc.boolean(),
      sandbox: fc.nat(3),
      exitCode: fc.constantFrom(0, 1, 137),
      infrastructure: fc.boolean(),
      settled: fc.boolean(),
      ageMs: fc.nat(900_000),
      ranMs: fc.nat(900_000),
    }),
    { maxLength: 7, selector: ({ name, attempt }) => `${name}/${attempt}` },
  ),
  attempts: fc.record({ app: fc.nat(3), helper: fc.nat(3) }, { requiredKeys: [] }),
});
type Scene = typeof arbitraryScene extends fc.Arbitrary<infer T> ? T : never;

function build(scene: Scene): { engine: ModelEngine; pod: AssignedPod } {
  const engine = new ModelEngine();
  const pod = anAssignedPod({ policy: scene.policy, sharedFate: scene.sharedFate, attempts: scene.attempts });
  const ids = scene.sandboxes.map(({ attempt, state, right, bad }) => {
    const startFailed = state === 'created' && bad;
    return engine.add({
      role: 'sandbox',
      name: '',
      attempt,
      state: state as ObservedContainer['state'],
      specHash: right ? sandboxHash(pod) : 'other',
      ...(startFailed && { startError: 'port is already allocated', exitCode: 128 }),
      ...(state !== 'created' && { startedAt: T0 - 1_000_000 }),
      ...(state === 'running' && { ip: '10.0.0.9' }),
      ...(state === 'exited' && { finishedAt: T0 - 500_000, exitCode: 0 }),
      createdAt: T0 - 1_000_000,
    }).id;
  });
  for (const app of scene.apps) {
    // Generations and attempts grow together, and nothing ran in a sandbox that never started.
    const ofName = scene.apps.filter(({ name }) => name === app.name);
    const rank = ofName.filter(({ attempt }) => attempt < app.attempt).length;
    const generation = ofName.map((one) => one.generation).sort((a, b) => a - b)[rank] ?? 0;
    const joined =
      scene.sandboxes[app.sandbox]?.state === 'created' && app.state !== 'created' ? 'gone' : ids[app.sandbox];
    const container = pod.spec.containers.find(({ name }) => name === app.name);
    const hash = container && app.right ? containerHash(pod, container) : 'feed';
    const startedAt = T0 - app.ageMs - app.ranMs;
    const failed = app.state === 'created' && app.startFailed;
    const { id } = engine.add({
      role: 'app',
      name: app.name,
      attempt: app.attempt,
      specHash: specHashOf(hash, generation),
      sandboxId: joined ?? 'gone',
      state: app.state as ObservedContainer['state'],
      createdAt: startedAt,
      ...(app.state !== 'created' && { startedAt }),
      ...(app.state === 'exited' && { finishedAt: T0 - app.ageMs, exitCode: app.exitCode }),
      ...(app.state === 'exited' && app.infrastructure && { infrastructureExit: true }),
      ...(failed && { startError: 'no such file', exitCode: 127 }),
    });
    if (app.settled) engine.settled.add(id);
  }
  return { engine, pod };
}

/** Looks and acts until nothing is left to do; time passes only when there is nothing to do but wait. */
function settle(engine: ModelEngine, pod: AssignedPod): void {
  for (let round = 0; round < 200; round += 1) {
    const settled = engine.settled.size;
    const plan = computePodActions(engine.input(pod));
    engine.carryOut(pod, plan);
    if (plan.actions.length > 0 || engine.settled.size > settled) engine.now += 1;
    else if (plan.nextLookAt === undefined) return;
    else engine.now = Math.max(engine.now + 1, plan.nextLookAt);
  }
  throw new Error(`does not settle: ${JSON.stringify(engine.log.slice(-8))}`);
}

describe('from any state of the engine', () => {
  it('a pod with restartPolicy Always comes to one sandbox and one running container per name', () => {
    fc.assert(
      fc.property(arbitraryScene, (scene) => {
        const { engine, pod } = build({ ...scene, policy: 'Always' });
        settle(engine, pod);
        const [sandbox, ...others] = engine.containers.filter(
          (one) => one.role === 'sandbox' && one.state === 'running',
        );
        expect(others).toEqual([]);
        for (const container of pod.spec.containers) {
          const running = engine.running(container.name);
          expect(running).toHaveLength(1);
          expect(running[0]?.sandboxId).toBe(sandbox?.id);
          expect(running[0]?.specHash.startsWith(`${containerHash(pod, container)}-`)).toBe(true);
        }
        expect(engine.running('stranger')).toEqual([]);
        expect(engine.containers.filter(({ role, state }) => role === 'app' && state === 'created')).toEqual(
          engine.containers.filter(({ startError }) => startError !== undefined).filter(({ role }) => role === 'app'),
        );
        for (const { name } of pod.spec.containers) {
          expect(engine.containers.filter((one) => one.name === name).length).toBeLessThanOrEqual(2);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('a pod comes to rest: all of it runs, or nothing of it', () => {
    fc.assert(
      fc.property(arbitraryScene, (scene) => {
        const { engine, pod } = build({ ...scene, sharedFate: true });
        settle(engine, pod);
        const main = engine.running('app').length;
        if (main === 0) expect(engine.containers.filter(({ state }) => state === 'running')).toEqual([]);
        else expect(main).toBe(1);
      }),
      { numRuns: 500 },
    );
  });

  it('a deleted pod leaves nothing, and nothing is made on the way', () => {
    fc.assert(
      fc.property(arbitraryScene, fc.nat(60), fc.nat(5), (scene, graceSeconds, rounds) => {
        const { engine, pod } = build(scene);
        for (let round = 0; round < rounds; round += 1) {
          engine.carryOut(pod, computePodActions(engine.input(pod)));
          engine.now += 1;
        }
        engine.log.length = 0;
        const deleted = { ...pod, deletion: { requestedAt: engine.now, gracePeriodSeconds: graceSeconds } };
        settle(engine, deleted);
        expect(engine.containers).toEqual([]);
        expect(engine.volumes).toBe(false);
        expect(engine.log.map(({ type }) => type).filter((type) => /Create|Start|Pull/.test(type))).toEqual([]);
        expect(computePodActions(engine.input(deleted))).toMatchObject({ actions: [], gone: true });
      }),
      { numRuns: 500 },
    );
  });

  it('no container starts before all of its pod are made, whatever fails in between', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...policies),
        fc.boolean(),
        fc.subarray(['app', 'helper']),
        (policy, sharedFate, failing) => {
          const engine = new ModelEngine();
          const pod = anAssignedPod({ policy, sharedFate });
          for (const name of failing) engine.uncreatable.add(name);
          for (let round = 0; round < 12; round += 1) {
            const plan = computePodActions(engine.input(pod));
            engine.carryOut(pod, plan);
            engine.now += 400;
          }
          const started = engine.containers.filter(({ role, state }) => role === 'app' && state !== 'created');
          expect(started).toHaveLength(failing.length > 0 ? 0 : 2);
          if (failing.length > 0) expect(engine.log.some(({ type }) => type === 'StartContainer')).toBe(false);
        },
      ),
    );
  });
});
