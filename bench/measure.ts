/** Several measurements of one thing. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: percentile(values, 50), least: percentile(values, 0), most: percentile(values, 100) };
}

/** The smallest of the values that `percent` of them do not exceed (nearest rank). `NaN` of nothing. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? NaN;
}

/** Ours beside the limit, each measured in every round; the ratios are of the two figures of one round. */
export interface Comparison {
  readonly ours: readonly number[];
  readonly limit: readonly number[];
  /** Ours by limit. */
  readonly ratios: readonly number[];
}

/**
 * Measures ours and the limit in turns, the one first and then the other, so that what else the machine does meets both. A
 * first round that warms up is not counted.
 */
export async function interleave(
  rounds: number,
  ours: (round: number) => Promise<number>,
  limit: (round: number) => Promise<number>,
): Promise<Comparison> {
  const figures: { ours: number; limit: number }[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const measured =
      round % 2 === 0
        ? { ours: await ours(round), limit: await limit(round) }
        : await limit(round).then(async (first) => ({ ours: await ours(round), limit: first }));
    if (round > 0) figures.push(measured);
  }
  return {
    ours: figures.map((figure) => figure.ours),
    limit: figures.map((figure) => figure.limit),
    ratios: figures.map((figure) => figure.ours / figure.limit),
  };
}

/** Runs something and says how many seconds it took. */
export async function seconds(work: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
}

/** `median (least-most)`, with this many digits after the point. */
export function shown(values: readonly number[], digits = 0): string {
  const { median, least, most } = spreadOf(values);
  const text = (value: number): string =>
    value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${text(median)} (${text(least)}-${text(most)})`;
}

/** How a figure stands against what is to be reached: `to reach >= 0.5: reached`. */
export function judged(figure: number, bound: { readonly atLeast: number } | { readonly atMost: number }, unit = '') {
  const [reached, wanted] =
    'atLeast' in bound
      ? [figure >= bound.atLeast, `>= ${bound.atLeast}`]
      : [figure <= bound.atMost, `<= ${bound.atMost}`];
  return `to reach ${wanted}${unit}: ${reached ? 'reached' : 'MISSED'}`;
}
