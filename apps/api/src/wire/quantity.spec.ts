import fc from 'fast-check';
import { quantityNanos } from './quantity.js';

describe('quantityNanos', () => {
  it.each([
    ['0.7', '700m'],
    ['1', '1000m'],
    ['1Ki', '1024'],
    ['64Mi', '67108864'],
    ['1e3', '1k'],
    ['1E3', '1000'],
    ['1.5Gi', '1610612736'],
    ['100n', '0.1u'],
    ['+5', '5.'],
    ['.5', '500m'],
    ['-1', '-1000m'],
    ['1E', '1000P'],
    ['12e-2', '120m'],
  ])('reads %s as %s', (a, b) => {
    expect(quantityNanos(a)).toBe(quantityNanos(b));
    expect(quantityNanos(a)).not.toBeUndefined();
  });

  it('rounds up what is less than a thousand-millionth', () => {
    expect(quantityNanos('0.0000000001')).toBe(1n);
    expect(quantityNanos('-0.0000000001')).toBe(-1n);
  });

  it.each([
    '',
    '.',
    'm',
    'lots',
    '1 ',
    '1mm',
    '1KI',
    '0x10',
    '1e',
    '--1',
    '1e1000',
    '1'.repeat(50),
    '1e99Ki',
    'NaN',
    'Infinity',
  ])('refuses %j', (text) => {
    expect(quantityNanos(text)).toBeUndefined();
  });

  it('keeps the order of numbers', () => {
    const decimal = fc
      .tuple(fc.integer({ min: -1_000_000, max: 1_000_000 }), fc.nat(3))
      .map(([digits, places]) => digits / 10 ** places);
    fc.assert(
      fc.property(decimal, decimal, (a, b) => {
        const [x, y] = [quantityNanos(a.toFixed(3)) ?? 0n, quantityNanos(b.toFixed(3)) ?? 0n];
        expect(Math.sign(Number(x - y))).toBe(Math.sign(Math.round((a - b) * 1000)));
      }),
    );
  });
});
