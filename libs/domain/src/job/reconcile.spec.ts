import { describe, expect, it } from '@jest/globals';
import { rfc3339 } from '#domain';
import { afterFacts, aJob } from '../../../../test/support/job-builders.js';
import {
  NOW,
  started,
  deletion,
  succeeded,
  failed,
  running,
  tracking,
  pass,
  settled,
  names,
  verdictIn,
  withHelper,
  types,
} from '../../../../test/support/job-passes.js';
import { aRunningPod } from '../../../../test/support/scheduling-builders.js';

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
