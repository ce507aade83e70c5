import { badRequest } from '../wire-error.js';

/** One comparison of a field's text; all of a selector's must hold. */
export interface FieldRequirement {
  readonly field: string;
  readonly equal: boolean;
  readonly value: string;
}

export type FieldSelector = readonly FieldRequirement[];

/** Fields every kind can be selected by. */
const always: readonly string[] = ['metadata.name', 'metadata.namespace'];

/**
 * Reads `field=value,other!=value`; `=` and `==` are one. In values `\,`, `\=` and `\\` stand for themselves. Throws a
 * BadRequest `WireError` for another syntax and for a field that the kind is not selected by.
 */
export function parseFieldSelector(text: string, supported: readonly string[]): FieldSelector {
  if (text === '') return [];
  return terms(text)
    .filter((term) => term !== '')
    .map((term) => {
      const found = /^((?:[^\\=!]|\\.)*?)(==|!=|=)((?:[^\\=]|\\.)*)$/s.exec(term);
      if (!found)
        throw badRequest(`invalid selector: '${text.slice(0, 200)}'; can't understand '${term.slice(0, 200)}'`);
      const [, field = '', operator, value = ''] = found;
      if (!always.includes(field) && !supported.includes(field)) {
        throw badRequest(`field label not supported: ${field.slice(0, 200)}`);
      }
      return { field, equal: operator !== '!=', value: value.replace(/\\(.)/gs, '$1') };
    });
}

/** Splits at commas that no backslash hides. */
function terms(text: string): string[] {
  return text.match(/(?:[^\\,]|\\.|\\$)+/gs) ?? [];
}

/** Whether an object's fields satisfy a selector; an absent field is the empty text. */
export function matchesFields(selector: FieldSelector, valueOf: (field: string) => string | undefined): boolean {
  return selector.every(({ field, equal, value }) => ((valueOf(field) ?? '') === value) === equal);
}

/** The only name a selector can match, if it asks for one: such a list or watch concerns one object. */
export function selectedName(selector: FieldSelector): string | undefined {
  return selector.find(({ field, equal }) => field === 'metadata.name' && equal)?.value;
}
