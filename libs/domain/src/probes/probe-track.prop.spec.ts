import fc from 'fast-check';
import type { Probe } from '../pod/handlers.js';
import { failed, succeeded, undecided, type CheckOutcome } from './check.js';
import { checkBegun, checkEnded, condemns, newTrack, nextCheckAt, periodMs, type ProbeTrack } from './probe-track.js';

const T0 = 1_767_225_600_000;
const aProbe = fc.record<Probe>({
  periodSeconds: fc.integer({ min: 1, max: 20 }),
  initialDelaySeconds: fc.integer({ min: 0, max: 60 }),
  successThreshold: fc.integer({ min: 1, max: 4 }),
  failureThreshold: fc.integer({ min: 1, max: 4 }),
});
const anOutcome: fc.Arbitrary<CheckOutcome> = fc.constantFrom(succeeded, failed('no'), undecided('away'));
/** An outcome, how long its check took, and how late it was begun. */
const aCheck: fc.Arbitrary<ACheck> = fc.record({ outcome: anOutcome, tookMs: fc.nat(30_000), lateMs: fc.nat(3_000) });
interface ACheck {
  readonly outcome: CheckOutcome;
  readonly tookMs: number;
  readonly lateMs: number;
}
const aKind = fc.constantFrom('startup' as const, 'readiness' as const, 'liveness' as const);

interface Step {
  readonly track: ProbeTrack;
  readonly begunAt: number;
  readonly endedAt: number;
  readonly outcome: CheckOutcome;
  readonly told: { readonly count: number } | undefined;
}

/** The life of a probe: checks begin when they are due, or a little later, until none is due any more. */
function lifeOf(probe: Probe, kind: ProbeTrack['kind'], checks: readonly ACheck[]): Step[] {
  const steps: Step[] = [];
  let track = newTrack(kind, T0);
  let now = T0;
  for (const { outcome, tookMs, lateMs } of checks) {
    const due = nextCheckAt(probe, track, T0);
    if (due === undefined) break;
    const begunAt = Math.max(now, due) + lateMs;
    const running = checkBegun(track, begunAt);
    expect(nextCheckAt(probe, running, T0)).toBeUndefined();
    now = begunAt + tookMs;
    const ended = checkEnded(probe, running, outcome, now);
    track = ended.track;
    steps.push({ track, begunAt, endedAt: now, outcome, told: ended.told });
  }
  return steps;
}

/** What counts after some results, said another way: by the newest run of results that is long enough. */
function verdictOf(probe: Probe, initially: boolean, outcomes: readonly CheckOutcome[]): boolean {
  const { successThreshold = 1, failureThreshold = 3 } = probe;
  const results = outcomes.filter(({ result }) => result !== 'unknown').map(({ result }) => result);
  for (let end = results.length; end > 0; end -= 1) {
    const newest = results[end - 1];
    const needed = newest === 'success' ? successThreshold : failureThreshold;
    const run = results.slice(Math.max(0, end - needed), end);
    if (run.length === needed && run.every((result) => result === newest)) return newest === 'success';
  }
  return initially;
}

describe('the life of a probe', () => {
  it('turns only when its threshold is reached, and forgets nothing that counts', () => {
    fc.assert(
      fc.property(aProbe, aKind, fc.array(aCheck, { maxLength: 40 }), (probe, kind, checks) => {
        const steps = lifeOf(probe, kind, checks);
        steps.forEach(({ track }, index) => {
          const outcomes = steps.slice(0, index + 1).map(({ outcome }) => outcome);
          expect(track.passes).toBe(verdictOf(probe, kind === 'liveness', outcomes));
        });
      }),
    );
  });

  it('checks never before the initial delay, and never twice within a period', () => {
    fc.assert(
      fc.property(aProbe, aKind, fc.array(aCheck, { maxLength: 40 }), (probe, kind, checks) => {
        const steps = lifeOf(probe, kind, checks);
        expect(steps[0]?.begunAt ?? Infinity).toBeGreaterThanOrEqual(T0 + (probe.initialDelaySeconds ?? 0) * 1000);
        steps.slice(1).forEach(({ begunAt }, index) => {
          expect(begunAt - (steps[index]?.begunAt ?? 0)).toBeGreaterThanOrEqual(periodMs(probe));
        });
      }),
    );
  });

  it('ends with a verdict to kill, or a start; readiness goes on for ever', () => {
    fc.assert(
      fc.property(aProbe, aKind, fc.array(aCheck, { maxLength: 40 }), (probe, kind, checks) => {
        const steps = lifeOf(probe, kind, checks);
        const last = steps.at(-1)?.track;
        if (kind === 'readiness' || !last?.over) expect(steps).toHaveLength(checks.length);
        expect(steps.slice(0, -1).some(({ track }) => track.over)).toBe(false);
        expect(condemns(last)).toBe(kind !== 'readiness' && last?.over === true && !last.passes);
      }),
    );
  });

  it('tells of every failure once, of turns at once, and else once a minute at most', () => {
    fc.assert(
      fc.property(aProbe, aKind, fc.array(aCheck, { maxLength: 60 }), (probe, kind, checks) => {
        const steps = lifeOf(probe, kind, checks);
        const failures = steps.filter(({ outcome }) => outcome.result === 'failure').length;
        const told = steps.flatMap((step) => step.told ?? []).reduce((sum, { count }) => sum + count, 0);
        expect(told + (steps.at(-1)?.track.untold ?? 0)).toBe(failures);
        let toldAt = -Infinity;
        steps.forEach(({ told: news, endedAt, track }, index) => {
          const before = steps[index - 1]?.track.passes ?? kind === 'liveness';
          if (news && before === track.passes && !track.over) expect(endedAt - toldAt).toBeGreaterThanOrEqual(60_000);
          if (before && !track.passes) expect(news).toBeDefined();
          if (news) toldAt = endedAt;
        });
      }),
    );
  });
});
