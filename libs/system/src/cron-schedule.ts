import { Cron } from 'croner';
import type { ReadSchedule, CronSchedule } from '#domain';

const MACROS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

interface Field {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  readonly words?: readonly string[];
}

const FIELDS: readonly Field[] = [
  { name: 'minute', least: 0, most: 59 },
  { name: 'hour', least: 0, most: 23 },
  { name: 'day of month', least: 1, most: 31 },
  { name: 'month', least: 1, most: 12, words: MONTHS },
  { name: 'day of week', least: 0, most: 6, words: WEEKDAYS },
];

class BadSchedule extends Error {}

/**
 * Reads a schedule as Kubernetes writes it: five fields (`*`, `?`, numbers, names, ranges, steps, lists), `@hourly` and its like,
 * `@every 1h30m`. Without a time zone it is in UTC. Where clocks are put forward a time that does not exist that day comes
 * right after the gap; where they are put back a fixed time comes once.
 */
export const readSchedule: ReadSchedule = (text, timeZone = 'UTC') => {
  if (!isTimeZone(timeZone)) return { problem: `unknown time zone ${timeZone}`, of: 'timeZone' };
  try {
    const every = /^@every (.+)$/.exec(text);
    if (every) return { schedule: everySchedule(every[1] ?? '') };
    const cron = new Cron(normalized(text), { timezone: timeZone, paused: true, mode: '5-part' });
    return { schedule: { next: (after) => cron.nextRun(new Date(after))?.getTime() } };
  } catch (error) {
    if (error instanceof BadSchedule) return { problem: error.message, of: 'schedule' };
    throw error;
  }
};

/** Whether the machine's time zone database knows a name. */
function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** The five fields with every list written out: what is left to the library is the calendar, not the grammar. */
function normalized(text: string): string {
  const fields = (MACROS[text] ?? text).trim().split(/\s+/);
  if (text.startsWith('@') && !MACROS[text]) throw new BadSchedule(`unrecognized descriptor: ${text}`);
  if (fields.length !== FIELDS.length) {
    throw new BadSchedule(`expected exactly 5 fields, found ${text.trim() === '' ? 0 : fields.length}: [${text}]`);
  }
  return FIELDS.map((field, index) => writtenOut(fields[index] ?? '', field)).join(' ');
}

function writtenOut(text: string, field: Field): string {
  if (text === '*' || text === '?') return '*';
  const values = new Set(text.split(',').flatMap((part) => valuesOf(part, field)));
  return [...values].sort((a, b) => a - b).join(',');
}

function valuesOf(part: string, field: Field): number[] {
  const [range = '', stepText, ...more] = part.split('/');
  const [from = '', to, ...rest] = range.split('-');
  if (more.length > 0) throw new BadSchedule(`too many slashes: ${part}`);
  if (rest.length > 0) throw new BadSchedule(`too many hyphens: ${part}`);
  const step = stepText === undefined ? 1 : numberIn(stepText);
  if (step === 0) throw new BadSchedule(`step of range should be a positive number: ${part}`);
  const whole = range === '*' || range === '?';
  const first = whole ? field.least : valueIn(from, field);
  const last = whole || (to === undefined && stepText !== undefined) ? field.most : valueIn(to ?? from, field);
  if (first < field.least)
    throw new BadSchedule(`beginning of range (${first}) below minimum (${field.least}): ${part}`);
  if (last > field.most) throw new BadSchedule(`end of range (${last}) above maximum (${field.most}): ${part}`);
  if (first > last) throw new BadSchedule(`beginning of range (${first}) beyond end of range (${last}): ${part}`);
  return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, index) => first + index * step);
}

function valueIn(text: string, { words = [], least }: Field): number {
  const at = words.indexOf(text.toLowerCase());
  return at < 0 ? numberIn(text) : at + least;
}

function numberIn(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new BadSchedule(`failed to parse int from ${text}`);
  return Number(text);
}

const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };

/** At a fixed distance from the time before, in whole seconds, at least one. */
function everySchedule(text: string): CronSchedule {
  if (!/^(\d+(\.\d+)?(h|ms|m|s))+$/.test(text)) throw new BadSchedule(`failed to parse duration @every ${text}`);
  const ms = [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)].reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * (UNITS[unit ?? ''] ?? 0),
    0,
  );
  const distance = Math.max(1_000, Math.floor(ms / 1_000) * 1_000);
  return { next: (after) => Math.floor(after / 1_000) * 1_000 + distance };
}
