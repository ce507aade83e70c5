import { aContainer } from '../../../../test/support/builders.js';
import { anAssignedPod } from '../../../../test/support/model-engine.js';
import type { AssignedPod } from '../node/assigned-pod.js';
import type { Container } from '../pod/pod-spec.js';
import { admission, refuseAdmission } from './admit.js';

const allocatable = { cpuMillis: 2000, memoryBytes: 1000, pods: 3 };
const podOf = (over: Partial<Container>): AssignedPod => anAssignedPod({ containers: [aContainer('app', over)] });
const asking = (requests: Record<string, string>): AssignedPod => podOf({ resources: { requests } });
const onPort = (hostPort: number, hostIP?: string): AssignedPod =>
  podOf({ ports: [{ containerPort: 80, hostPort, ...(hostIP && { hostIP }) }] });

describe('admission on the node', () => {
  it.each([
    ['takes what fits exactly', asking({ cpu: '1', memory: '400' }), [asking({ cpu: '1', memory: '600' })], undefined],
    ['refuses cpu that is not there', asking({ cpu: '1001m' }), [asking({ cpu: '1' })], 'OutOfcpu'],
    ['refuses memory that is not there', asking({ memory: '401' }), [asking({ memory: '600' })], 'OutOfmemory'],
    ['takes a pod that asks for nothing on a full node', asking({}), [asking({ cpu: '2', memory: '1000' })], undefined],
    ['refuses one pod too many', asking({}), [asking({}), asking({}), asking({})], 'OutOfpods'],
    ['refuses a host port that is taken', onPort(80), [onPort(80)], 'NodePorts'],
    ['refuses a host port taken on every address', onPort(80, '127.0.0.1'), [onPort(80)], 'NodePorts'],
    ['takes the same port on another address', onPort(80, '127.0.0.1'), [onPort(80, '127.0.0.2')], undefined],
  ])('%s', (_, pod, others, reason) => {
    expect(refuseAdmission(pod, others, allocatable)?.reason).toBe(reason);
  });

  const [half, whole] = [asking({ cpu: '1' }), asking({ cpu: '2' })];
  it.each([
    ['begins beside those that leave when there is room for all', half, { staying: [], leaving: [half] }, 'begin'],
    ['waits for those that leave when it needs their place', half, { staying: [], leaving: [whole] }, 'wait'],
    ['waits for a host port that is still taken', onPort(80), { staying: [half], leaving: [onPort(80)] }, 'wait'],
  ])('%s', (_, pod, others, expected) => {
    expect(admission(pod, others, allocatable)).toBe(expected);
  });

  it('is refused for those that stay, whoever leaves', () => {
    const others = { staying: [whole], leaving: [half] };
    expect(admission(half, others, allocatable)).toMatchObject({ reason: 'OutOfcpu' });
  });
});
