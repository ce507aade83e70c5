import { FAULT_KINDS } from './faults.js';
import type { Report } from './report.js';
import { seedsOf } from './seeds.js';
import { simulate } from './simulate.js';

/** Seeds in `npm test`; `SEEDS=5000` runs more, `FROM=1000` others. */
const { from, count } = seedsOf(process.env, { from: 1, count: 300 });
/** A hundred times what it takes on an idle machine: it only ends what hangs. */
const PATIENCE_MS = count * 15_000;

/** What must have happened at least once per thirty seeds, or the seeds show little. */
const WORK = [
  ...['PodRequested', 'PodScheduled', 'PodUnschedulable', 'PodBecameReady', 'PodTerminated', 'PodDeleted'],
  ...['ContainerCreated', 'ContainerStarted', 'ContainerExited', 'ContainerBackingOff', 'ImagePullFailed'],
  ...['ReplicaSetRequested', 'ScaleRequested', 'ReplicaSetDeleted', 'NamespaceDeleted', 'PodChanged'],
  ...['DeploymentRequested', 'DeploymentChanged', 'DeploymentDeleted', 'CronJobRequested'],
  ...['JobRequested', 'JobPodsCounted', 'JobSuspended', 'JobFinished', 'JobDeleted'],
  ...['NodeRegistered', 'NodeBecameNotReady', 'NodeLost'],
  ...['ContainerProbeFailed', 'ContainerReadinessChanged', 'ContainerStartupSucceeded', 'PostStartHookSucceeded'],
];

describe(`a cluster under faults, seeds ${from} to ${from + count - 1}`, () => {
  let report: Report;
  beforeAll(async () => {
    report = await simulate('--from', String(from), '--seeds', String(count));
  }, PATIENCE_MS);

  it('keeps every invariant, and settles', () => {
    expect(report.runs).toBe(count);
    expect(report.failed.slice(0, 3).map(({ why }) => why)).toEqual([]);
  });

  it.each(FAULT_KINDS)('goes through this: %s', (kind) => {
    expect(report.faults[kind]).toBeGreaterThan(0);
  });

  it.each(WORK)('does what makes this happen again and again: %s', (type) => {
    expect(report.events[type]).toBeGreaterThan(count / 30);
  });
});
