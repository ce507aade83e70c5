import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ClusterState } from '#domain';
import { aPod, aReplicaSet, aRunningPod, type PodOptions } from '../../../../test/support/scheduling-builders.js';
import type { PodState } from '../pod/pod.js';
import { controllerReference } from '../workload/rules.js';
import { DELETION_COST, MAX_PODS_PER_PASS, reconcileReplicaSet } from './reconcile.js';
import { replicaSetRules } from './rules.js';

const set = aReplicaSet('web', { replicas: 2 });
const deletion = { requestedAt: 1, propagation: 'Background', gracePeriodSeconds: 0 } as const;
const owned = { labels: { app: 'web' }, ownerReferences: [controllerReference(set)] };
const mine = (name: string, { meta, ...more }: PodOptions = {}) => aPod(name, { ...more, meta: { ...owned, ...meta } });
const running = (name: string, node: string, { meta, ...more }: PodOptions = {}) =>
  aRunningPod(name, node, { ...more, meta: { ...owned, ...meta } });
const names = (pods: readonly PodState[]) => pods.map(({ meta }) => meta.name);
const sized = (replicas: number, pods: PodState[], now = 1_000) => reconcileReplicaSet({ ...set, replicas }, pods, now);

describe('reconcileReplicaSet', () => {
  it('adds what is missing', () => {
    expect(sized(3, [mine('a')])).toMatchObject({ add: 2, remove: [], more: false });
  });

  it('does nothing when the count is right', () => {
    expect(sized(2, [mine('a'), mine('b')])).toMatchObject({ add: 0, remove: [], adopt: [], release: [] });
  });

  it('adds and removes a bounded number in one pass, and says that there is more', () => {
    expect(sized(MAX_PODS_PER_PASS + 1, [])).toMatchObject({ add: MAX_PODS_PER_PASS, more: true });
    const many = Array.from({ length: MAX_PODS_PER_PASS + 1 }, (_, index) => mine(`p${index}`));
    const plan = sized(0, many);
    expect(plan.remove).toHaveLength(MAX_PODS_PER_PASS);
    expect(plan.more).toBe(true);
  });

  it('replaces pods that failed, succeeded or are going', () => {
    const pods = [
      mine('failed', { terminated: { phase: 'Failed', reason: 'NodeLost', at: 1 } }),
      mine('done', { terminated: { phase: 'Succeeded', at: 1 } }),
      mine('going', { meta: { deletion } }),
    ];
    expect(sized(2, pods)).toMatchObject({ add: 2, status: { replicas: 0 } });
  });

  it('neither adds nor removes for a set that is being deleted, but counts', () => {
    const going = aReplicaSet('web', { replicas: 5, meta: { deletion } });
    const orphan = aPod('orphan', { meta: { labels: { app: 'web' } } });
    expect(reconcileReplicaSet(going, [mine('a'), orphan], 1)).toMatchObject({
      add: 0,
      remove: [],
      adopt: [],
      status: { replicas: 1 },
    });
  });

  describe('adoption', () => {
    const orphan = (name: string, more: PodOptions = {}) =>
      aPod(name, { ...more, meta: { labels: { app: 'web' }, ...more.meta } });

    it('takes matching pods without a controller, and counts them', () => {
      const plan = sized(2, [orphan('a'), orphan('b')]);
      expect(names(plan.adopt)).toEqual(['a', 'b']);
      expect(plan).toMatchObject({ add: 0, status: { replicas: 2 } });
    });

    it.each<[string, PodState]>([
      ['of another namespace', orphan('a', { meta: { namespace: 'other' } })],
      ['that do not match', orphan('a', { meta: { labels: { app: 'db' } } })],
      ['that are going', orphan('a', { meta: { deletion } })],
      ['that have ended', orphan('a', { terminated: { phase: 'Succeeded', at: 1 } })],
      [
        'of another controller',
        orphan('a', { meta: { ownerReferences: [{ ...controllerReference(set), uid: 'other' }] } }),
      ],
    ])('leaves pods %s alone', (_, pod) => {
      expect(sized(1, [pod])).toMatchObject({ add: 1, adopt: [], release: [], remove: [] });
    });

    it('takes a pod that has owners, but no controller', () => {
      const ownerReferences = [{ apiVersion: 'v1', kind: 'Pod', name: 'x', uid: 'x' }];
      expect(names(sized(1, [orphan('a', { meta: { ownerReferences } })]).adopt)).toEqual(['a']);
    });

    it('ends what it adopted beyond its count', () => {
      expect(names(sized(0, [orphan('a')]).remove)).toEqual(['a']);
    });
  });

  it('releases pods that no longer match, and replaces them', () => {
    const plan = sized(1, [mine('a', { meta: { labels: { app: 'debug' } } })]);
    expect(names(plan.release)).toEqual(['a']);
    expect(plan).toMatchObject({ add: 1, remove: [] });
  });

  describe('ends first', () => {
    const since = (at: number): PodOptions => ({ conditions: { Ready: { status: 'True', lastTransitionAt: at } } });
    it.each<[string, PodState, PodState]>([
      ['the pod without a node', mine('gone'), mine('kept', { nodeName: 'n1' })],
      ['the pending pod', mine('gone', { nodeName: 'n1' }), running('kept', 'n1', { conditions: {} })],
      ['the pod that is not ready', running('gone', 'n1', { conditions: {} }), running('kept', 'n2')],
      [
        'the pod of lower deletion cost',
        running('gone', 'n1', { meta: { annotations: { [DELETION_COST]: '-1' } } }),
        running('kept', 'n2', { meta: { annotations: { [DELETION_COST]: 'free' } } }),
      ],
      ['the pod that became ready last', running('gone', 'n1', since(9)), running('kept', 'n2', since(8))],
      [
        'the pod that restarted more',
        running('gone', 'n1', { containers: { app: { name: 'app', attempt: 3 } } }),
        running('kept', 'n2', { containers: { app: { name: 'app', attempt: 2 } } }),
      ],
      [
        'the newer pod',
        running('gone', 'n1', { meta: { createdAt: 2 } }),
        running('kept', 'n2', { meta: { createdAt: 1 } }),
      ],
      [
        'the greater cost of an unscheduled pod notwithstanding, the unscheduled one',
        mine('gone', { meta: { annotations: { [DELETION_COST]: '100' } } }),
        running('kept', 'n1'),
      ],
    ])('%s', (_, gone, kept) => {
      expect(names(sized(1, [kept, gone]).remove)).toEqual(['gone']);
      expect(names(sized(1, [gone, kept]).remove)).toEqual(['gone']);
    });

    it('a pod of the node that has more of the set', () => {
      const pods = [running('alone', 'n1'), running('one', 'n2'), running('two', 'n2')];
      expect(names(sized(2, pods).remove)).not.toContain('alone');
    });
  });

  describe('status', () => {
    it('counts ready pods, and available ones once they were ready long enough', () => {
      const patient = { ...set, spec: { ...set.spec, minReadySeconds: 10 } };
      const ready = (name: string, at: number) =>
        running(name, 'n1', { conditions: { Ready: { status: 'True', lastTransitionAt: at } } });
      const pods = [ready('old', 1_000), ready('new', 5_000), mine('pending')];
      const plan = reconcileReplicaSet({ ...patient, replicas: 3 }, pods, 12_000);
      expect(plan.status).toEqual({
        replicas: 3,
        fullyLabeledReplicas: 3,
        readyReplicas: 2,
        availableReplicas: 1,
        observedGeneration: 1,
      });
      expect(plan.availableAt).toBe(15_000);
    });

    it('tells apart the pods that carry every label of the template', () => {
      const spec = { ...set.spec, template: { ...set.spec.template, metadata: { labels: { app: 'web', v: '2' } } } };
      const pods = [mine('old'), mine('new', { meta: { labels: { app: 'web', v: '2' } } })];
      expect(reconcileReplicaSet({ ...set, spec }, pods, 1).status).toMatchObject({
        replicas: 2,
        fullyLabeledReplicas: 1,
      });
    });
  });

  it('settles: carried out, it has nothing left to add or remove', () => {
    const pod = fc.record({
      node: fc.constantFrom(undefined, 'n1', 'n2'),
      label: fc.constantFrom('web', 'db'),
      isOwned: fc.boolean(),
      ended: fc.boolean(),
      createdAt: fc.integer({ min: 0, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(pod, { maxLength: 12 }), fc.integer({ min: 0, max: 8 }), (given, replicas) => {
        const pods = given.map(({ node, label, isOwned, ended, createdAt }, index) =>
          aPod(`p${index}`, {
            ...(node !== undefined && { nodeName: node }),
            ...(ended && { terminated: { phase: 'Failed', at: 1 } }),
            meta: { labels: { app: label }, createdAt, ownerReferences: isOwned ? [controllerReference(set)] : [] },
          }),
        );
        const first = sized(replicas, pods);
        const after = [
          ...pods
            .filter((one) => !first.remove.includes(one))
            .map((one) => {
              if (first.adopt.includes(one)) return { ...one, meta: { ...one.meta, ...owned } };
              if (first.release.includes(one)) return { ...one, meta: { ...one.meta, ownerReferences: [] } };
              return one;
            }),
          ...Array.from({ length: first.add }, (_, index) => mine(`new${index}`)),
        ];
        expect(sized(replicas, after)).toMatchObject({
          add: 0,
          remove: [],
          adopt: [],
          release: [],
          status: { replicas },
        });
        expect(sized(replicas, [...pods].reverse()).remove).toEqual(first.remove);
      }),
    );
  });
});

describe('the rules of replica sets', () => {
  const cluster = ClusterState.empty();
  const reconcile = (replicas: number, children: PodState[]) =>
    replicaSetRules.reconcile({ ...set, replicas }, { children, cluster, now: 1_000 });

  it('make pods that carry the labels and annotations of the template and belong to the set', () => {
    const template = { ...set.spec.template, metadata: { labels: { app: 'web' }, annotations: { note: 'x' } } };
    const patterned = { ...set, replicas: 1, spec: { ...set.spec, template } };
    expect(replicaSetRules.reconcile(patterned, { children: [], cluster, now: 1 }).steps).toMatchObject([
      {
        type: 'Create',
        kind: 'Pod',
        meta: {
          generateName: 'web-',
          labels: { app: 'web' },
          annotations: { note: 'x' },
          ownerReferences: [
            {
              apiVersion: 'apps/v1',
              kind: 'ReplicaSet',
              name: 'web',
              uid: 'uid-web',
              controller: true,
              blockOwnerDeletion: true,
            },
          ],
        },
        spec: set.spec.template.spec,
      },
    ]);
  });

  it('tell the counts only when there is nothing left to do', () => {
    expect(reconcile(2, [mine('a')]).status).toBeUndefined();
    expect(reconcile(1, [mine('a')])).toMatchObject({ steps: [], status: { replicas: 1 } });
  });

  it('keep conditions that others have set', () => {
    const conditions = [{ type: 'Mine', status: 'True' }] as const;
    const told = { ...set, replicas: 0, status: { ...set.status, conditions } };
    expect(replicaSetRules.reconcile(told, { children: [], cluster, now: 1 }).status).toMatchObject({ conditions });
  });
});
