import type { Outcome } from './run.js';

/** Which seeds to run: `FROM` and `SEEDS` of the environment, or what is usual. */
export function seedsOf(
  env: Readonly<Record<string, string | undefined>>,
  usual: { readonly from: number; readonly count: number },
): { readonly from: number; readonly count: number } {
  const number = (name: string, otherwise: number): number => {
    const text = env[name];
    if (text === undefined) return otherwise;
    const value = Number(text);
    if (!Number.isInteger(value) || value < 0) throw new RangeError(`${name} must be a whole number, not ${text}`);
    return value;
  };
  return { from: number('FROM', usual.from), count: number('SEEDS', usual.count) };
}

export const summaryOf = ({ seed, steps, events, acknowledged, lastedMs, hash }: Outcome): string =>
  `seed ${seed}: ${steps} steps, ${events} events, ${acknowledged} acknowledged writes, ${lastedMs / 1000} s, trace ${hash}`;

/** Everything that is needed to look into a failure. */
export function explain(outcome: Outcome): string {
  const { seed, steps, violation, trace } = outcome;
  return [
    ...trace,
    summaryOf(outcome),
    `FAILED at step ${steps}: ${violation?.invariant}: ${violation?.message}`,
    `again: npm run simulate -- --seed ${seed}`,
  ].join('\n');
}
