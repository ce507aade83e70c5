import fc from 'fast-check';
import { aContainer } from '../../../../test/support/builders.js';
import { anAssignedPod, ModelEngine } from '../../../../test/support/model-engine.js';
import { look } from '../../../../test/support/model-run.js';
import type { AssignedPod } from '../node/assigned-pod.js';
import { initContainersOf, isSidecar } from '../pod/container-kinds.js';
import { DEPENDS_ON_ANNOTATION, dependenciesOf, dependentsOf } from './dependencies.js';
import { NO_MEMORY } from './pod-memory.js';

const appNames = ['app', 'b', 'c', 'd'];

/** A pod with any init containers and sidecars, whose containers wait for any that stand after them in its spec. */
const arbitraryPod = fc
  .record({
    inits: fc.array(fc.boolean(), { maxLength: 4 }),
    apps: fc.integer({ min: 1, max: 4 }),
    edges: fc.uniqueArray(fc.tuple(fc.nat(2), fc.nat(2)), { maxLength: 5, selector: ([from, by]) => `${from}+${by}` }),
    sharedFate: fc.boolean(),
    policy: fc.constantFrom('Always', 'OnFailure', 'Never'),
  })
  .map(({ inits, apps, edges, sharedFate, policy }): AssignedPod => {
    const names = appNames.slice(0, apps);
    const dependencies: Record<string, Record<string, string>> = {};
    for (const [from, by] of edges) {
      const [name, target] = [names[from], names[from + by + 1]];
      if (name !== undefined && target !== undefined) (dependencies[name] ??= {})[target] = 'Started';
    }
    return anAssignedPod({
      containers: names.map((name) => aContainer(name)),
      initContainers: inits.map((sidecar, index) =>
        aContainer(`${sidecar ? 'side' : 'init'}-${index}`, sidecar ? { restartPolicy: 'Always' } : {}),
      ),
      annotations: { [DEPENDS_ON_ANNOTATION]: JSON.stringify(dependencies) },
      sharedFate,
      policy: policy as 'Always' | 'OnFailure' | 'Never',
    });
  });

/** What happens to a pod while it is looked after: processes end, records go, the node forgets. */
const arbitraryTrouble = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.constant({ type: 'look' as const }) },
    {
      weight: 3,
      arbitrary: fc.record({ type: fc.constant('exit' as const), which: fc.nat(), code: fc.constantFrom(0, 1) }),
    },
    { weight: 1, arbitrary: fc.constant({ type: 'forget' as const }) },
    { weight: 1, arbitrary: fc.constant({ type: 'tidy' as const }) },
  ),
  { maxLength: 40 },
);
type Trouble = typeof arbitraryTrouble extends fc.Arbitrary<readonly (infer T)[]> ? T : never;

/** A pod on an engine, with a record of which init containers succeeded, and which containers began, in each sandbox. */
class Life {
  readonly engine = new ModelEngine();
  readonly done = new Set<string>();
  readonly violations: string[] = [];

  constructor(readonly pod: AssignedPod) {}

  /** One look; time passes only when there is nothing to do but wait. False when there is not even that. */
  step(): boolean {
    const settled = this.engine.settled.size;
    const plan = look(this.engine, this.pod);
    for (const action of plan.actions) if (action.type === 'StartContainer') this.check(action.containerId);
    this.engine.carryOut(this.pod, plan);
    for (const one of this.engine.containers)
      if (one.startedAt !== undefined) this.done.add(`${one.sandboxId}/${one.name}/begun`);
    if (plan.actions.length > 0 || this.engine.settled.size > settled) this.engine.now += 1;
    else if (plan.nextLookAt === undefined) return false;
    else this.engine.now = Math.max(this.engine.now + 1, plan.nextLookAt);
    return true;
  }

  end(name: string, code: number): void {
    for (const one of this.engine.running(name)) {
      if (code === 0) this.done.add(`${one.sandboxId}/${name}/succeeded`);
      if (one.role === 'sandbox') this.engine.exit('', 0);
      else this.engine.exit(name, code);
    }
    this.engine.now += 1;
  }

  suffer(trouble: Trouble): void {
    switch (trouble.type) {
      case 'look':
        return void this.step();
      case 'exit': {
        const running = this.engine.containers.filter(({ state }) => state === 'running');
        const victim = running[trouble.which % Math.max(1, running.length)];
        return victim && this.end(victim.name, trouble.code);
      }
      case 'forget':
        this.engine.memory = NO_MEMORY;
        return;
      case 'tidy':
        // Somebody removes what is dead, as `docker container prune` does.
        this.engine.containers = this.engine.containers.filter(({ state }) => state !== 'exited');
    }
  }

  /** Lets everything come to rest: init containers succeed from now on. */
  settle(): void {
    for (let round = 0; round < 400; round += 1) {
      const rests = !this.step();
      const oneTime = initContainersOf(this.pod.spec).filter((container) => !isSidecar(container));
      const running = oneTime.find(({ name }) => this.engine.running(name).length > 0);
      if (running) this.end(running.name, 0);
      else if (rests) return;
    }
    throw new Error(`does not settle: ${JSON.stringify(this.engine.log.slice(-8))}`);
  }

  private check(containerId: string): void {
    const { spec } = this.pod;
    const started = this.engine.containers.find(({ id }) => id === containerId);
    const inits = initContainersOf(spec);
    const position = inits.findIndex(({ name }) => name === started?.name);
    const before = position < 0 ? inits : inits.slice(0, position);
    for (const container of before) {
      const what = isSidecar(container) ? 'begun' : 'succeeded';
      if (!this.done.has(`${started?.sandboxId}/${container.name}/${what}`))
        this.violations.push(`${started?.name} before ${container.name}`);
    }
  }
}

/** Found once: what `app` waits for began in a sandbox that died, and is not to run again. */
const afterItsSandbox = anAssignedPod({
  containers: [aContainer('app'), aContainer('b')],
  initContainers: [aContainer('side-0', { restartPolicy: 'Always' })],
  annotations: { [DEPENDS_ON_ANNOTATION]: JSON.stringify({ app: { b: 'Started' } }) },
  sharedFate: false,
  policy: 'Never',
});
const looks = (count: number): Trouble[] => Array.from({ length: count }, () => ({ type: 'look' }));

describe('whatever happens to a pod', () => {
  it('its containers start after the init containers before them, and it comes to rest', () => {
    fc.assert(
      fc.property(arbitraryPod, arbitraryTrouble, (pod, troubles) => {
        const life = new Life(pod);
        for (const trouble of troubles) life.suffer(trouble);
        life.settle();
        expect(life.violations).toEqual([]);
        const { engine } = life;
        const running = (name: string): number => engine.running(name).length;
        const names = [...initContainersOf(pod.spec).filter(isSidecar), ...pod.spec.containers].map(({ name }) => name);
        for (const name of names) expect(running(name)).toBeLessThanOrEqual(1);
        if (pod.spec.restartPolicy === 'Always') expect(names.filter((name) => running(name) === 0)).toEqual([]);
        const apps = pod.spec.containers.filter(({ name }) => running(name) > 0);
        if (apps.length === 0) expect(engine.containers.filter(({ state }) => state === 'running')).toEqual([]);
      }),
      { numRuns: 250, examples: [[afterItsSandbox, [...looks(5), { type: 'exit', which: 0, code: 0 }]]] },
    );
  });

  it('its containers stop against the edges and sidecars last, while there is time', () => {
    fc.assert(
      fc.property(arbitraryPod, fc.infiniteStream(fc.nat(9_000)), (pod, delays) => {
        const life = new Life(pod);
        life.settle();
        const { engine } = life;
        const deleted = { ...pod, deletion: { requestedAt: engine.now, gracePeriodSeconds: 30 } };
        const graceEnd = engine.now + 30_000;
        const sidecars = initContainersOf(pod.spec)
          .filter(isSidecar)
          .map(({ name }) => name);
        for (const { name } of engine.containers) engine.lazy.add(name);
        for (let round = 0; round < 100; round += 1) {
          const plan = look(engine, deleted);
          const alive = new Set(engine.containers.filter(({ state }) => state === 'running').map(({ name }) => name));
          for (const action of plan.actions) {
            if (action.type !== 'Stop' || engine.now >= graceEnd) continue;
            const { container } = action;
            const first = sidecars.includes(container)
              ? [...pod.spec.containers.map(({ name }) => name), ...sidecars.slice(sidecars.indexOf(container) + 1)]
              : [...dependentsOf(dependenciesOf(pod.annotations), container)];
            expect(first.filter((name) => alive.has(name))).toEqual([]);
            expect(engine.now + action.graceSeconds * 1000).toBeLessThan(graceEnd + 1_000);
          }
          engine.carryOut(deleted, plan);
          if (plan.gone) return;
          const [delay] = delays;
          engine.now += delay ?? 1;
          for (const name of Object.keys(engine.memory.stopping).slice(0, 1))
            engine.exit(engine.containers.find(({ id }) => id === name)?.name ?? '', 0);
          if (engine.now > graceEnd + 1_000)
            for (const { name, role } of engine.containers) if (role === 'app') engine.exit(name, 137);
        }
        throw new Error('is not gone');
      }),
      { numRuns: 150 },
    );
  });
});
