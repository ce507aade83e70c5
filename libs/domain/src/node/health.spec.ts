import { describe, expect, it } from '@jest/globals';
import { aNode, aRunningPod, type NodeOptions, type PodOptions } from '../../../../test/support/scheduling-builders.js';
import type { PodState } from '../pod/pod.js';
import { assessNodes, hearMore, type Heard, type HealthInput, type HealthStep } from './health.js';
import type { NodeState } from './node.js';

const SECOND = 1_000;
const START = 1_000 * SECOND;

/** What is said of a node: how many seconds after the start it was last heard. */
interface Given extends NodeOptions {
  readonly heardAt?: number;
  /** What it said to be wrong. */
  readonly problem?: string;
  readonly outSince?: number;
  readonly heardEpoch?: number;
  readonly notReadySince?: number;
  readonly pods_?: readonly PodState[];
}
interface World extends Omit<Partial<HealthInput>, 'now' | 'nodes' | 'heard'> {
  readonly at: number;
}

function steps(nodes: Readonly<Record<string, Given>>, { at, ...more }: World): string[] {
  const heard = new Map<string, Heard>();
  const states: NodeState[] = [];
  for (const [name, given] of Object.entries(nodes)) {
    const { heardAt, heardEpoch = 1, problem, notReadySince, outSince, pods_: _, ...node } = given;
    const word = problem === undefined ? { ready: true } : { ready: false, problem };
    if (heardAt !== undefined) heard.set(name, { at: START + heardAt * SECOND, nodeEpoch: heardEpoch, ...word });
    const turned = (status: 'Unknown' | 'False', reason: string, since: number | undefined) =>
      since === undefined ? undefined : { status, reason, message: '', since: START + since * SECOND };
    const ready = turned('Unknown', '', notReadySince) ?? turned('False', 'KubeletNotReady', outSince);
    states.push(aNode(name, { ...node, ...(ready && { ready }) }));
  }
  return assessNodes({
    now: START + at * SECOND,
    listeningSince: START,
    nodes: states,
    podsOnNode: (name) => nodes[name]?.pods_ ?? [],
    heard,
    ...more,
  }).map(describeStep);
}

function describeStep(step: HealthStep): string {
  switch (step.type) {
    case 'NodeReady':
      return `ready ${step.node.meta.name}`;
    case 'NodeNotReady':
      return `not ready ${step.node.meta.name}: ${step.message}`;
    case 'NodeSilent':
      return `silent ${step.node.meta.name}`;
    case 'NodeLost':
      return `lost ${step.node.meta.name}`;
    case 'GiveUpPod':
      return `give up ${step.pod.meta.name}`;
    case 'SilentTogether':
      return `together ${step.nodes.join(',')} of ${step.total}`;
    case 'HeardAgain':
      return `heard again ${step.nodes.join(',')}`;
  }
}

const pod = (name: string, tolerationSeconds?: number, more: PodOptions = {}): PodState =>
  aRunningPod(name, 'n1', {
    ...more,
    spec:
      tolerationSeconds === undefined
        ? {}
        : {
            tolerations: [
              {
                key: 'node.kubernetes.io/unreachable',
                operator: 'Exists',
                effect: 'NoExecute',
                ...(tolerationSeconds !== Infinity && { tolerationSeconds }),
              },
            ],
          },
  });
const deletion = { requestedAt: 1, propagation: 'Background', gracePeriodSeconds: 30 } as const;
/** Nodes that are heard, so that no silence is a mass silence. */
const others = (at: number): Record<string, Given> => ({ n2: { heardAt: at }, n3: { heardAt: at } });

describe('assessNodes', () => {
  it('leaves nodes that are heard alone', () => {
    expect(steps({ n1: { heardAt: 20 } }, { at: 34.9 })).toEqual([]);
  });

  it('records a node as silent after 15 seconds, once', () => {
    expect(steps({ n1: { heardAt: 20 }, ...others(30) }, { at: 35 })).toEqual(['silent n1']);
    expect(steps({ n1: { heardAt: 20, notReadySince: 35 }, ...others(30) }, { at: 36 })).toEqual([]);
  });

  it('counts only the time in which it listened', () => {
    expect(steps({ n1: {}, ...others(13) }, { at: 14.9 })).toEqual([]);
    expect(steps({ n1: { heardAt: -100 }, ...others(13) }, { at: 14.9 })).toEqual([]);
    expect(steps({ n1: {}, ...others(13) }, { at: 15 })).toEqual(['silent n1']);
  });

  it('takes a node that is heard again for ready', () => {
    expect(steps({ n1: { heardAt: 20, notReadySince: 10 } }, { at: 20 })).toEqual(['ready n1']);
  });

  it('does not take a registration alone for readiness', () => {
    const input = { now: START, listeningSince: START, podsOnNode: () => [] };
    const joining = aNode('n1', { ready: { status: 'False', reason: 'NodeJoining', message: '', since: START } });
    const heard = (ready: boolean) => new Map([['n1', { at: START, nodeEpoch: 1, ready }]]);
    expect(assessNodes({ ...input, nodes: [joining], heard: heard(false) })).toEqual([]);
    expect(assessNodes({ ...input, nodes: [joining], heard: heard(true) }).map(describeStep)).toEqual(['ready n1']);
  });

  describe('of a node that says that it cannot run pods', () => {
    const problem = 'container runtime is down';

    it('records that once, whatever it was before', () => {
      expect(steps({ n1: { heardAt: 20, problem } }, { at: 20 })).toEqual([`not ready n1: ${problem}`]);
      expect(steps({ n1: { heardAt: 20, problem, notReadySince: 1 } }, { at: 20 })).toEqual([
        `not ready n1: ${problem}`,
      ]);
      expect(steps({ n1: { heardAt: 20, problem, outSince: 1 } }, { at: 20 })).toEqual([]);
    });

    it('gives up none of its pods', () => {
      const nodes = { n1: { heardAt: 1_000, problem, outSince: 1, pods_: [pod('a', 0)] }, ...others(1_000) };
      expect(steps(nodes, { at: 1_000 })).toEqual([]);
    });

    it('takes it for ready again at its word', () => {
      expect(steps({ n1: { heardAt: 20, outSince: 1 } }, { at: 20 })).toEqual(['ready n1']);
    });

    it('records its silence, and counts it among those that fall silent', () => {
      const out = { heardAt: 0, problem, outSince: -10 };
      expect(steps({ n1: out, ...others(15) }, { at: 15 })).toEqual(['silent n1']);
      expect(steps({ n1: out, n2: out, n3: { heardAt: 15 } }, { at: 15 })).toEqual([
        'together n1,n2 of 3',
        'silent n1',
        'silent n2',
      ]);
    });
  });

  it('does not hear an earlier epoch, nor a node whose loss is on record', () => {
    const stale = { nodeEpoch: 2, heardAt: 20, heardEpoch: 1, notReadySince: 10 };
    expect(steps({ n1: stale, ...others(20) }, { at: 20 })).toEqual([]);
    expect(steps({ n1: { ...stale, lost: true }, ...others(20) }, { at: 20 })).toEqual([]);
  });

  it('counts a later epoch against silence before the log has it, but not as readiness', () => {
    expect(steps({ n1: { nodeEpoch: 2, heardAt: 30, heardEpoch: 3 }, ...others(30) }, { at: 40 })).toEqual([]);
    const early = { nodeEpoch: 2, heardAt: 30, heardEpoch: 3, notReadySince: 10 };
    expect(steps({ n1: early, ...others(30) }, { at: 30 })).toEqual([]);
  });

  describe('gives pods up', () => {
    const silent = (at: number, pods: readonly PodState[], more: Given = {}) =>
      steps({ n1: { heardAt: 0, notReadySince: 15, pods_: pods, ...more }, ...others(at) }, { at });

    it('thirty seconds after their node fell silent, and fences the node before', () => {
      expect(silent(44.9, [pod('a')])).toEqual([]);
      expect(silent(45, [pod('a')])).toEqual(['lost n1', 'give up a']);
    });

    it('each at the end of its own toleration', () => {
      const pods = [pod('hasty', 0), pod('usual'), pod('patient', 300), pod('faithful', Infinity)];
      expect(silent(15, pods)).toEqual(['lost n1', 'give up hasty']);
      expect(silent(45, pods, { lost: true, nodeEpoch: 2 })).toEqual(['give up hasty', 'give up usual']);
      expect(silent(10_000, [pod('faithful', Infinity)])).toEqual([]);
    });

    it('not when they have ended', () => {
      expect(silent(45, [pod('done', undefined, { terminated: { phase: 'Succeeded', at: 1 } })])).toEqual([]);
    });

    it('when all that is missing is the word of the node that they are gone', () => {
      const going = { terminated: { phase: 'Succeeded', at: 1 }, meta: { deletion } } as const;
      expect(silent(45, [pod('going', undefined, going)])).toEqual(['lost n1', 'give up going']);
      const held = { ...going, meta: { deletion, finalizers: ['example.com/x'] } };
      expect(silent(45, [pod('held', undefined, held)])).toEqual([]);
    });

    it('whatever they tolerate, when they are being deleted', () => {
      expect(silent(45, [pod('going', Infinity, { meta: { deletion } })])).toEqual(['lost n1', 'give up going']);
    });

    it('no sooner because the scheduler that listened before had waited already', () => {
      const nodes = { n1: { notReadySince: -100, pods_: [pod('a')] }, ...others(44) };
      expect(steps(nodes, { at: 44 })).toEqual([]);
      expect(steps(nodes, { at: 45 })).toEqual(['lost n1', 'give up a']);
    });
  });

  describe('when more than half of the nodes fall silent together', () => {
    const pods_ = [pod('a', 0)];

    it('says so once and gives no pod up', () => {
      const nodes = { n1: { heardAt: 0, pods_ }, n2: { heardAt: 0 }, n3: { heardAt: 14 } };
      expect(steps(nodes, { at: 15 })).toEqual(['together n1,n2 of 3', 'silent n1', 'silent n2']);
    });

    it('counts nodes that are about to cross the limit too', () => {
      const nodes = { n1: { heardAt: 0, pods_ }, n2: { heardAt: 5 }, n3: { heardAt: 14 } };
      expect(steps(nodes, { at: 15 })).toEqual(['together n1,n2 of 3', 'silent n1']);
    });

    it('counts nodes that crossed it a moment ago', () => {
      const nodes = {
        n1: { heardAt: 0, notReadySince: 15, pods_: [pod('a')] },
        n2: { heardAt: 9 },
        n3: { heardAt: 20 },
      };
      expect(steps(nodes, { at: 24 })).toEqual(['together n1,n2 of 3', 'silent n2']);
    });

    it('does not count nodes that have been silent for long', () => {
      const nodes = {
        old: { notReadySince: -1_000 },
        older: { notReadySince: -2_000 },
        n1: { heardAt: 0, notReadySince: 15, pods_: [pod('a')] },
        n2: { heardAt: 44 },
      };
      expect(steps(nodes, { at: 45 })).toEqual(['lost n1', 'give up a']);
    });

    it.each<[string, Record<string, Given>]>([
      ['one node of one', { n1: { heardAt: 0, pods_ } }],
      ['one node of two', { n1: { heardAt: 0, pods_ }, n2: { heardAt: 14 } }],
      [
        'two nodes of four',
        { n1: { heardAt: 0, pods_ }, n2: { heardAt: 0 }, n3: { heardAt: 14 }, n4: { heardAt: 14 } },
      ],
    ])('is not said of %s', (_, nodes) => {
      expect(steps(nodes, { at: 15 })).toContain('give up a');
    });

    const silentTogether = { nodes: ['n1', 'n2'], total: 3 };
    const bothSilent = {
      n1: { heardAt: 0, notReadySince: 15, pods_: [pod('a')] },
      n2: { heardAt: 0, notReadySince: 15 },
    };

    it('goes on for as long as it lasts, also for a node that joins it', () => {
      expect(steps({ ...bothSilent, n3: { heardAt: 200 } }, { at: 200, silentTogether })).toEqual([]);
      expect(steps({ ...bothSilent, n3: { heardAt: 100, pods_ } }, { at: 200, silentTogether })).toEqual(['silent n3']);
    });

    it('is not ended by a takeover, which has heard nobody yet', () => {
      expect(steps({ n1: { notReadySince: -50 }, n2: { notReadySince: -50 } }, { at: 0, silentTogether })).toEqual([]);
    });

    it('ends when enough are heard again, and patience with the rest starts anew', () => {
      const nodes = { ...bothSilent, n2: { heardAt: 200, notReadySince: 15 }, n3: { heardAt: 200 } };
      expect(steps(nodes, { at: 200, silentTogether })).toEqual(['ready n2', 'heard again n2']);
      const after = { ...nodes, n2: { heardAt: 229 }, n3: { heardAt: 229 } };
      const heardAgainAt = START + 200 * SECOND;
      expect(steps(after, { at: 229, heardAgainAt })).toEqual([]);
      expect(steps(after, { at: 230, heardAgainAt })).toEqual(['lost n1', 'give up a']);
    });

    it('ends when the silent ones were deleted', () => {
      expect(steps({ n3: { heardAt: 200 } }, { at: 200, silentTogether })).toEqual(['heard again ']);
    });
  });
});

describe('hearMore', () => {
  const registered = { at: 2, nodeEpoch: 1, ready: false };

  it('lets a registration take nothing back that was said under its epoch', () => {
    expect(hearMore({ at: 1, nodeEpoch: 1, ready: true }, registered)).toEqual({ at: 2, nodeEpoch: 1, ready: true });
    const out = { at: 1, nodeEpoch: 1, ready: false, problem: 'no engine' };
    expect(hearMore(out, registered)).toEqual({ ...out, at: 2 });
  });

  it('forgets what an earlier epoch said, and does not hear it any more', () => {
    const early = { at: 1, nodeEpoch: 0, ready: true };
    expect(hearMore(early, registered)).toEqual(registered);
    expect(hearMore(registered, early)).toEqual(registered);
  });

  it('takes the newest word', () => {
    const out = { at: 1, nodeEpoch: 1, ready: false, problem: 'no engine' };
    const back = { at: 2, nodeEpoch: 1, ready: true };
    expect(hearMore(out, back)).toEqual(back);
    expect(hearMore(back, out)).toEqual(out);
  });
});
