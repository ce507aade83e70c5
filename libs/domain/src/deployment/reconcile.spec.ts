import { beforeEach, describe, expect, it } from '@jest/globals';
import { aContainer, aPodSpec } from '../../../../test/support/builders.js';
import { WorkloadModel } from '../../../../test/support/workload-model.js';
import { replicaSetRules } from '../replica-set/rules.js';
import { conditionOf } from '../workload/conditions.js';
import { templateHash } from '../workload/template-hash.js';
import type { ReplicaSetState } from '../workload/workload.js';
import { POD_TEMPLATE_HASH, REVISION, REVISION_HISTORY } from './revisions.js';
import { DESIRED_REPLICAS, MAX_REPLICAS } from './rolling.js';
import { deploymentRules } from './rules.js';

const labels = { app: 'web' };
const template = (image: string) => ({
  metadata: { labels },
  spec: aPodSpec({ containers: [aContainer('app', { image })] }),
});
const spec = {
  selector: { matchLabels: labels },
  strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
  revisionHistoryLimit: 10,
  progressDeadlineSeconds: 600,
  template: template('v1'),
} as const;

let model: WorkloadModel;
beforeEach(() => {
  model = new WorkloadModel();
});

const request = (replicas = 3, more: object = {}): void =>
  model.request('Deployment', 'web', { ...spec, ...more }, replicas);
const sets = (): ReplicaSetState[] =>
  [...model.state.replicaSets()].sort((a, b) => a.meta.createdAt - b.meta.createdAt);
const setOf = (image: string): ReplicaSetState => {
  const found = sets().find((set) => set.spec.template.spec.containers[0]?.image === image);
  if (!found) throw new Error(`no replica set of ${image}`);
  return found;
};
const sizes = () => sets().map(({ spec: { template: of }, replicas }) => [of.spec.containers[0]?.image, replicas]);
const pass = () => {
  const plan = model.reconcile(deploymentRules, 'web');
  for (const { meta } of sets()) model.reconcile(replicaSetRules, meta.name);
  return plan;
};
/** Everything that can happen without time passing: pods become ready, those told to go are gone. */
const settle = (isReady: (image: string) => boolean = () => true): void => {
  for (;;) {
    const before = model.state.revision;
    pass();
    for (const pod of model.livingPods()) model.place(pod, 'n1');
    for (const pod of model.livingPods()) if (isReady(pod.spec.containers[0]?.image ?? '')) model.ready(pod);
    for (const pod of [...model.state.pods()]) if (pod.meta.deletion) model.gone(pod);
    if (model.state.revision === before) return;
  }
};
const progressing = () => conditionOf(model.deployment('web').status.conditions, 'Progressing');
const available = () => conditionOf(model.deployment('web').status.conditions, 'Available');

describe('a new deployment', () => {
  it('makes a replica set of its template, named and labelled after it', () => {
    request();
    pass();
    const hash = templateHash(spec.template);
    expect(sets()).toMatchObject([
      {
        meta: {
          name: `web-${hash}`,
          labels: { app: 'web', [POD_TEMPLATE_HASH]: hash },
          annotations: { [REVISION]: '1', [DESIRED_REPLICAS]: '3', [MAX_REPLICAS]: '4' },
          ownerReferences: [{ kind: 'Deployment', name: 'web', controller: true, blockOwnerDeletion: true }],
        },
        spec: {
          selector: { matchLabels: { app: 'web', [POD_TEMPLATE_HASH]: hash } },
          template: { metadata: { labels: { app: 'web', [POD_TEMPLATE_HASH]: hash } } },
        },
        replicas: 3,
      },
    ]);
    expect(progressing()).toMatchObject({ status: 'True', reason: 'NewReplicaSetCreated' });
    expect(available()).toMatchObject({ status: 'False', reason: 'MinimumReplicasUnavailable' });
  });

  it('is complete when all pods are available, and then at rest', () => {
    request();
    settle();
    const { status, meta } = model.deployment('web');
    expect(status).toMatchObject({
      replicas: 3,
      updatedReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      unavailableReplicas: 0,
      observedGeneration: 1,
    });
    expect(meta.annotations[REVISION]).toBe('1');
    expect(progressing()).toMatchObject({ status: 'True', reason: 'NewReplicaSetAvailable' });
    expect(available()).toMatchObject({ status: 'True', reason: 'MinimumReplicasAvailable' });
    expect(pass()).toMatchObject({ steps: [] });
  });

  it('adopts a replica set that matches and is of its template', () => {
    const extra = { ...labels, [POD_TEMPLATE_HASH]: 'old' };
    const own = { ...spec.template, metadata: { labels: extra } };
    model.request('ReplicaSet', 'given', { selector: { matchLabels: extra }, template: own }, 3);
    const given = model.find('ReplicaSet', 'given');
    if (!given) throw new Error('no set');
    model.edit('ReplicaSet', 'given', {});
    model.wish('ReplicaSet', 'given', {
      type: 'ChangeWorkload',
      desired: {
        labels: extra,
        annotations: {},
        ownerReferences: [],
        finalizers: [],
        spec: { replicas: 3, ...given.spec },
      },
      preconditions: {},
      fieldManager: 'test',
      operation: 'Update',
      managedFields: [],
    });
    request();
    settle();
    expect(sets().map(({ meta }) => [meta.name, meta.ownerReferences[0]?.name])).toEqual([['given', 'web']]);
  });

  it('draws another hash when the name is taken', () => {
    const name = `web-${templateHash(spec.template)}`;
    const foreign = { matchLabels: { app: 'other' } };
    model.request(
      'ReplicaSet',
      name,
      { selector: foreign, template: { ...template('x'), metadata: { labels: { app: 'other' } } } },
      0,
    );
    request();
    settle();
    expect(model.deployment('web').status.collisionCount).toBe(1);
    expect(sets().map(({ meta }) => meta.name)).toContain(`web-${templateHash(spec.template, 1)}`);
  });
});

describe('a rolling update', () => {
  beforeEach(() => {
    request();
    settle();
    model.edit('Deployment', 'web', { template: template('v2') });
  });

  it('brings one new pod, waits until it is available, and takes one old', () => {
    settle((image) => image !== 'v2');
    expect(sizes()).toEqual([
      ['v1', 3],
      ['v2', 1],
    ]);
    expect(model.deployment('web').status).toMatchObject({ replicas: 4, updatedReplicas: 1, unavailableReplicas: 1 });
    settle();
    expect(sizes()).toEqual([
      ['v1', 0],
      ['v2', 3],
    ]);
    expect(model.deployment('web').meta.annotations[REVISION]).toBe('2');
  });

  it('is rolled back by its old template: the set of that gets a new revision', () => {
    settle();
    model.edit('Deployment', 'web', { template: template('v1') });
    settle();
    expect(sizes()).toEqual([
      ['v1', 3],
      ['v2', 0],
    ]);
    expect(setOf('v1').meta.annotations).toMatchObject({ [REVISION]: '3', [REVISION_HISTORY]: '1' });
    expect(model.deployment('web').meta.annotations[REVISION]).toBe('3');
  });

  it('is stuck when nothing moves until the deadline, and goes on when something does', () => {
    settle((image) => image !== 'v2');
    const { again } = pass();
    expect(again).toBe(model.now + 600_000);
    model.now += 599_999;
    pass();
    expect(progressing()).toMatchObject({ status: 'True', reason: 'ReplicaSetUpdated' });
    model.now += 1;
    expect(pass().again).toBeUndefined();
    expect(progressing()).toMatchObject({ status: 'False', reason: 'ProgressDeadlineExceeded' });
    settle();
    expect(progressing()).toMatchObject({ status: 'True', reason: 'NewReplicaSetAvailable' });
  });

  it('stands still while paused, and goes on when resumed', () => {
    model.edit('Deployment', 'web', { paused: true });
    settle();
    expect(sizes()).toEqual([['v1', 3]]);
    expect(progressing()).toMatchObject({ status: 'Unknown', reason: 'DeploymentPaused' });
    model.edit('Deployment', 'web', { paused: false });
    pass();
    settle();
    expect(sizes()).toEqual([
      ['v1', 0],
      ['v2', 3],
    ]);
  });

  it('shares a change of replicas out among the sets that have pods', () => {
    settle((image) => image !== 'v2');
    model.edit('Deployment', 'web', { replicas: 7 });
    settle((image) => image !== 'v2');
    expect(sizes()).toEqual([
      ['v1', 6],
      ['v2', 2],
    ]);
    settle();
    expect(sizes()).toEqual([
      ['v1', 0],
      ['v2', 7],
    ]);
  });

  it('keeps as many old sets as its history is long', () => {
    model.edit('Deployment', 'web', { revisionHistoryLimit: 1 });
    settle();
    model.edit('Deployment', 'web', { template: template('v3') });
    settle();
    expect(sizes()).toEqual([
      ['v2', 0],
      ['v3', 3],
    ]);
  });
});

describe('a deployment that is recreated', () => {
  it('ends every old pod before it makes a new one', () => {
    request(2, { strategy: { type: 'Recreate' } });
    settle();
    model.edit('Deployment', 'web', { template: template('v2') });
    pass();
    pass();
    expect(sizes()).toEqual([['v1', 0]]);
    // Told to go, but not gone: what they hold is not free yet.
    expect([...model.state.pods()].map(({ meta }) => meta.deletion !== undefined)).toEqual([true, true]);
    settle();
    expect(sizes()).toEqual([
      ['v1', 0],
      ['v2', 2],
    ]);
  });
});

describe('scaling', () => {
  it('changes the only set that has pods, and makes no new revision', () => {
    request();
    settle();
    model.wish('Deployment', 'web', { type: 'ScaleWorkload', replicas: 5, preconditions: {}, fieldManager: 'kubectl' });
    settle();
    expect(sizes()).toEqual([['v1', 5]]);
    model.edit('Deployment', 'web', { replicas: 0 });
    settle();
    expect(sizes()).toEqual([['v1', 0]]);
    expect(model.deployment('web').meta.annotations[REVISION]).toBe('1');
  });
});

describe('what concerns a deployment', () => {
  it('is also the end of a pod, for one that is recreated waits for it', () => {
    request(1);
    settle();
    const [pod] = model.livingPods();
    if (!pod) throw new Error('no pod');
    const concerned = model.gone(pod).flatMap((change) => deploymentRules.alsoConcerned?.(change, model.state) ?? []);
    expect(concerned).toEqual([model.deployment('web').meta.uid]);
  });
});
