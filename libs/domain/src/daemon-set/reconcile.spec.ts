import { beforeEach, describe, expect, it } from '@jest/globals';
import { aContainer, aPodSpec } from '../../../../test/support/builders.js';
import { WorkloadModel } from '../../../../test/support/workload-model.js';
import { streamOfKind } from '../meta/kinds.js';
import { nodeStream } from '../stream.js';
import { ENDED_DAEMON_MS } from './reconcile.js';
import { daemonPodSpec, nodeOfDaemonPod } from './nodes.js';
import { daemonSetRules } from './rules.js';

const labels = { app: 'agent' };
const template = (image: string, more: object = {}) => ({
  metadata: { labels },
  spec: { ...aPodSpec({ containers: [aContainer('app', { image })] }), ...more },
});
const rolling = (rollingUpdate: object) => ({ type: 'RollingUpdate', rollingUpdate }) as const;

let model: WorkloadModel;
beforeEach(() => {
  model = new WorkloadModel();
  model.join('n1');
  model.join('n2');
});

const request = (more: object = {}): void =>
  model.request('DaemonSet', 'agent', { selector: { matchLabels: labels }, template: template('v1'), ...more });
const pass = () => model.reconcile(daemonSetRules, 'agent');
const status = () => model.find('DaemonSet', 'agent')?.status;
/** What is on which node, pods that are going marked. */
const daemons = () =>
  [...model.state.pods()]
    .map((pod) => {
      const image = pod.spec.containers[0]?.image ?? '';
      return `${nodeOfDaemonPod(pod) ?? ''} ${image}${pod.meta.deletion ? ' going' : ''}`;
    })
    .sort();
const place = () => {
  for (const pod of model.livingPods()) model.place(pod, nodeOfDaemonPod(pod) ?? '');
};
/** Lets everything happen that can: pods are placed where they are for and become ready, those told to go are gone. */
const settle = () => {
  for (let before = -1; before !== model.state.revision;) {
    before = model.state.revision;
    pass();
    place();
    for (const pod of model.livingPods()) model.ready(pod);
    for (const pod of [...model.state.pods()]) if (pod.meta.deletion) model.gone(pod);
  }
};
const change = (node: string, path: readonly string[], to: unknown) =>
  model.record(nodeStream(node), [
    {
      type: 'NodeChanged',
      data: { changes: [{ path, to }], fieldManager: 'test', operation: 'Update', managedFields: [] },
    },
  ]);

describe('a daemon set', () => {
  it('has a pod on every node, which the scheduler places there and nowhere else', () => {
    request();
    pass();
    expect(daemons()).toEqual(['n1 v1', 'n2 v1']);
    const [pod] = model.livingPods();
    expect(pod?.nodeName).toBeUndefined();
    expect(pod?.meta).toMatchObject({ ownerReferences: [{ kind: 'DaemonSet', name: 'agent', controller: true }] });
    settle();
    expect(status()).toEqual({
      currentNumberScheduled: 2,
      desiredNumberScheduled: 2,
      numberMisscheduled: 0,
      numberReady: 2,
      numberAvailable: 2,
      numberUnavailable: 0,
      updatedNumberScheduled: 2,
      observedGeneration: 1,
    });
    expect(pass().steps).toEqual([]);
  });

  it('comes to nodes that join later, whose coming concerns it', () => {
    request();
    settle();
    const concerned = model.join('n3').flatMap((one) => daemonSetRules.alsoConcerned?.(one, model.state) ?? []);
    expect(concerned).toContain(model.find('DaemonSet', 'agent')?.meta.uid);
    settle();
    expect(daemons()).toEqual(['n1 v1', 'n2 v1', 'n3 v1']);
  });

  it('keeps to nodes of its selector, and leaves one that no longer has the label', () => {
    change('n1', ['metadata', 'labels', 'disk'], 'ssd');
    request({ template: template('v1', { nodeSelector: { disk: 'ssd' } }) });
    settle();
    expect(daemons()).toEqual(['n1 v1']);
    change('n1', ['metadata', 'labels', 'disk'], 'hdd');
    pass();
    expect(daemons()).toEqual(['n1 v1 going']);
    expect(status()).toMatchObject({ desiredNumberScheduled: 1 });
    settle();
    expect(status()).toMatchObject({ desiredNumberScheduled: 0, numberMisscheduled: 0 });
  });

  it('stays away from a taint it does not tolerate, stays where it is for NoSchedule, and leaves for NoExecute', () => {
    change('n1', ['spec', 'taints'], [{ key: 'k', effect: 'NoSchedule' }]);
    request();
    settle();
    expect(daemons()).toEqual(['n2 v1']);
    change('n2', ['spec', 'taints'], [{ key: 'k', effect: 'NoSchedule' }]);
    settle();
    expect(daemons()).toEqual(['n2 v1']);
    expect(status()).toMatchObject({ numberMisscheduled: 1 });
    change('n2', ['spec', 'taints'], [{ key: 'k', effect: 'NoExecute' }]);
    settle();
    expect(daemons()).toEqual([]);
  });

  it('replaces a pod that ended, after a while, and one that is gone at once', () => {
    request();
    settle();
    const [one, two] = model.livingPods();
    if (!one || !two) throw new Error('two pods are needed');
    model.fail(one);
    expect(pass()).toMatchObject({ steps: [], again: model.now + ENDED_DAEMON_MS });
    model.now += ENDED_DAEMON_MS;
    settle();
    expect(daemons()).toEqual(['n1 v1', 'n2 v1']);
    expect(model.state.podByUid(one.meta.uid)).toBeUndefined();
    model.gone(two);
    settle();
    expect(daemons()).toEqual(['n1 v1', 'n2 v1']);
  });

  it('waits until a pod that is told to go is gone before it makes the next', () => {
    request();
    settle();
    model.edit('DaemonSet', 'agent', { template: template('v2') });
    pass();
    pass();
    expect(daemons()).toEqual(['n1 v1 going', 'n2 v1']);
  });

  it('ends pods of nodes that are gone', () => {
    request();
    settle();
    model.record(nodeStream('n2'), [{ type: 'NodeDeleted', data: { uid: '' } }]);
    pass();
    expect(daemons()).toEqual(['n1 v1', 'n2 v1 going']);
  });
});

describe('an update of a daemon set', () => {
  const update = (updateStrategy: object) => {
    for (const name of ['n3', 'n4']) model.join(name);
    request({ updateStrategy });
    settle();
    model.edit('DaemonSet', 'agent', { template: template('v2') });
  };

  it('takes as many nodes at a time as may be unavailable', () => {
    update(rolling({ maxUnavailable: '50%' }));
    pass();
    expect(daemons()).toEqual(['n1 v1 going', 'n2 v1 going', 'n3 v1', 'n4 v1']);
    for (const pod of [...model.state.pods()]) if (pod.meta.deletion) model.gone(pod);
    pass();
    // The new ones are not available yet.
    expect(daemons()).toEqual(['n1 v2', 'n2 v2', 'n3 v1', 'n4 v1']);
    settle();
    expect(daemons()).toEqual(['n1 v2', 'n2 v2', 'n3 v2', 'n4 v2']);
  });

  it('replaces at once what is not available anyway', () => {
    update(rolling({ maxUnavailable: 1 }));
    const down = model.livingPods().filter((pod) => nodeOfDaemonPod(pod) !== 'n1');
    for (const pod of down) model.unready(pod);
    pass();
    expect(daemons()).toEqual(['n1 v1', 'n2 v1 going', 'n3 v1 going', 'n4 v1 going']);
  });

  it('with a surge brings the new pod first, and ends the old one when that is available', () => {
    update(rolling({ maxSurge: 1, maxUnavailable: 0 }));
    pass();
    pass();
    expect(daemons()).toEqual(['n1 v1', 'n1 v2', 'n2 v1', 'n3 v1', 'n4 v1']);
    place();
    for (const pod of model.livingPods()) model.ready(pod);
    pass();
    expect(daemons()).toEqual(['n1 v1 going', 'n1 v2', 'n2 v1', 'n2 v2', 'n3 v1', 'n4 v1']);
    settle();
    expect(daemons()).toEqual(['n1 v2', 'n2 v2', 'n3 v2', 'n4 v2']);
  });

  it('waits for users to delete pods where that is asked for', () => {
    update({ type: 'OnDelete' });
    settle();
    expect(daemons()).toEqual(['n1 v1', 'n2 v1', 'n3 v1', 'n4 v1']);
    const [pod] = model.livingPods();
    if (!pod) throw new Error('no pod');
    model.gone(pod);
    settle();
    expect(daemons().filter((text) => text.endsWith('v2'))).toHaveLength(1);
  });
});

describe('the history of a daemon set', () => {
  const revisions = () =>
    [...model.state.all('ControllerRevision')]
      .map(({ body }) => [JSON.stringify(body['data']).match(/"image":"(\w+)"/)?.[1], body['revision']])
      .sort();

  it('keeps each template it had, as a patch that brings it back, and numbers the newest highest', () => {
    request();
    settle();
    expect([...model.state.all('ControllerRevision')]).toMatchObject([
      {
        meta: { labels, ownerReferences: [{ kind: 'DaemonSet', name: 'agent', controller: true }] },
        body: { revision: 1, data: { spec: { template: { $patch: 'replace', spec: { restartPolicy: 'Always' } } } } },
      },
    ]);
    model.edit('DaemonSet', 'agent', { template: template('v2') });
    settle();
    expect(revisions()).toEqual([
      ['v1', 1],
      ['v2', 2],
    ]);
    model.edit('DaemonSet', 'agent', { template: template('v1') });
    settle();
    expect(revisions()).toEqual([
      ['v1', 3],
      ['v2', 2],
    ]);
    expect(daemons()).toEqual(['n1 v1', 'n2 v1']);
  });

  it('keeps no more than it is asked to, and every one that a pod is of', () => {
    request({ revisionHistoryLimit: 1, updateStrategy: { type: 'OnDelete' } });
    settle();
    for (const image of ['v2', 'v3', 'v4']) {
      model.edit('DaemonSet', 'agent', { template: template(image) });
      settle();
    }
    expect(revisions()).toEqual([
      ['v1', 1],
      ['v3', 3],
      ['v4', 4],
    ]);
  });

  it('draws another hash when the name of a revision is taken', () => {
    request();
    settle();
    const [first] = model.state.all('ControllerRevision');
    if (!first) throw new Error('no revision');
    model.record(streamOfKind('ControllerRevision', 'shop', first.meta.name), [
      {
        type: 'ControllerRevisionChanged',
        data: {
          change: 'Edited',
          changes: [{ path: ['metadata', 'ownerReferences'], to: [] }],
          fieldManager: 'test',
          operation: 'Update',
          managedFields: [],
        },
      },
    ]);
    settle();
    expect(status()).toMatchObject({ collisionCount: 1, updatedNumberScheduled: 2 });
    expect([...model.state.all('ControllerRevision')]).toHaveLength(2);
  });
});

describe('daemonPodSpec', () => {
  it('names the node beside what else the template prefers, and tolerates what daemons tolerate', () => {
    const given = aPodSpec({
      tolerations: [
        { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 },
      ],
    });
    const spec = daemonPodSpec(given, 'n1');
    expect(nodeOfDaemonPod({ spec })).toBe('n1');
    expect(spec.tolerations?.filter(({ key }) => key === 'node.kubernetes.io/not-ready')).toEqual([
      { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
    ]);
    const onHost = daemonPodSpec({ ...given, hostNetwork: true }, 'n1');
    expect(onHost.tolerations).toHaveLength((spec.tolerations?.length ?? 0) + 1);
  });
});
