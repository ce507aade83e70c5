import { describe, expect, it } from '@jest/globals';
import {
  controllerReference,
  COMPLETION_INDEX,
  type JobPlan,
  type JobState,
  type PodState,
  reconcileJob,
  type JobSurroundings,
  type JobVerdict,
  rfc3339,
} from '#domain';
import { aContainer } from '../../../../test/support/builders.js';
import { afterFacts, aJob } from '../../../../test/support/job-builders.js';
import { aRunningPod, type PodOptions } from '../../../../test/support/scheduling-builders.js';

const NOW = 1_767_225_600_000;
const started = { ready: 0, terminating: 0, uncountedTerminatedPods: {}, startTime: rfc3339(NOW - 60_000) };
const deletion = { requestedAt: NOW, propagation: 'Background', gracePeriodSeconds: 30 } as const;
const succeeded = { phase: 'Succeeded', at: NOW - 1_000 } as const;
const failed = { phase: 'Failed', at: NOW - 1_000 } as const;

const running = (job: JobState, name: string, { meta, ...more }: PodOptions = {}, index?: number): PodState =>
  aRunningPod(name, 'n1', {
    ...more,
    meta: {
      labels: { job: job.meta.name },
      ownerReferences: [controllerReference(job)],
      annotations: index === undefined ? {} : { [COMPLETION_INDEX]: String(index) },
      ...meta,
    },
  });

/** The job once it has started and tracks these pods. */
const tracking = (job: JobState, pods: readonly PodState[]): JobState =>
  afterFacts({ ...job, status: { ...job.status, ...started } }, [
    {
      type: 'PodsTracked',
      data: {
        pods: pods.map(({ meta }) => ({
          uid: meta.uid,
          name: meta.name,
          ...(meta.annotations[COMPLETION_INDEX] !== undefined && {
            index: Number(meta.annotations[COMPLETION_INDEX]),
          }),
        })),
      },
    },
  ]);

const pass = (job: JobState, pods: readonly PodState[], more: Partial<JobSurroundings> = {}): JobPlan =>
  reconcileJob(job, { pods, elsewhere: new Map(), now: NOW, ...more });
/** A pass over a job that knows all these pods. */
const settled = (job: JobState, pods: readonly PodState[], now = NOW): JobPlan =>
  pass(tracking(job, pods), pods, { now });
const names = (pods: readonly PodState[]): string[] => pods.map(({ meta }) => meta.name);
const verdictIn = ({ facts }: JobPlan): JobVerdict | undefined =>
  facts.flatMap((fact) => (fact.type === 'Decided' ? [fact.data] : []))[0];
/** The pod with a container beside its own. */
const withHelper = (pod: PodState, helper: PodState['containers'][string]): PodState => ({
  ...pod,
  spec: { ...pod.spec, containers: [...pod.spec.containers, aContainer(helper.name)] },
  containers: { ...pod.containers, [helper.name]: helper },
});
const types = ({ facts }: JobPlan): string[] => facts.map(({ type }) => type);

describe('a job', () => {
  const job = aJob('sum', { spec: { completions: 3, parallelism: 2 } });

  it('starts as many pods as may work at a time, and says when it started', () => {
    const plan = pass(job, []);
    expect(plan.open).toHaveLength(2);
    expect(types(plan)).toEqual(['Started']);
    expect(plan.status).toMatchObject({ active: 2, ready: 0, terminating: 0 });
  });

  it('starts no more than are still to succeed', () => {
    const two = { ...job, status: { ...started, succeeded: 2 } };
    expect(pass(two, []).open).toHaveLength(1);
    expect(pass(two, [running(job, 'a')]).open).toEqual([]);
  });

  it('counts what has ended, once, and goes on', () => {
    const pods = [running(job, 'a', { terminated: succeeded }), running(job, 'b')];
    const plan = settled(job, pods);
    expect(plan.facts).toEqual([
      { type: 'PodsCounted', data: { pods: [{ uid: 'uid-a', name: 'a', as: 'Succeeded', at: succeeded.at }] } },
    ]);
    expect(plan.open).toHaveLength(1);
    const after = afterFacts(tracking(job, pods), plan.facts, NOW);
    expect(after.status.succeeded).toBe(1);
    expect(pass(after, pods).facts).toEqual([]);
  });

  it('is complete when all have succeeded, and finished when no pod is left that goes on', () => {
    const short = aJob('sum', { spec: { completions: 1, parallelism: 1 } });
    const done = settled(short, [running(short, 'a', { terminated: succeeded })]);
    expect(types(done)).toEqual(['PodsCounted', 'Decided', 'Finished']);
    const late = settled(short, [
      running(short, 'a', { terminated: succeeded }),
      running(short, 'going', { meta: { deletion } }),
    ]);
    expect(types(late)).toEqual(['PodsCounted', 'Decided']);
  });

  it('without a number of completions waits for all pods once one has succeeded, and starts no more', () => {
    const any = aJob('sum', { spec: { parallelism: 3 } });
    const waiting = settled(any, [running(any, 'a', { terminated: succeeded }), running(any, 'b')]);
    expect(waiting).toMatchObject({ open: [], dismiss: [] });
    expect(verdictIn(waiting)).toBeUndefined();
    const over = settled(any, [
      running(any, 'a', { terminated: succeeded }),
      running(any, 'b', { terminated: failed }),
    ]);
    expect(verdictIn(over)).toMatchObject({ outcome: 'Complete', reason: 'CompletionsReached' });
  });

  it('waits longer after each failure in a row, and not at all after a success', () => {
    const backOff = (failures: number) => {
      const waiting = { ...job, status: started, ledger: { ...job.ledger, backOff: { failures, lastAt: NOW } } };
      return pass(waiting, []);
    };
    expect(backOff(0).open).toHaveLength(2);
    expect([1, 2, 3, 9].map((failures) => (backOff(failures).again ?? 0) - NOW)).toEqual([
      10_000, 20_000, 40_000, 360_000,
    ]);
    expect(backOff(1).open).toEqual([]);
    const recovered = afterFacts({ ...job, ledger: { ...job.ledger, backOff: { failures: 3, lastAt: NOW } } }, [
      { type: 'PodsCounted', data: { pods: [{ uid: 'x', name: 'x', as: 'Succeeded', at: NOW }] } },
    ]);
    expect(recovered.ledger.backOff.failures).toBe(0);
  });

  it('fails beyond its limit of failures, with all pods that are left', () => {
    const strict = aJob('sum', { spec: { completions: 3, parallelism: 3, backoffLimit: 0 } });
    const plan = settled(strict, [
      running(strict, 'a', { terminated: failed }),
      running(strict, 'b'),
      running(strict, 'c', { terminated: succeeded }),
    ]);
    expect(verdictIn(plan)).toMatchObject({ outcome: 'Failed', reason: 'BackoffLimitExceeded' });
    expect(names(plan.dismiss)).toEqual(['b']);
    const after = afterFacts(strict, plan.facts, NOW);
    expect(after.status).toMatchObject({ failed: 2, succeeded: 1 });
    expect(types(plan)).not.toContain('Finished');
    expect(plan.status).toMatchObject({ terminating: 1 });
  });

  it.each([
    [2, 1, undefined],
    [2, 2, 'BackoffLimitExceeded'],
    [0, 0, undefined],
    [0, 1, 'BackoffLimitExceeded'],
  ])('under OnFailure, with a limit of %i and %i restarts: %s', (backoffLimit, attempt, reason) => {
    const template = { ...job.spec.template, spec: { ...job.spec.template.spec, restartPolicy: 'OnFailure' } } as const;
    const patient = aJob('sum', { spec: { backoffLimit, template } });
    const app = { name: 'app', attempt, running: { startedAt: NOW } };
    const helper = { name: 'helper', attempt: 9, running: { startedAt: NOW } };
    const pod = withHelper(running(patient, 'a', { containers: { app } }), helper);
    expect(verdictIn(settled(patient, [pod]))?.reason).toBe(reason);
  });

  it('fails when it has been active too long', () => {
    const hasty = aJob('sum', { spec: { activeDeadlineSeconds: 90 } });
    const pods = [running(hasty, 'a')];
    expect(settled(hasty, pods)).toMatchObject({ again: NOW + 30_000, dismiss: [] });
    const late = settled(hasty, pods, NOW + 30_000);
    expect(verdictIn(late)).toMatchObject({ outcome: 'Failed', reason: 'DeadlineExceeded' });
    expect(names(late.dismiss)).toEqual(['a']);
  });

  describe('whose pods go by other hands', () => {
    it('counts a pod as failed as soon as it is told to go, and replaces it', () => {
      const plan = settled(job, [running(job, 'a', { meta: { deletion } }), running(job, 'b')], NOW + 20_000);
      expect(plan.facts).toMatchObject([{ type: 'PodsCounted', data: { pods: [{ name: 'a', as: 'Failed' }] } }]);
      expect(plan.open).toHaveLength(1);
    });

    it('waits for its end when only failed pods are replaced', () => {
      const patient = aJob('sum', { spec: { completions: 3, parallelism: 2, podReplacementPolicy: 'Failed' } });
      const plan = settled(patient, [running(patient, 'a', { meta: { deletion } }), running(patient, 'b')]);
      expect(plan).toMatchObject({ open: [], facts: [] });
    });

    it('counts a pod that is gone as what the log says it was', () => {
      const pods = [running(job, 'won', { terminated: succeeded }), running(job, 'lost', { terminated: failed })];
      const unseen = running(job, 'unseen', { meta: { deletion } });
      const [won, lost] = pods;
      const known = tracking(job, [...pods, unseen]);
      const elsewhere = new Map([
        ['uid-won', { gone: true, ...(won && { pod: won }) }],
        ['uid-lost', { gone: true, ...(lost && { pod: lost }) }],
        ['uid-unseen', { gone: true, pod: unseen }],
      ]);
      const [counted] = pass(known, [], { elsewhere }).facts;
      expect(counted).toMatchObject({
        type: 'PodsCounted',
        data: { pods: [{ as: 'Succeeded' }, { as: 'Failed' }, { as: 'Failed' }] },
      });
    });

    it('waits to be told of a pod it does not see', () => {
      expect(pass(tracking(job, [running(job, 'a')]), []).facts).toEqual([]);
    });

    it('counts no pod that is somebody else’s by now', () => {
      const stolen = running(job, 'stolen', { terminated: failed, meta: { labels: { job: 'other' } } });
      const plan = settled(job, [stolen]);
      expect(names(plan.release)).toEqual(['stolen']);
      expect(plan.facts).toMatchObject([{ data: { pods: [], released: ['uid-stolen'] } }]);
    });

    it('adopts what it selects, and counts it', () => {
      const stray = aRunningPod('stray', 'n1', { meta: { labels: { job: 'sum' } }, terminated: succeeded });
      const plan = pass({ ...job, status: started }, [stray]);
      expect(names(plan.adopt)).toEqual(['stray']);
      expect(plan.facts).toMatchObject([
        { type: 'PodsTracked', data: { pods: [{ uid: 'uid-stray' }] } },
        { type: 'PodsCounted', data: { pods: [{ uid: 'uid-stray', as: 'Succeeded' }] } },
      ]);
    });

    it('does not count a pod twice that a client gave it after it had been counted', () => {
      const counted = running(job, 'old', { terminated: failed });
      expect(pass({ ...job, status: started }, [counted]).facts).toEqual([]);
    });
  });

  describe('that is suspended', () => {
    const paused = aJob('sum', { spec: { completions: 3, parallelism: 2, suspend: true } });

    it('starts nothing and has not started', () => {
      expect(pass(paused, [])).toMatchObject({ open: [], facts: [{ type: 'Suspended' }] });
    });

    it('sends its pods away and counts none of them', () => {
      const pods = [running(paused, 'a'), running(paused, 'b', { terminated: succeeded })];
      const plan = settled(paused, pods);
      expect(names(plan.dismiss)).toEqual(['a']);
      expect(plan.facts).toMatchObject([
        { type: 'PodsCounted', data: { pods: [{ name: 'b' }], released: ['uid-a'] } },
        { type: 'Suspended' },
      ]);
    });

    it('begins its deadline anew when it is resumed', () => {
      const conditions = [{ type: 'Suspended', status: 'True' }] as const;
      const resumed = aJob('sum', { spec: { activeDeadlineSeconds: 10 }, status: { ...started, conditions } });
      const plan = pass(resumed, []);
      expect(types(plan)).toEqual(['Resumed']);
      expect(plan.open).toHaveLength(1);
      expect(afterFacts(resumed, plan.facts, NOW).status.startTime).toBe(rfc3339(NOW));
    });
  });

  describe('that is indexed', () => {
    const indexed = (spec: Partial<JobState['spec']> = {}): JobState =>
      aJob('sum', { spec: { completionMode: 'Indexed', completions: 5, parallelism: 3, ...spec } });
    const five = indexed();

    it('opens the lowest indexes that nobody works on', () => {
      const busy = [running(five, 'a', {}, 1), running(five, 'b', { terminated: succeeded }, 0)];
      expect(settled(five, busy).open).toEqual([{ index: 2 }, { index: 3 }]);
    });

    it('counts an index once, however many pods of it succeed', () => {
      const pods = [
        running(five, 'a', { terminated: succeeded }, 0),
        running(five, 'b', { terminated: succeeded }, 0),
        running(five, 'c', { terminated: succeeded }, 7),
      ];
      const plan = settled(five, pods);
      expect(afterFacts(tracking(five, pods), plan.facts).status).toMatchObject({
        completedIndexes: '0',
        succeeded: 1,
      });
    });

    it('sends away pods whose index another has or is none of the job, before it makes new ones', () => {
      const pods = [
        running(five, 'new', { meta: { createdAt: 5 } }, 0),
        running(five, 'old', { meta: { createdAt: 1 } }, 0),
        running(five, 'out', {}, 9),
      ];
      const plan = settled(five, pods);
      expect(names(plan.dismiss).sort()).toEqual(['new', 'out']);
      expect(plan.open).toEqual([]);
    });

    it('gives up an index after its own limit, and fails when none is left to try', () => {
      const each = indexed({ completions: 2, backoffLimitPerIndex: 0, backoffLimit: 100 });
      const pods = [running(each, 'a', { terminated: failed }, 0)];
      const first = settled(each, pods);
      expect(first.open).toEqual([{ index: 1, failures: 0 }]);
      const after = afterFacts(tracking(each, pods), first.facts);
      expect(after.status).toMatchObject({ failedIndexes: '0', failed: 1 });
      const other = running(each, 'b', { terminated: succeeded }, 1);
      const last = settled({ ...each, status: after.status }, [other]);
      expect(verdictIn(last)).toMatchObject({ outcome: 'Failed', reason: 'FailedIndexes' });
    });

    it('tries an index again after its own back-off, while others go on', () => {
      const each = indexed({ completions: 3, backoffLimitPerIndex: 3, backoffLimit: 100 });
      const indexFailures = { 0: { counted: 1, all: 2, lastAt: NOW } };
      const waiting = { ...each, status: started, ledger: { ...each.ledger, indexFailures } };
      expect(pass(waiting, [])).toMatchObject({
        open: [
          { index: 1, failures: 0 },
          { index: 2, failures: 0 },
        ],
        again: NOW + 20_000,
      });
      expect(pass(waiting, [], { now: NOW + 20_000 }).open[0]).toEqual({ index: 0, failures: 1 });
    });

    it('fails when too many indexes have', () => {
      const strict = indexed({ backoffLimitPerIndex: 0, maxFailedIndexes: 1, backoffLimit: 100 });
      const pods = [0, 1].map((index) => running(strict, `p${index}`, { terminated: failed }, index));
      expect(verdictIn(settled(strict, pods))).toMatchObject({ reason: 'MaxFailedIndexesExceeded' });
    });

    it.each([
      [{ succeededIndexes: '0,2' }, [0, 2], true],
      [{ succeededIndexes: '0,2' }, [0, 1], false],
      [{ succeededCount: 2 }, [3, 4], true],
      [{ succeededIndexes: '0-2', succeededCount: 2 }, [0, 2], true],
      [{ succeededIndexes: '0-2', succeededCount: 2 }, [0, 4], false],
    ])('succeeds early by the rule %j: %j', (rule, done, met) => {
      const policy = indexed({ successPolicy: { rules: [rule] } });
      const pods = done.map((index) => running(policy, `p${index}`, { terminated: succeeded }, index));
      const plan = settled(policy, [...pods, running(policy, 'left', {}, 1)]);
      expect(verdictIn(plan)).toEqual(
        met ? { outcome: 'Complete', reason: 'SuccessPolicy', message: 'Matched rules at index 0' } : undefined,
      );
      expect(names(plan.dismiss)).toEqual(met ? ['left'] : []);
    });
  });

  describe('with a policy for failures', () => {
    const rules = [
      { action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } },
      { action: 'FailIndex', onExitCodes: { operator: 'In', values: [43] } },
      { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
    ] as const;
    const careful = aJob('sum', {
      spec: {
        completionMode: 'Indexed',
        completions: 3,
        parallelism: 2,
        backoffLimitPerIndex: 5,
        podFailurePolicy: { rules },
      },
    });
    const exit = (exitCode: number): PodOptions => ({
      terminated: failed,
      containers: {
        app: {
          name: 'app',
          attempt: 0,
          terminated: { containerId: 'c', exitCode, reason: 'Error', finishedAt: NOW },
        },
      },
    });

    it('fails at once by a rule that says so', () => {
      const plan = settled(careful, [running(careful, 'a', exit(42), 0), running(careful, 'b', {}, 1)]);
      expect(verdictIn(plan)).toEqual({
        outcome: 'Failed',
        reason: 'PodFailurePolicy',
        message: 'Container app for pod shop/a failed with exit code 42 matching FailJob rule at index 0',
      });
    });

    it('gives up an index by a rule that says so', () => {
      const pods = [running(careful, 'a', exit(43), 0)];
      expect(afterFacts(tracking(careful, pods), settled(careful, pods).facts).status.failedIndexes).toBe('0');
    });

    it('does not count a disruption, but waits before the next try', () => {
      const disrupted = { DisruptionTarget: { status: 'True', lastTransitionAt: NOW } } as const;
      const pods = [running(careful, 'a', { ...exit(137), conditions: disrupted }, 0)];
      const plan = settled(careful, pods);
      expect(plan.facts).toMatchObject([{ data: { pods: [{ as: 'Ignored' }] } }]);
      expect(plan.open).toEqual([
        { index: 1, failures: 0 },
        { index: 2, failures: 0 },
      ]);
      expect(afterFacts(tracking(careful, pods), plan.facts).status.failed).toBeUndefined();
    });

    it('passes over the codes of helpers, unless a rule names one', () => {
      const terminated = { containerId: 'h', exitCode: 42, reason: 'Error', finishedAt: NOW } as const;
      const both = withHelper(running(careful, 'a', exit(1), 0), { name: 'helper', attempt: 0, terminated });
      expect(verdictIn(settled(careful, [both]))).toBeUndefined();
      const named = { ...rules[0], onExitCodes: { ...rules[0].onExitCodes, containerName: 'helper' } };
      const attentive = { ...careful, spec: { ...careful.spec, podFailurePolicy: { rules: [named] } } };
      expect(verdictIn(settled(attentive, [both]))).toMatchObject({ reason: 'PodFailurePolicy' });
    });
  });

  describe('that is over', () => {
    const over = afterFacts(
      aJob('sum', { spec: { ttlSecondsAfterFinished: 60 } }),
      [{ type: 'Finished', data: { outcome: 'Complete', reason: 'CompletionsReached', message: '' } }],
      NOW,
    );

    it('is left alone until its time to live is over', () => {
      expect(pass(over, [])).toMatchObject({ facts: [], open: [], expired: false, again: NOW + 60_000 });
      expect(pass(over, [], { now: NOW + 60_000 })).toMatchObject({ expired: true });
    });
  });
});
