import { DomainError, type Json, type JsonObject } from '#domain';

/** Turns something received into what it claims to be, or throws `DomainError` (BadRequest) naming the field at fault. */
export type Check<T> = (value: unknown, path: string) => T;

const fault = (path: string, expected: string): DomainError =>
  new DomainError('BadRequest', `${path}: must be ${expected}`, [
    { field: path, reason: 'FieldValueInvalid', message: `must be ${expected}` },
  ]);

/** A string of at most so many characters that the pattern matches, if one is given. */
export const text =
  (maxLength = 1_024, pattern?: RegExp): Check<string> =>
  (value, path) => {
    if (typeof value === 'string' && value.length <= maxLength && (pattern?.test(value) ?? true)) return value;
    throw fault(
      path,
      pattern ? `a string of the form ${pattern.source}` : `a string of at most ${maxLength} characters`,
    );
  };

/** A whole number from 0 to 2^53. */
export const count: Check<number> = (value, path) => {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw fault(path, 'a whole number, not negative');
};

export const flag: Check<boolean> = (value, path) => {
  if (typeof value === 'boolean') return value;
  throw fault(path, 'true or false');
};

export const oneOf =
  <const T extends string>(...values: readonly T[]): Check<T> =>
  (value, path) => {
    const found = values.find((known) => known === value);
    if (found !== undefined) return found;
    throw fault(path, `one of ${values.join(', ')}`);
  };

/** Absent stays absent. */
export const optional =
  <T>(check: Check<T>): Check<T | undefined> =>
  (value, path) =>
    value === undefined ? undefined : check(value, path);

export const list =
  <T>(check: Check<T>, maxItems = 100_000): Check<readonly T[]> =>
  (value, path) => {
    if (!Array.isArray(value) || value.length > maxItems) throw fault(path, `a list of at most ${maxItems}`);
    return value.map((item, index) => check(item, `${path}[${index}]`));
  };

/** Any JSON object. What came through the codec is JSON already; only its outermost form is looked at. */
export const object: Check<JsonObject> = (value, path) => {
  if (isObject(value)) return value;
  throw fault(path, 'an object');
};

/** An object whose keys are anything and whose values are all alike. */
export const dictionary =
  <T extends Json>(check: Check<T>): Check<Readonly<Record<string, T>>> =>
  (value, path) =>
    Object.fromEntries(Object.entries(object(value, path)).map(([key, item]) => [key, check(item, `${path}.${key}`)]));

/** An object with these fields. Others are left out, so that a newer sender may say more than we understand. */
export function shape<T extends object>(fields: { readonly [K in keyof T]-?: Check<T[K]> }): Check<T>;
export function shape(fields: Readonly<Record<string, Check<unknown>>>): Check<object> {
  const known = Object.entries(fields);
  return (value, path) => {
    const source = object(value, path);
    const pairs = known.map(([key, check]) => [key, check(source[key], `${path}.${key}`)] as const);
    return Object.fromEntries(pairs.filter(([, item]) => item !== undefined));
  };
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
