import {
  bytesOf,
  cpuMillisOf,
  DomainError,
  hostPortsCollide,
  hostPortsOf,
  parseQuantity,
  podRequests,
  type Container,
} from '#domain';
import { aContainer, aPodSpec } from '../../../test/support/builders.js';

describe('quantities', () => {
  it.each([
    ['1', 1],
    [2, 2],
    ['500m', 0.5],
    ['64Mi', 64 * 2 ** 20],
    ['1e3', 1000],
    ['1.5Gi', 1.5 * 2 ** 30],
    ['-1', -1],
    ['.5', 0.5],
  ])('%j is %d', (quantity, value) => expect(parseQuantity(quantity)).toBeCloseTo(value, 9));

  it.each(['', 'abc', '1 Gi', '1KiB', '0x10', '--1'])('%j is refused', (quantity) =>
    expect(() => parseQuantity(quantity)).toThrow(DomainError),
  );

  it('round up to whole millicores and bytes, and no further', () => {
    expect(cpuMillisOf('0.07')).toBe(70);
    expect(cpuMillisOf('1u')).toBe(1);
    expect(bytesOf('1500m')).toBe(2);
  });
});

describe('host ports', () => {
  const port = (hostPort: number, hostIP = '0.0.0.0', protocol: 'TCP' | 'UDP' = 'TCP') => ({
    hostPort,
    hostIP,
    protocol,
  });

  it.each([
    [port(80), port(80), true],
    [port(80), port(80, '10.0.0.1'), true],
    [port(80, '10.0.0.2'), port(80, '10.0.0.1'), false],
    [port(80), port(80, '0.0.0.0', 'UDP'), false],
    [port(80), port(81), false],
  ])('%j and %j collide: %s', (a, b, collide) => expect(hostPortsCollide(a, b)).toBe(collide));
});

describe('what a pod asks of a node', () => {
  const asks = (name: string, cpu: string, over: Partial<Container> = {}): Container =>
    aContainer(name, { resources: { requests: { cpu, memory: cpu.replace('m', 'Mi') } }, ...over });
  const side = (name: string, cpu: string): Container => asks(name, cpu, { restartPolicy: 'Always' });
  const requests = (initContainers: readonly Container[], ...containers: Container[]) =>
    podRequests(aPodSpec({ containers, initContainers }));

  it.each<[string, readonly Container[], number]>([
    ['the sum of its containers', [], 300],
    ['more while a greedy init container runs', [asks('one', '500m')], 500],
    ['no more for modest ones', [asks('one', '100m'), asks('two', '250m')], 300],
    ['the sidecars too', [side('s', '50m'), side('t', '50m')], 400],
    ['an init container beside the sidecars before it', [side('s', '50m'), asks('one', '320m')], 370],
    ['an init container without the sidecars after it', [asks('one', '320m'), side('s', '50m')], 350],
  ])('is %s', (_, inits, cpuMillis) => {
    expect(requests(inits, asks('app', '200m'), asks('helper', '100m'))).toEqual({
      cpuMillis,
      memoryBytes: cpuMillis * 2 ** 20,
    });
  });

  it('has the host ports of its sidecars, not of its init containers', () => {
    const ports = (hostPort: number) => ({ ports: [{ containerPort: 80, hostPort }] });
    const initContainers = [aContainer('one', ports(1)), aContainer('side', { ...ports(2), restartPolicy: 'Always' })];
    const found = hostPortsOf(aPodSpec({ containers: [aContainer('app', ports(3))], initContainers }));
    expect(found.map(({ hostPort }) => hostPort)).toEqual([3, 2]);
  });
});
