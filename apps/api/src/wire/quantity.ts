/**
 * Kubernetes' quantities, exactly: `0.7` and `700m` are equal, which binary fractions would not say.
 * https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 */
const pattern = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3})|([numkMGTPE]|[KMGTPE]i))?$/;

/** What Kubernetes answers to anything else. */
export const quantityPattern =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

const decimal: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const binary: Readonly<Record<string, bigint>> = {
  Ki: 1n << 10n,
  Mi: 1n << 20n,
  Gi: 1n << 30n,
  Ti: 1n << 40n,
  Pi: 1n << 50n,
  Ei: 1n << 60n,
};

/** Digits and powers of ten beyond which nothing real is measured; they bound the arithmetic. */
const maxDigits = 40;
const maxExponent = 40;

/** A quantity's value in thousand-millionths of its base unit, rounded away from zero as Kubernetes rounds; `undefined` when the text is no quantity. */
export function quantityNanos(text: string): bigint | undefined {
  const found = pattern.exec(text);
  if (!found) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0', suffix = ''] = found;
  if (whole.length + fraction.length === 0 || whole.length + fraction.length > maxDigits) return undefined;
  const powerOfTen = Number(exponent) + (decimal[suffix] ?? 0) - fraction.length + 9;
  if (Math.abs(powerOfTen) > maxExponent + maxDigits) return undefined;
  const digits = BigInt(whole + fraction) * (binary[suffix] ?? 1n);
  const magnitude = powerOfTen >= 0 ? digits * 10n ** BigInt(powerOfTen) : divideUp(digits, 10n ** BigInt(-powerOfTen));
  return sign === '-' ? -magnitude : magnitude;
}

const divideUp = (value: bigint, by: bigint): bigint => (value + by - 1n) / by;
