import {
  assignmentDelta,
  bodyOfEvent,
  BrokenInvariant,
  ClusterState,
  namespaceStream,
  type NewEvent,
  nodeStream,
  podStream,
  type Recorded,
  replicaSetStream,
  wireOf,
} from '#domain';
import { aMeta, aNodeDescription, aPodSpec, aReplicaSetSpec } from '../../../../test/support/builders.js';
import { EPOCH, recorded } from '../../../../test/support/given.js';

/** A log in the making: appends to any stream with the right revision and version. */
class History {
  readonly events: Recorded[] = [];
  private readonly versions = new Map<string, number>();

  add(stream: string, ...events: NewEvent<string, unknown>[]): this {
    for (const event of events) {
      const version = (this.versions.get(stream) ?? 0) + 1;
      this.versions.set(stream, version);
      const revision = this.events.length + 1;
      const [next] = recorded(stream, [event], { revision, version, time: EPOCH + revision * 1000 });
      this.events.push(next as Recorded);
    }
    return this;
  }

  state(): ClusterState {
    const state = ClusterState.empty();
    for (const event of this.events) state.apply(event);
    return state;
  }
}

const web = podStream('shop', 'web');
const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'rs', uid: 'rs-uid', controller: true };
const requested = (over: Parameters<typeof aMeta>[0] = {}): NewEvent<string, unknown> => ({
  type: 'PodRequested',
  data: { ...aMeta(over), spec: aPodSpec(), mainContainer: 'app', sharedFate: true },
});
const scheduled = (node = 'n1'): NewEvent<string, unknown> => ({
  type: 'PodScheduled',
  data: { uid: 'uid-1', node, by: 'scheduler' },
});
const deleted = { type: 'PodDeleted', data: { uid: 'uid-1', reason: 'Requested' } };
const joined = {
  type: 'NodeJoined',
  data: { uid: 'n1-uid', nodeEpoch: 1, podCIDR: '10.1.0.0/24', description: aNodeDescription() },
};

const sample = (): History =>
  new History()
    .add(namespaceStream('shop'), { type: 'NamespaceRequested', data: aMeta({ uid: 'ns-uid' }) })
    .add(nodeStream('n1'), joined, { type: 'NodeBecameReady', data: { reason: 'KubeletReady', message: '' } })
    .add(
      replicaSetStream('shop', 'rs'),
      { type: 'ReplicaSetRequested', data: { ...aMeta({ uid: 'rs-uid' }), spec: aReplicaSetSpec() } },
      { type: 'ScaleRequested', data: { uid: 'rs-uid', replicas: 1, fieldManager: 'test' } },
    )
    .add(web, requested({ ownerReferences: [owner] }), scheduled());

describe('the cluster state', () => {
  it('refuses a gap in the revisions', () => {
    const [first, , third] = sample().events as [Recorded, Recorded, Recorded];
    const state = ClusterState.empty();
    state.apply(first);
    expect(() => state.apply(third)).toThrow(BrokenInvariant);
  });

  it('is the same, byte for byte, from a snapshot and the rest as from the beginning', () => {
    const history = sample().add(
      web,
      {
        type: 'PodTerminationRequested',
        data: { gracePeriodSeconds: 1, propagation: 'Background', reason: 'ScaledDown' },
      },
      deleted,
    );
    const whole = JSON.stringify(history.state().toSnapshot());
    for (let cut = 0; cut <= history.events.length; cut += 1) {
      const first = ClusterState.empty();
      for (const event of history.events.slice(0, cut)) first.apply(event);
      const second = ClusterState.fromSnapshot(JSON.parse(JSON.stringify(first.toSnapshot())));
      for (const event of history.events.slice(cut)) second.apply(event);
      expect(JSON.stringify(second.toSnapshot())).toBe(whole);
    }
  });

  it('finds objects by uid, node, owner and namespace, and forgets them with the object', () => {
    const history = sample();
    const state = history.state();
    expect(state.podByUid('uid-1')?.meta.name).toBe('web');
    expect(state.podsOnNode('n1')).toHaveLength(1);
    expect(state.dependentsOf('rs-uid').map(({ meta }) => meta.name)).toEqual(['web']);
    expect(state.inNamespace('shop').map(({ kind }) => kind)).toEqual(['ReplicaSet', 'Pod']);
    const after = history.add(web, deleted).state();
    expect(after.podByUid('uid-1')).toBeUndefined();
    expect(after.podsOnNode('n1')).toEqual([]);
    expect(after.dependentsOf('rs-uid')).toEqual([]);
    expect(after.inNamespace('shop').map(({ kind }) => kind)).toEqual(['ReplicaSet']);
  });

  it('keeps the version of a stream whose object is gone: a later object of the name continues it', () => {
    expect(sample().add(web, deleted).state().version(web)).toBe(3);
  });
});

describe('Kubernetes Events', () => {
  const reasons = (state: ClusterState): string[] =>
    [...state.events()].map((event) => String(bodyOfEvent(event)['reason']));

  it('are told of the pod and of its owner', () => {
    expect(reasons(sample().state())).toEqual(expect.arrayContaining(['Scheduled', 'SuccessfulCreate', 'NodeReady']));
  });

  it('of the same words about the same object are one, counted', () => {
    const failed = { type: 'PodSandboxFailed', data: { message: 'no address', retryAt: EPOCH } };
    const events = [...sample().add(web, failed, failed, failed).state().events()];
    expect(events.map(bodyOfEvent).filter(({ reason }) => reason === 'FailedCreatePodSandBox')).toMatchObject([
      { count: 3 },
    ]);
  });

  it('are listed in the order in which they came, and stay so in a snapshot', () => {
    const failed = (message: string) => ({ type: 'PodSandboxFailed', data: { message, retryAt: EPOCH } });
    const history = sample().add(web, failed('one'), failed('two'), failed('three'), failed('two'));
    const messages = (state: ClusterState): unknown[] =>
      state
        .list('Event', 'shop')
        .map((object) => (object.kind === 'Event' ? bodyOfEvent(object) : {}))
        .filter(({ reason }) => reason === 'FailedCreatePodSandBox')
        .map(({ message, count }) => [String(message).split(' ').at(-1), count]);
    const expected = [
      ['one', 1],
      ['two', 2],
      ['three', 1],
    ];
    expect(messages(history.state())).toEqual(expected);
    const restored = ClusterState.fromSnapshot(history.state().toSnapshot());
    history.add(web, failed('one'));
    restored.apply(history.events.at(-1) as Recorded);
    expect(messages(restored)).toEqual([['one', 2], ...expected.slice(1)]);
  });

  it('leave the view when they expire, those seen since stay', () => {
    const history = sample();
    const through = EPOCH + 3000;
    history.add('core/events//', { type: 'EventsExpired', data: { through } });
    const state = history.state();
    expect(reasons(state)).toEqual(expect.arrayContaining(['Scheduled', 'SuccessfulCreate']));
    expect(reasons(state)).not.toContain('NodeReady');
  });

  it('go with their namespace', () => {
    const history = sample().add(web, deleted);
    history.add(namespaceStream('shop'), { type: 'NamespaceDeleted', data: { uid: 'ns-uid' } });
    expect(history.state().list('Event', 'shop')).toEqual([]);
  });
});

describe('what a node is assigned', () => {
  it('is its pods, at the revision of the last change that matters to it', () => {
    const history = sample();
    expect(history.state().assignmentOf('n1')).toMatchObject({
      revision: 7,
      nodeEpoch: 1,
      pods: [{ key: { uid: 'uid-1' } }],
    });
    history.add(web, { type: 'ImagePullStarted', data: { container: 'app', image: 'busybox:1' } });
    expect(history.state().assignmentRevision('n1')).toBe(7);
    history.add(web, deleted);
    expect(history.state().assignmentOf('n1')).toMatchObject({ revision: 9, pods: [] });
  });

  it('is nothing once the node is deleted', () => {
    const history = sample().add(nodeStream('n1'), { type: 'NodeDeleted', data: { uid: 'n1-uid' } });
    expect(history.state().assignmentOf('n1').pods).toEqual([]);
  });

  it('changes by a delta that names the pod', () => {
    const history = sample();
    const last = history.events.at(-1) as Recorded;
    const state = ClusterState.empty();
    const changes = history.events.map((event) => state.apply(event)).at(-1) ?? [];
    expect(last.type).toBe('PodScheduled');
    expect(changes.map(assignmentDelta).filter(Boolean)).toMatchObject([
      { node: 'n1', uid: 'uid-1', upsert: { terminated: false } },
    ]);
  });
});

describe('the wire form', () => {
  it('carries the revision of the last event that changed it', () => {
    const pod = sample().state().get(web);
    expect(pod && wireOf(pod)).toMatchObject({
      apiVersion: 'v1',
      metadata: { name: 'web', namespace: 'shop', resourceVersion: '7', creationTimestamp: '2026-01-01T00:00:06Z' },
      spec: { nodeName: 'n1' },
      status: {
        phase: 'Pending',
        qosClass: 'BestEffort',
        containerStatuses: [{ state: { waiting: { reason: 'ContainerCreating' } } }],
      },
    });
  });
});
