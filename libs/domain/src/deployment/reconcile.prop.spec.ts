import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { aContainer, aPodSpec } from '../../../../test/support/builders.js';
import { WorkloadModel } from '../../../../test/support/workload-model.js';
import type { PodState } from '../pod/pod.js';
import { replicaSetRules } from '../replica-set/rules.js';
import { isActivePod, readySince } from '../workload/pod-counts.js';
import { fencepostsOf } from './rolling.js';
import { deploymentRules } from './rules.js';
import { isComplete } from './status.js';

const labels = { app: 'web' };
const template = (version: number) => ({
  metadata: { labels },
  spec: aPodSpec({ containers: [aContainer('app', { image: `v${version}` })] }),
});

/** What may happen in between: which pod or set it happens to is a number taken modulo how many there are. */
const happening = fc.oneof(
  { weight: 4, arbitrary: fc.record({ what: fc.constant('deployment' as const) }) },
  { weight: 4, arbitrary: fc.record({ what: fc.constant('sets' as const), which: fc.nat(20) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      what: fc.constantFrom('ready' as const, 'unready' as const, 'fail' as const, 'gone' as const),
      which: fc.nat(20),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constant('template' as const), which: fc.integer({ min: 1, max: 3 }) }),
  },
);
const share = fc.oneof(fc.nat(4), fc.constantFrom('0%', '25%', '50%', '100%'));
const nth = <T>(list: readonly T[], index: number): T | undefined => list[index % Math.max(1, list.length)];

/** Pods that are available, and pods that the replica sets ask for. */
function counts(model: WorkloadModel): { readonly available: number; readonly wanted: number } {
  const sets = [...model.state.replicaSets()];
  const pods = [...model.state.pods()].filter(isActivePod);
  const isOf = (uid: string) => (pod: PodState) => pod.meta.ownerReferences.some((owner) => owner.uid === uid);
  return {
    wanted: sets.reduce((sum, { replicas }) => sum + replicas, 0),
    available: sets.reduce((sum, { meta, replicas }) => {
      const ready = pods.filter(isOf(meta.uid)).filter((pod) => readySince(pod) !== undefined).length;
      return sum + Math.min(replicas, ready);
    }, 0),
  };
}

const world = fc.record({
  replicas: fc.integer({ min: 1, max: 6 }),
  maxSurge: share,
  maxUnavailable: share,
  happenings: fc.array(happening, { maxLength: 60 }),
});

it('a rolling update never goes by its own doing below what must be available nor above the surge, and gets there', () => {
  fc.assert(
    fc.property(world, ({ replicas, maxSurge, maxUnavailable, happenings }) => {
      const model = new WorkloadModel();
      const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } } as const;
      const spec = { selector: { matchLabels: labels }, strategy, template: template(1) };
      model.request('Deployment', 'web', spec, replicas);
      const posts = fencepostsOf(model.deployment('web'));

      const guarded = (run: () => void): void => {
        const before = counts(model);
        run();
        const after = counts(model);
        expect(after.available).toBeGreaterThanOrEqual(Math.min(before.available, replicas - posts.maxUnavailable));
        expect(after.wanted).toBeLessThanOrEqual(replicas + posts.maxSurge);
      };
      const reconcile = () => guarded(() => model.reconcile(deploymentRules, 'web'));
      const resize = (name: string) => guarded(() => model.reconcile(replicaSetRules, name));
      const setNames = () => [...model.state.replicaSets()].map(({ meta }) => meta.name).sort();

      for (const one of happenings) {
        if (one.what === 'deployment') reconcile();
        else if (one.what === 'template') model.edit('Deployment', 'web', { template: template(one.which) });
        else if (one.what === 'sets') {
          const name = nth(setNames(), one.which);
          if (name !== undefined) resize(name);
        } else if (one.what === 'gone') {
          const pod = nth(
            [...model.state.pods()].filter(({ meta }) => meta.deletion),
            one.which,
          );
          if (pod) model.gone(pod);
        } else {
          const pod = nth(model.livingPods(), one.which);
          if (!pod) continue;
          model.place(pod, 'n1');
          const placed = model.state.podByUid(pod.meta.uid);
          if (placed) model[one.what](placed);
        }
      }

      for (let before = -1; before !== model.state.revision;) {
        before = model.state.revision;
        reconcile();
        for (const name of setNames()) resize(name);
        for (const pod of model.livingPods()) model.ready(pod);
      }
      const deployment = model.deployment('web');
      expect(deployment.status).toMatchObject({ replicas, updatedReplicas: replicas, availableReplicas: replicas });
      expect(isComplete(deployment, deployment.status)).toBe(true);
      expect(model.reconcile(deploymentRules, 'web').steps).toEqual([]);
      expect(counts(model)).toEqual({ wanted: replicas, available: replicas });
    }),
    { numRuns: 150 },
  );
});
