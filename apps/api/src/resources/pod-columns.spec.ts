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

  const initContainers = [{ name: 'one' }, { name: 'side', restartPolicy: 'Always' }, { name: 'two' }];
  const initializing = (
    initContainerStatuses: object[],
    conditions: object[] = [],
    containers: object[] = [waiting('PodInitializing')],
  ) =>
    podStatusWord({ ...pod('Pending', containers, { initContainerStatuses, conditions }), spec: { initContainers } });
  const named = (statuses: object[]) => statuses.map((status, index) => ({ ...initContainers[index], ...status }));
  const coming = waiting('PodInitializing');

  it.each([
    ['the first has not begun', named([coming, coming, coming]), 'Init:0/3'],
    ['the second has not come up', named([terminated(0), coming, coming]), 'Init:1/3'],
    ['the third runs', named([terminated(0), { started: true, ...running }, { state: { running: {} } }]), 'Init:2/3'],
    ['one failed', named([terminated(3, 'Error'), coming, coming]), 'Init:Error'],
    ['one waits after failing', named([waiting('CrashLoopBackOff'), coming, coming]), 'Init:CrashLoopBackOff'],
    ['the image of a later one is not there', named([coming, coming, waiting('ErrImagePull')]), 'Init:ErrImagePull'],
  ])('counts init containers: %s', (_, statuses, word) => expect(initializing(statuses)).toBe(word));

  it('tells what keeps init containers from beginning', () => {
    expect(initializing(named([coming, coming, coming]), [], [waiting('ImagePullBackOff')])).toBe('ImagePullBackOff');
  });

  it('speaks of the containers once init containers are done, whatever becomes of sidecars', () => {
    const statuses = named([terminated(0), terminated(137, 'Error'), terminated(0)]);
    const conditions = [{ type: 'Initialized', status: 'True' }];
    expect(initializing(statuses, conditions, [terminated(0, 'Completed')])).toBe('Completed');
    expect(initializing(statuses, conditions, [waiting('WaitingForDependency')])).toBe('WaitingForDependency');
  });

  it('is the reason the pod was given up for, when it was', () => {
    expect(podStatusWord(pod('Failed', [], { reason: 'NodeLost' }))).toBe('NodeLost');
  });

  it('is Terminating while a live pod is being deleted, and stays the outcome of an ended one', () => {
    const deleting = { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } };
    expect(podStatusWord({ ...pod('Running', [running]), ...deleting })).toBe('Terminating');
    expect(podStatusWord({ ...pod('Succeeded', [terminated(0, 'Completed')]), ...deleting })).toBe('Completed');
  });
});
