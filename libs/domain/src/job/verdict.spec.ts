import { describe, expect, it } from '@jest/globals';
import type { JobState } from '#domain';
import { afterFacts, aJob } from '../../../../test/support/job-builders.js';
import {
  NOW,
  started,
  succeeded,
  failed,
  running,
  tracking,
  pass,
  settled,
  names,
  verdictIn,
  withHelper,
} from '../../../../test/support/job-passes.js';
import type { PodOptions } from '../../../../test/support/scheduling-builders.js';

describe('an indexed job', () => {
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

describe('a job with a policy for failures', () => {
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
