import { badRequest, invalidOption } from '../status-error.js';

/** Who writes, and how. */
export interface WriteOptions {
  /** Everything is checked, nothing is stored. */
  readonly dryRun: boolean;
  /** What is to become of unknown and repeated fields. */
  readonly fieldValidation: 'Strict' | 'Warn' | 'Ignore';
  /** Recorded as the owner of the fields written. */
  readonly fieldManager: string;
}

export interface WriteQuery {
  readonly dryRun?: readonly string[];
  readonly fieldValidation?: string;
  readonly fieldManager?: string;
}

/** Kubernetes' bound on manager names, in characters. */
const maxManager = 128;

/** Reads a write's query parameters. Without a manager it is the first word of the User-Agent. Throws 422 on other values. */
export function writeOptions(query: WriteQuery, userAgent: string | undefined): WriteOptions {
  return {
    dryRun: isDryRun(query.dryRun),
    fieldValidation: fieldValidationOf(query.fieldValidation),
    fieldManager: fieldManagerOf(query.fieldManager, userAgent),
  };
}

/** `dryRun=All` is the only value there is. */
export function isDryRun(values: readonly string[] = []): boolean {
  const unknown = values.find((value) => value !== 'All' && value !== '');
  if (unknown !== undefined || values.filter((value) => value === 'All').length > 1)
    throw invalidOption(
      'Options',
      'dryRun',
      `Unsupported value: ${JSON.stringify(values.join(','))}: supported values: "All"`,
    );
  return values.includes('All');
}

function fieldValidationOf(value: string | undefined): WriteOptions['fieldValidation'] {
  switch (value) {
    case undefined:
    case '':
      return 'Warn';
    case 'Strict':
    case 'Warn':
    case 'Ignore':
      return value;
    default:
      throw invalidOption(
        'Options',
        'fieldValidation',
        `Unsupported value: ${JSON.stringify(value)}: supported values: "Ignore", "Strict", "Warn"`,
      );
  }
}

function fieldManagerOf(given: string | undefined, userAgent: string | undefined): string {
  if (given) {
    if (given.length > maxManager)
      throw invalidOption('Options', 'fieldManager', `Too long: may not be more than ${maxManager} bytes`);
    if (!/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]+$/u.test(given))
      throw invalidOption('Options', 'fieldManager', 'Invalid value: should only contain printable characters');
    return given;
  }
  const word = (userAgent ?? '')
    .split('/')[0]
    ?.replace(/[^\x20-\x7e]/g, '')
    .slice(0, maxManager);
  return word || 'unknown';
}

/** A whole number among the query parameters. Throws 400 on anything else. */
export function integerOption(name: string, text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (!/^-?\d{1,15}$/.test(text))
    throw badRequest(`Invalid value: ${JSON.stringify(text)}: ${name} must be a whole number`);
  return Number(text);
}

/** A yes or no among the query parameters, as Go's strconv.ParseBool reads it; `false` when absent. Throws 400 on anything else. */
export function booleanOption(name: string, text: string | undefined): boolean {
  if (text === undefined || text === '') return false;
  if (/^(1|t|T|true|TRUE|True)$/.test(text)) return true;
  if (/^(0|f|F|false|FALSE|False)$/.test(text)) return false;
  throw badRequest(`Invalid value: ${JSON.stringify(text)}: ${name} must be true or false`);
}
