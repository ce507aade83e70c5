import { parseRfc3339, type Millis } from '#domain';

/**
 * How long something has lasted, in at most two units and as coarse as kubectl's users know it: `5s`, `3m10s`, `47h`, `9d`.
 * Source: HumanDuration of Kubernetes' apimachinery.
 */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes < 10) return twoUnits(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(minutes / 60);
  if (hours < 8) return twoUnits(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  const days = Math.trunc(hours / 24);
  if (days < 8) return twoUnits(days, 'd', hours % 24, 'h');
  if (days < 730) return `${days}d`;
  const years = Math.trunc(days / 365);
  if (days < 2920) return twoUnits(years, 'y', days % 365, 'd');
  return `${years}y`;
}

const twoUnits = (large: number, largeUnit: string, small: number, smallUnit: string): string =>
  small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`;

/** The age of an RFC 3339 time; `<unknown>` when it is none. */
export function ageOf(time: string | undefined, now: Millis): string {
  const since = time === undefined ? undefined : parseRfc3339(time);
  return since === undefined ? '<unknown>' : humanDuration(now - since);
}
