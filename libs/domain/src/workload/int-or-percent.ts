/** A number of pods, or a share of those that are wanted: `3`, `"25%"`. */
export type IntOrPercent = number | string;

/** A number or percentage of `total` as a number of pods. Source: apimachinery, `GetScaledValueFromIntOrPercent`. */
export function scaledValue(value: IntOrPercent, total: number, round: 'up' | 'down'): number {
  if (typeof value === 'number') return value;
  const percent = /^(\d+)%$/.exec(value)?.[1];
  const share = (Number(percent ?? 0) * total) / 100;
  return round === 'up' ? Math.ceil(share) : Math.floor(share);
}
