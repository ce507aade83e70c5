import type { Millis } from './event.js';

/*
 * RFC 3339 in and out without `Date`, which carries the clock into the domain. The calendar arithmetic is the
 * days-from-civil method (years begin in March, so the leap day is the last).
 */

const DAY = 86_400_000;

function civilFromDays(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

function daysFromCivil(year: number, month: number, day: number): number {
  const marchYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

const pad = (value: number, digits = 2): string => String(value).padStart(digits, '0');

function parts(at: Millis): { date: string; clock: string; millis: number } {
  const days = Math.floor(at / DAY);
  const rest = at - days * DAY;
  const { year, month, day } = civilFromDays(days);
  const seconds = Math.floor(rest / 1000);
  return {
    date: `${pad(year, 4)}-${pad(month)}-${pad(day)}`,
    clock: `${pad(Math.floor(seconds / 3600))}:${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}`,
    millis: Math.floor(rest % 1000),
  };
}

/** Kubernetes' Time: whole seconds, UTC (`2026-11-22T10:00:00Z`). */
export function rfc3339(at: Millis): string {
  const { date, clock } = parts(at);
  return `${date}T${clock}Z`;
}

/** Kubernetes' MicroTime: six digits (`2026-11-22T10:00:00.123000Z`). */
export function rfc3339Micro(at: Millis): string {
  const { date, clock, millis } = parts(at);
  return `${date}T${clock}.${pad(millis, 3)}000Z`;
}

const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})$/;

/** The instant of an RFC 3339 time, whole milliseconds; `undefined` when it is none. */
export function parseRfc3339(text: string): Millis | undefined {
  const match = RFC3339.exec(text);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const days = daysFromCivil(year, month, day);
  const back = civilFromDays(days);
  if (back.month !== month || back.day !== day || hour > 23 || minute > 59 || second > 60) return undefined;
  const zone = match[8] ?? 'Z';
  const offset = /^[Zz]$/.test(zone)
    ? 0
    : (zone.startsWith('-') ? -1 : 1) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6)));
  const millis = Math.floor(Number(`0.${match[7] ?? '0'}`) * 1000);
  return days * DAY + ((hour * 60 + minute - offset) * 60 + second) * 1000 + millis;
}
