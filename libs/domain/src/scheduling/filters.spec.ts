import { describe, expect, it } from '@jest/globals';
import { aNode, aPod, type NodeOptions, type PodOptions } from '../../../../test/support/scheduling-builders.js';
import { verdictOf } from './filters.js';
import { NodeInfo } from './node-info.js';
import { demandOf } from './pod-demand.js';
import { DEFAULT_POLICY } from './policy.js';

const notReady = { status: 'Unknown', reason: 'NodeStatusUnknown', message: '', since: 0 } as const;
const Mi = 2 ** 20;

const asks = (pod: PodOptions, node: NodeOptions = {}, resident?: PodOptions) => {
  const info = new NodeInfo('n1');
  info.state = aNode('n1', node);
  if (resident) info.add(demandOf(aPod('resident', resident).spec, DEFAULT_POLICY));
  return verdictOf(demandOf(aPod('web', pod).spec, DEFAULT_POLICY), info);
};

describe('verdictOf', () => {
  it.each<[string, PodOptions, NodeOptions, PodOptions?]>([
    ['asks for nothing', {}, {}],
    ['asks for exactly what is left', { cpu: '1500m', memory: '100Mi' }, { cpuMillis: 2000 }, { cpu: '500m' }],
    ['asks for no cpu on a node that is over its cpu', {}, { cpuMillis: 100 }, { cpu: '200m' }],
    [
      'selects a label the node has',
      { spec: { nodeSelector: { disk: 'ssd' } } },
      { meta: { labels: { disk: 'ssd' } } },
    ],
    [
      'tolerates the cordon',
      { spec: { tolerations: [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists' }] } },
      { unschedulable: true },
    ],
    [
      'tolerates the taint',
      { spec: { tolerations: [{ key: 'gpu', operator: 'Equal', value: 'a', effect: 'NoSchedule' }] } },
      { taints: [{ key: 'gpu', value: 'a', effect: 'NoSchedule' }] },
    ],
    ['meets a taint that only prefers', {}, { taints: [{ key: 'gpu', effect: 'PreferNoSchedule' }] }],
    ['wants the same host port on another protocol', { hostPort: 80 }, {}, { hostPort: 81 }],
    ['names this node', { spec: { nodeName: 'n1' } }, {}],
  ])('accepts a pod that %s', (_, pod, node, ...resident) => {
    expect(asks(pod, node, ...resident)).toBeUndefined();
  });

  it.each<[string, string, string[], PodOptions, NodeOptions, PodOptions?]>([
    ['a cordoned node', 'NodeUnschedulable', ['node(s) were unschedulable'], {}, { unschedulable: true }],
    [
      'another node than the one named',
      'NodeName',
      ["node(s) didn't match the requested node name"],
      { spec: { nodeName: 'n2' } },
      {},
    ],
    [
      'an untolerated taint',
      'TaintToleration',
      ['node(s) had untolerated taint {gpu: a}'],
      {},
      { taints: [{ key: 'gpu', value: 'a', effect: 'NoSchedule' }] },
    ],
    [
      'a NoExecute taint without a value',
      'TaintToleration',
      ['node(s) had untolerated taint {out: }'],
      {},
      { taints: [{ key: 'out', effect: 'NoExecute' }] },
    ],
    [
      'a label of another value',
      'NodeAffinity',
      ["node(s) didn't match Pod's node affinity/selector"],
      { spec: { nodeSelector: { disk: 'ssd' } } },
      { meta: { labels: { disk: 'hdd' } } },
    ],
    [
      'silence, whatever the pod tolerates',
      'NodeReady',
      ['node(s) were not ready'],
      { spec: { tolerations: [{ operator: 'Exists' }] } },
      { ready: notReady },
    ],
    ['a recorded loss', 'NodeReady', ['node(s) were not ready'], {}, { lost: true }],
    [
      'its own deletion',
      'NodeReady',
      ['node(s) were being deleted'],
      {},
      { meta: { deletion: { requestedAt: 1, propagation: 'Background', gracePeriodSeconds: 0 } } },
    ],
    [
      'a host port that is taken',
      'NodePorts',
      ["node(s) didn't have free ports for the requested pod ports"],
      { hostPort: 80 },
      {},
      { hostPort: 80 },
    ],
    ['too little cpu', 'NodeResourcesFit', ['Insufficient cpu'], { cpu: '501m' }, { cpuMillis: 1000 }, { cpu: '500m' }],
    [
      'too little of everything',
      'NodeResourcesFit',
      ['Too many pods', 'Insufficient cpu', 'Insufficient memory'],
      { cpu: '2', memory: '2Mi' },
      { cpuMillis: 1000, memoryBytes: Mi, pods: 0 },
    ],
    [
      'a resource that no node has',
      'NodeResourcesFit',
      ['Insufficient example.com/gpu'],
      {
        spec: {
          containers: [
            {
              name: 'app',
              image: 'i',
              imagePullPolicy: 'Always',
              resources: { requests: { 'example.com/gpu': 1, 'example.com/none': 0 } },
            },
          ],
        },
      },
      {},
    ],
  ])('refuses for %s', (_, filter, reasons, pod, node, ...resident) => {
    expect(asks(pod, node, ...resident)).toEqual({ filter, reasons });
  });

  it('refuses a node that is only a name in the specs of its pods', () => {
    expect(verdictOf(demandOf(aPod('web').spec, DEFAULT_POLICY), new NodeInfo('ghost'))).toEqual({
      filter: 'NodeReady',
      reasons: ['node(s) were not found'],
    });
  });
});
