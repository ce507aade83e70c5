import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type CountedPod,
  controllerReference,
  COMPLETION_INDEX,
  type JobPlan,
  type JobSpec,
  type JobState,
  MAX_JOB_PODS_PER_PASS,
  type PodState,
  reconcileJob,
} from '#domain';
import { afterFacts, aJob } from '../../../../test/support/job-builders.js';
import { aRunningPod } from '../../../../test/support/scheduling-builders.js';

/** A job with its pods, which end, are deleted and vanish; passes over it, some of which are lost before they are recorded. */
class World {
  now = 1_767_225_600_000;
  readonly pods = new Map<string, PodState>();
  readonly gone = new Map<string, PodState>();
  readonly counted: CountedPod[] = [];
  readonly released: string[] = [];
  /** Pods that the job itself told to go. */
  readonly dismissed = new Set<string>();
  made = 0;

  constructor(public job: JobState) {}

  plan(): JobPlan {
    const elsewhere = new Map([...this.gone].map(([uid, pod]) => [uid, { gone: true, pod }]));
    return reconcileJob(this.job, { pods: [...this.pods.values()], elsewhere, now: this.now });
  }

  /** One pass, recorded as one command. */
  pass(): JobPlan {
    const plan = this.plan();
    expect(plan.open.length === 0 || plan.dismiss.length === 0).toBe(true);
    const made = plan.open.map(({ index }) => this.#make(index));
    const pods = made.map(({ meta }) => ({
      uid: meta.uid,
      name: meta.name,
      ...(meta.annotations[COMPLETION_INDEX] !== undefined && { index: Number(meta.annotations[COMPLETION_INDEX]) }),
    }));
    const facts = [...plan.facts, ...(pods.length > 0 ? [{ type: 'PodsTracked', data: { pods } } as const] : [])];
    for (const fact of facts) {
      if (fact.type !== 'PodsCounted') continue;
      this.counted.push(...fact.data.pods);
      this.released.push(...(fact.data.released ?? []));
    }
    this.job = afterFacts({ ...this.job, status: plan.status }, facts, this.now);
    for (const { meta } of plan.dismiss) {
      this.dismissed.add(meta.uid);
      this.delete(meta.uid);
    }
    return plan;
  }

  #make(index: number | undefined): PodState {
    this.made += 1;
    const pod = aRunningPod(`pod-${this.made}`, 'n1', {
      meta: {
        labels: { job: 'sum' },
        ownerReferences: [controllerReference(this.job)],
        annotations: index === undefined ? {} : { [COMPLETION_INDEX]: String(index) },
      },
    });
    this.pods.set(pod.meta.uid, pod);
    return pod;
  }

  end(uid: string, phase: 'Succeeded' | 'Failed'): void {
    const pod = this.pods.get(uid);
    if (pod && !pod.terminated) this.pods.set(uid, { ...pod, terminated: { phase, at: this.now } });
  }

  delete(uid: string): void {
    const pod = this.pods.get(uid);
    if (!pod || pod.meta.deletion) return;
    const deletion = { requestedAt: this.now, propagation: 'Background', gracePeriodSeconds: 30 } as const;
    this.pods.set(uid, { ...pod, meta: { ...pod.meta, deletion } });
  }

  vanish(uid: string): void {
    const pod = this.pods.get(uid);
    if (!pod?.meta.deletion) return;
    this.pods.delete(uid);
    this.gone.set(uid, pod);
  }

  suspend(suspend: boolean): void {
    this.job = { ...this.job, spec: { ...this.job.spec, suspend } };
  }

  get active(): PodState[] {
    return [...this.pods.values()].filter(({ terminated, meta }) => !terminated && !meta.deletion);
  }
}

type Step =
  | { readonly do: 'pass' | 'lose' | 'suspend' | 'resume' }
  | { readonly do: 'succeed' | 'fail' | 'delete' | 'vanish'; readonly pod: number }
  | { readonly do: 'wait'; readonly ms: number };

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant<Step>({ do: 'pass' }) },
    fc.constantFrom<Step>({ do: 'lose' }, { do: 'suspend' }, { do: 'resume' }),
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constantFrom('succeed' as const, 'fail' as const, 'delete' as const, 'vanish' as const),
        pod: fc.nat(5),
      }),
    },
    fc.record({ do: fc.constant('wait' as const), ms: fc.nat(400_000) }),
  ),
  { maxLength: 60 },
);

const specs = fc.record({
  completions: fc.integer({ min: 1, max: 6 }),
  parallelism: fc.integer({ min: 0, max: 4 }),
  completionMode: fc.constantFrom('Indexed' as const, 'NonIndexed' as const),
  backoffLimit: fc.nat(5),
  podReplacementPolicy: fc.constantFrom('Failed' as const, 'TerminatingOrFailed' as const),
});

function act(world: World, step: Step): void {
  const uids = [...world.pods.keys()];
  // Counted from the newest: those are the ones that go on.
  const uid = 'pod' in step ? (uids.at(-1 - (step.pod % Math.max(1, uids.length))) ?? '') : '';
  switch (step.do) {
    case 'pass':
      return void world.pass();
    case 'lose':
      return void world.plan();
    case 'suspend':
    case 'resume':
      return world.suspend(step.do === 'suspend');
    case 'succeed':
      return world.end(uid, 'Succeeded');
    case 'fail':
      return world.end(uid, 'Failed');
    case 'delete':
      return world.delete(uid);
    case 'vanish':
      return world.vanish(uid);
    case 'wait':
      world.now += step.ms;
  }
}

const play = (spec: Partial<JobSpec>, story: readonly Step[], check: (world: World) => void): World => {
  const world = new World(aJob('sum', { spec }));
  for (const step of story) {
    act(world, step);
    check(world);
  }
  return world;
};

const isOver = (world: World): boolean =>
  world.job.status.conditions?.some(({ type, status }) => status === 'True' && ['Complete', 'Failed'].includes(type)) ??
  false;

/** What is asked for happens, and pods that are told to go do. */
function settle(world: World): void {
  world.suspend(false);
  for (let round = 0; round < 200 && !isOver(world); round += 1) {
    world.pass();
    for (const { meta } of world.active) world.end(meta.uid, 'Succeeded');
    for (const uid of [...world.pods.keys()]) world.vanish(uid);
    world.now += 400_000;
  }
}

describe('a job, whatever happens to its pods and passes', () => {
  it('never has more pods at work than it asks for, nor more than are still to succeed', () => {
    fc.assert(
      fc.property(specs, steps, (spec, story) => {
        play(spec, story, (world) => {
          const left = spec.completions - (world.job.status.succeeded ?? 0);
          const plan = world.plan();
          if (plan.open.length > 0) {
            expect(world.active.length + plan.open.length).toBeLessThanOrEqual(Math.min(spec.parallelism, left));
            expect(plan.open.length).toBeLessThanOrEqual(MAX_JOB_PODS_PER_PASS);
          }
        });
      }),
    );
  });

  it('counts each pod once, or lets it go uncounted, and forgets none', () => {
    fc.assert(
      fc.property(specs, steps, (spec, story) => {
        const world = play({ ...spec, parallelism: Math.max(1, spec.parallelism) }, story, () => undefined);
        settle(world);
        expect(isOver(world)).toBe(true);
        const ends = [...world.counted.map(({ uid }) => uid), ...world.released];
        expect(new Set(ends).size).toBe(ends.length);
        expect(ends).toHaveLength(world.made);
        expect(world.released.filter((uid) => !world.dismissed.has(uid))).toEqual([]);
        expect(world.job.ledger.tracked).toEqual({});
        expect(world.job.status.failed ?? 0).toBe(world.counted.filter(({ as }) => as === 'Failed').length);
      }),
    );
  });

  it('counts as succeeded what has, unless it had been told to go before', () => {
    fc.assert(
      fc.property(specs, steps, (spec, story) => {
        const world = play(spec, story, () => undefined);
        for (const { uid, as } of world.counted) {
          const pod = world.pods.get(uid) ?? world.gone.get(uid);
          if (pod?.terminated?.phase !== 'Succeeded' || pod.meta.deletion) continue;
          // Over the failure of its job all that has not ended has failed; what ends later changes nothing.
          const failed = world.job.status.conditions?.some(({ type }) => type === 'FailureTarget');
          if (!failed) expect(as).toBe('Succeeded');
        }
      }),
    );
  });

  it('is over only when no pod is left that goes on', () => {
    fc.assert(
      fc.property(specs, steps, (spec, story) => {
        play(spec, story, (world) => {
          if (isOver(world)) expect([...world.pods.values()].filter(({ terminated }) => !terminated)).toEqual([]);
        });
      }),
    );
  });

  it('once it is over, stays as it is', () => {
    fc.assert(
      fc.property(specs, steps, (spec, story) => {
        const world = play({ ...spec, parallelism: Math.max(1, spec.parallelism) }, story, () => undefined);
        settle(world);
        const before = world.job;
        const plan = world.pass();
        expect([plan.open, plan.dismiss, plan.facts]).toEqual([[], [], []]);
        expect(world.job.status).toEqual(before.status);
      }),
    );
  });
});
