import { containerLabels, containerName, identityOf, isOwn, LABEL, networkName, volumeName } from './docker-names.js';

const scope = { cluster: 'c1', node: 'n1' };
const pod = { uid: '6f0b7c1e-2f1d-4b57-9d1f-0d7a5a0f4c55', namespace: 'shop', name: 'web' };
const spec = { pod, name: 'app', attempt: 3, specHash: 'h', labels: {} };

it('gives the same container of the same attempt the same name, and every other one another', () => {
  const name = containerName(scope, pod, 'app', 0);
  expect(containerName({ ...scope }, { ...pod }, 'app', 0)).toBe(name);
  const others = [
    containerName(scope, pod, 'app', 1),
    containerName(scope, pod, '', 0),
    containerName(scope, pod, 'pod', 0),
    containerName({ ...scope, node: 'n2' }, pod, 'app', 0),
    containerName({ ...scope, cluster: 'c2' }, pod, 'app', 0),
    containerName(scope, { ...pod, uid: 'other' }, 'app', 0),
  ];
  expect(new Set([name, ...others]).size).toBe(others.length + 1);
});

it('gives names that engines and file systems take, however long the names of the pod', () => {
  const long = { uid: pod.uid, namespace: 'n'.repeat(63), name: 'a.b'.repeat(84) };
  const names = [
    containerName(scope, long, 'c'.repeat(63), 12_345),
    volumeName(scope, long.uid, 'v'.repeat(63)),
    networkName('a cluster id of any / kind'),
  ];
  for (const name of names) {
    expect(name).toMatch(/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/);
    expect(name.length).toBeLessThanOrEqual(255);
  }
});

it('reads back from the labels who a container is', () => {
  expect(identityOf(containerLabels(scope, 'app', spec))).toEqual({
    pod,
    role: 'app',
    name: 'app',
    attempt: 3,
    specHash: 'h',
  });
  const sandbox = containerLabels(scope, 'sandbox', { ...spec, name: '' });
  expect(sandbox[LABEL.containerName]).toBe('POD');
  expect(identityOf(sandbox)).toMatchObject({ role: 'sandbox', name: '' });
});

it('takes no container for its own whose labels are not ours', () => {
  const { [LABEL.podUid]: _uid, ...withoutUid } = containerLabels(scope, 'app', spec);
  expect(identityOf(withoutUid)).toBeUndefined();
  expect(identityOf({ ...containerLabels(scope, 'app', spec), [LABEL.attempt]: 'x' })).toBeUndefined();
  expect(identityOf({})).toBeUndefined();
});

it('lets the labels of a pod replace none of ours', () => {
  const forged = containerLabels(scope, 'app', { ...spec, labels: { [LABEL.node]: 'other', team: 'blue' } });
  expect(forged).toMatchObject({ [LABEL.node]: 'n1', team: 'blue' });
});

it('owns what carries both its cluster and its node', () => {
  expect(isOwn(scope, containerLabels(scope, 'app', spec))).toBe(true);
  expect(isOwn({ ...scope, node: 'n2' }, containerLabels(scope, 'app', spec))).toBe(false);
  expect(isOwn({ ...scope, cluster: 'c2' }, containerLabels(scope, 'app', spec))).toBe(false);
  expect(isOwn(scope, null)).toBe(false);
});
