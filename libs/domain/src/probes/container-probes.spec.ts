import { aContainer } from '../../../../test/support/builders.js';
import type { Probe } from '../pod/handlers.js';
import type { Container } from '../pod/pod-spec.js';
import { failed, succeeded, type CheckOutcome } from './check.js';
import {
  dueChecks,
  firstProbes,
  healthOf,
  withCheckBegun,
  withCheckEnded,
  type ContainerProbes,
} from './container-probes.js';
import type { ProbeKind } from './probe-track.js';

const T0 = 1_767_225_600_000;
const probe = (over: Partial<Probe> = {}): Probe => ({ exec: { command: ['check'] }, periodSeconds: 5, ...over });
const run = { containerId: 'c1', startedAt: T0 };

/** One run of a container under its probes. */
class Run {
  now = T0;
  probes: ContainerProbes;
  readonly facts: { readonly type: string; readonly [key: string]: unknown }[] = [];

  constructor(
    readonly container: Container,
    reported = {},
    now = T0,
  ) {
    this.now = now;
    this.probes = firstProbes(container, run, reported, now);
  }

  due(isEnding = false): readonly ProbeKind[] {
    return dueChecks(this.probes, this.container, isEnding, this.now).due;
  }

  nextIn(): number | undefined {
    const { nextAt } = dueChecks(this.probes, this.container, false, this.now);
    return nextAt === undefined ? undefined : nextAt - this.now;
  }

  check(kind: ProbeKind, outcome: CheckOutcome): this {
    expect(this.due()).toContain(kind);
    this.probes = withCheckBegun(this.probes, kind, this.now);
    const ended = withCheckEnded(this.probes, this.container, kind, outcome, this.now);
    this.probes = ended.probes;
    this.facts.push(...ended.facts.map(({ type, data }) => ({ type, ...data })));
    return this;
  }

  after(seconds: number): this {
    this.now += seconds * 1000;
    return this;
  }

  get health() {
    return healthOf(this.probes, this.container);
  }
}

const all = (over: Partial<Container> = {}): Container =>
  aContainer('app', { startupProbe: probe(), readinessProbe: probe(), livenessProbe: probe(), ...over });

describe('the probes of a container', () => {
  it('a container without probes is started and ready', () => {
    const it = new Run(aContainer());
    expect(it.health).toEqual({ started: true, ready: true });
    expect(it.due()).toEqual([]);
  });

  it('the startup probe holds the others back, and they begin as soon as it has succeeded', () => {
    const it = new Run(all());
    expect(it.due()).toEqual(['startup']);
    it.check('startup', failed('not yet'));
    expect(it.due()).toEqual([]);
    expect(it.nextIn()).toBe(5_000);
    expect(it.health).toEqual({ started: false, ready: false });
    it.after(5).check('startup', succeeded);
    expect(it.due()).toEqual(['readiness', 'liveness']);
    expect(it.health).toEqual({ started: true, ready: false });
  });

  it('readiness comes and goes, each turn told once', () => {
    const it = new Run(aContainer('app', { readinessProbe: probe({ failureThreshold: 2 }) }));
    it.check('readiness', succeeded).after(5).check('readiness', succeeded);
    it.after(5).check('readiness', failed('full'));
    expect(it.health.ready).toBe(true);
    it.after(5).check('readiness', failed('full'));
    expect(it.health.ready).toBe(false);
    it.after(5).check('readiness', succeeded);
    expect(it.facts).toEqual([
      { type: 'ContainerReadinessChanged', container: 'app', containerId: 'c1', ready: true },
      {
        type: 'ContainerProbeFailed',
        container: 'app',
        containerId: 'c1',
        probe: 'readiness',
        message: 'full',
        count: 1,
      },
      {
        type: 'ContainerProbeFailed',
        container: 'app',
        containerId: 'c1',
        probe: 'readiness',
        message: 'full',
        count: 1,
      },
      { type: 'ContainerReadinessChanged', container: 'app', containerId: 'c1', ready: false },
      { type: 'ContainerReadinessChanged', container: 'app', containerId: 'c1', ready: true },
    ]);
  });

  it('a liveness probe that fails for good condemns the container, with its own grace period', () => {
    const it = new Run(
      aContainer('app', { livenessProbe: probe({ failureThreshold: 2, terminationGracePeriodSeconds: 3 }) }),
    );
    it.check('liveness', failed('dead'));
    expect(it.health.condemned).toBeUndefined();
    it.after(5).check('liveness', failed('dead'));
    expect(it.health).toEqual({ started: true, ready: true, condemned: { probe: 'liveness', graceSeconds: 3 } });
    expect(it.after(60).due()).toEqual([]);
  });

  it('a startup probe that fails for good condemns it too', () => {
    const it = new Run(all({ startupProbe: probe({ failureThreshold: 1 }) }));
    it.check('startup', failed('stuck'));
    expect(it.health).toEqual({ started: false, ready: false, condemned: { probe: 'startup' } });
    expect(it.after(60).due()).toEqual([]);
  });

  it('a container that is being stopped is asked for its readiness only', () => {
    const it = new Run(aContainer('app', { readinessProbe: probe(), livenessProbe: probe() }));
    expect(it.due(true)).toEqual(['readiness']);
  });

  it('one that ran before this agent keeps what the log knows of it until its probe has failed often enough', () => {
    const it = new Run(
      all({ readinessProbe: probe({ failureThreshold: 2 }) }),
      { started: true, ready: true },
      T0 + 60_000,
    );
    expect(it.health).toEqual({ started: true, ready: true });
    expect(it.due()).not.toContain('startup');
    it.after(5).check('readiness', failed('x'));
    expect(it.health.ready).toBe(true);
    it.after(5).check('readiness', failed('x'));
    expect(it.health.ready).toBe(false);
  });

  it('the checks of containers that are adopted together are spread over their periods', () => {
    const container = aContainer('app', { readinessProbe: probe() });
    const firsts = Array.from({ length: 40 }, (_, index) => {
      const probes = firstProbes(container, { containerId: `c${index}`, startedAt: T0 }, {}, T0 + 60_000);
      return probes.tracks.readiness?.from ?? 0;
    });
    expect(Math.min(...firsts)).toBeGreaterThanOrEqual(T0 + 60_000);
    expect(Math.max(...firsts)).toBeLessThan(T0 + 65_000);
    expect(new Set(firsts).size).toBeGreaterThan(30);
  });
});
