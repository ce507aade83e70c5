import type { FieldFault, Json } from '#domain';

/** What is wrong with a field, in Kubernetes' words. */

const quoted = (value: Json | undefined): string =>
  value === undefined ? 'null' : shortened(typeof value === 'string' ? JSON.stringify(value) : JSON.stringify(value));
const shortened = (text: string): string => (text.length <= 300 ? text : `${text.slice(0, 300)}...`);

export const required = (field: string, detail?: string): FieldFault => ({
  field,
  reason: 'FieldValueRequired',
  message: detail === undefined ? 'Required value' : `Required value: ${detail}`,
});

export const invalid = (field: string, value: Json | undefined, detail: string): FieldFault => ({
  field,
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${quoted(value)}: ${detail}`,
});

export const notSupported = (field: string, value: Json | undefined, supported: readonly string[]): FieldFault => ({
  field,
  reason: 'FieldValueNotSupported',
  message: `Unsupported value: ${quoted(value)}: supported values: ${[...supported]
    .sort()
    .map((one) => JSON.stringify(one))
    .join(', ')}`,
});

export const duplicate = (field: string, value: Json | undefined): FieldFault => ({
  field,
  reason: 'FieldValueDuplicate',
  message: `Duplicate value: ${quoted(value)}`,
});

export const forbidden = (field: string, detail: string): FieldFault => ({
  field,
  reason: 'FieldValueForbidden',
  message: `Forbidden: ${detail}`,
});

export const notFound = (field: string, value: Json): FieldFault => ({
  field,
  reason: 'FieldValueNotFound',
  message: `Not found: ${quoted(value)}`,
});

export const tooMany = (field: string, given: number, most: number): FieldFault => ({
  field,
  reason: 'FieldValueInvalid',
  message: `Too many: ${given}: must have at most ${most} items`,
});

export const tooLong = (field: string, most: number): FieldFault => ({
  field,
  reason: 'FieldValueTooLong',
  message: `Too long: may not be more than ${most} bytes`,
});

/** One fault per problem with a value. */
export const invalidFor = (field: string, value: Json, problems: readonly string[]): FieldFault[] =>
  problems.map((problem) => invalid(field, value, problem));

/** Nothing when `value` is one of the supported ones or absent. */
export const oneOf = (field: string, value: string | undefined, supported: readonly string[]): FieldFault[] =>
  value === undefined || supported.includes(value) ? [] : [notSupported(field, value, supported)];

export const notNegative = (field: string, value: number | undefined): FieldFault[] =>
  value !== undefined && value < 0 ? [invalid(field, value, 'must be greater than or equal to 0')] : [];

export const portInRange = (field: string, value: number): FieldFault[] =>
  value >= 1 && value <= 65535 ? [] : [invalid(field, value, 'must be between 1 and 65535, inclusive')];

/** The second and later places of a value that may stand only once. */
export function duplicates<T>(
  items: readonly T[],
  keyOf: (item: T) => Json | undefined,
  field: (index: number) => string,
): FieldFault[] {
  const seen = new Set<string>();
  return items.flatMap((item, index) => {
    const value = keyOf(item);
    if (value === undefined || value === '') return [];
    const key = JSON.stringify(value);
    if (seen.has(key)) return [duplicate(field(index), value)];
    seen.add(key);
    return [];
  });
}
