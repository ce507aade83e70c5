import { podStatusWord } from './pod-columns.js';

const waiting = (reason: string) => ({ state: { waiting: { reason } } });
const terminated = (exitCode: number, reason?: string, signal?: number) => ({
  state: { terminated: { exitCode, ...(reason && { reason }), ...(signal && { signal }) } },
});
const running = { ready: true, state: { running: {} } };
const pod = (phase: string, containerStatuses: object[], more: object = {}) =>
  JSON.parse(JSON.stringify({ metadata: {}, spec: {}, status: { phase, containerStatuses, ...more } }));

describe('the STATUS of a pod', () => {
  it.each([
    ['Running', [running], 'Running'],
    ['Pending', [], 'Pending'],
    ['Running', [waiting('CrashLoopBackOff')], 'CrashLoopBackOff'],
    ['Failed', [terminated(137)], 'ExitCode:137'],
    ['Failed', [terminated(0, undefined, 9)], 'Signal:9'],
    ['Failed', [terminated(1, 'Error'), terminated(0, 'Completed')], 'Error'],
    // The first container is fine and waits for the second: what hinders both is what people need to see.
    ['Pending', [waiting('ContainerCreating'), waiting('ErrImageNeverPull')], 'ErrImageNeverPull'],
    ['Pending', [waiting('ImagePullBackOff'), waiting('ContainerCreating')], 'ImagePullBackOff'],
    ['Pending', [waiting('ContainerCreating'), waiting('ContainerCreating')], 'ContainerCreating'],
  ])('in phase %s with %j is %s', (phase, statuses, word) => expect(podStatusWord(pod(phase, statuses))).toBe(word));

  it('is the reason the pod was given up for, when it was', () => {
    expect(podStatusWord(pod('Failed', [], { reason: 'NodeLost' }))).toBe('NodeLost');
  });

  it('is Terminating while a live pod is being deleted, and stays the outcome of an ended one', () => {
    const deleting = { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } };
    expect(podStatusWord({ ...pod('Running', [running]), ...deleting })).toBe('Terminating');
    expect(podStatusWord({ ...pod('Succeeded', [terminated(0, 'Completed')]), ...deleting })).toBe('Completed');
  });
});
