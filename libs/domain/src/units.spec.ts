import { bytesOf, cpuMillisOf, DomainError, hostPortsCollide, parseQuantity } from '#domain';

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
