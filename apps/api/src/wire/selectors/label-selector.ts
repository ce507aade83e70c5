import type { Wire } from '../schema/wire-type.js';
import { labelKeyProblems, labelValueProblems } from '../validation/names.js';
import { badRequest } from '../wire-error.js';

/** One requirement on labels; all of a selector's must hold. */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values: readonly string[];
}

/** A conjunction; the empty one matches everything. */
export type LabelSelector = readonly LabelRequirement[];

type Labels = Readonly<Record<string, string>>;

/** Whether labels satisfy a selector. */
export function matchesLabels(selector: LabelSelector, labels: Labels = {}): boolean {
  return selector.every(({ key, operator, values }) => {
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
    switch (operator) {
      case 'Exists':
        return value !== undefined;
      case 'DoesNotExist':
        return value === undefined;
      case 'In':
        return value !== undefined && values.includes(value);
      case 'NotIn':
        return value === undefined || !values.includes(value);
    }
  });
}

/** Requirements one selector may have: bounds the work per object. */
const maxRequirements = 1000;

/**
 * Reads the text form: `a=b,c!=d,e in (f,g),h notin (i),j,!k`. Throws a BadRequest `WireError` with what could not be
 * read. https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
 */
export function parseLabelSelector(text: string): LabelSelector {
  const tokens = tokenize(text);
  const selector: LabelRequirement[] = [];
  if (tokens.length === 0) return selector;
  let at = 0;
  const peek = (): string | undefined => tokens[at];
  const next = (): string | undefined => tokens[at++];
  for (;;) {
    selector.push(requirement(next, peek, text));
    if (selector.length > maxRequirements) throw unreadable(text, 'too many requirements');
    const separator = next();
    if (separator === undefined) return selector;
    if (separator !== ',') throw unreadable(text, `found '${separator}', expected: ',' or 'end of string'`);
  }
}

type Take = () => string | undefined;

function requirement(next: Take, peek: Take, text: string): LabelRequirement {
  const first = next();
  if (first === '!') return checked({ key: identifier(next(), text), operator: 'DoesNotExist', values: [] }, text);
  const key = identifier(first, text);
  const operator = peek();
  if (operator === undefined || operator === ',') return checked({ key, operator: 'Exists', values: [] }, text);
  next();
  switch (operator) {
    case '=':
    case '==':
      return checked({ key, operator: 'In', values: [value(next, peek)] }, text);
    case '!=':
      return checked({ key, operator: 'NotIn', values: [value(next, peek)] }, text);
    case 'in':
      return checked({ key, operator: 'In', values: set(next, peek, text) }, text);
    case 'notin':
      return checked({ key, operator: 'NotIn', values: set(next, peek, text) }, text);
    default:
      throw unreadable(text, `found '${operator}', expected: in, notin, =, ==, !=`);
  }
}

function identifier(token: string | undefined, text: string): string {
  if (token === undefined || symbols.has(token)) throw unreadable(text, `found '${token ?? ''}', expected: identifier`);
  return token;
}

/** An absent value is the empty one: `a=` and `a=,b`. */
function value(next: Take, peek: Take): string {
  const token = peek();
  if (token === undefined || token === ',' || token === ')') return '';
  return next() ?? '';
}

function set(next: Take, peek: Take, text: string): string[] {
  const open = next();
  if (open !== '(') throw unreadable(text, `found '${open ?? ''}' expected: '('`);
  const values = new Set<string>();
  for (;;) {
    values.add(value(next, peek));
    const token = next();
    if (token === ')') return [...values].sort();
    if (token !== ',') throw unreadable(text, `found '${token ?? ''}', expected: ',' or ')'`);
  }
}

const symbols: ReadonlySet<string> = new Set(['(', ')', ',', '!', '=', '==', '!=']);

function tokenize(text: string): string[] {
  return text.match(/==|!=|[=!(),]|[^\s=!(),]+/g) ?? [];
}

function checked(requirement: LabelRequirement, text: string): LabelRequirement {
  const problem =
    labelKeyProblems(requirement.key)[0] ?? requirement.values.flatMap((candidate) => labelValueProblems(candidate))[0];
  if (problem) throw unreadable(text, problem);
  return requirement;
}

const unreadable = (text: string, problem: string) =>
  badRequest(`unable to parse requirement: ${problem} in ${JSON.stringify(text.slice(0, 200))}`);

const operators: ReadonlySet<string> = new Set(['In', 'NotIn', 'Exists', 'DoesNotExist']);
const isOperator = (operator: string): operator is LabelRequirement['operator'] => operators.has(operator);

/** The same from the object form that specs carry. Throws a BadRequest `WireError` on an operator that there is not. */
export function labelSelectorOf(selector: Wire<'meta.v1.LabelSelector'>): LabelSelector {
  const equal = Object.entries(selector.matchLabels ?? {}).map(([key, value]): LabelRequirement => ({
    key,
    operator: 'In',
    values: [value],
  }));
  const expressions = (selector.matchExpressions ?? []).map(({ key = '', operator = '', values = [] }) => {
    if (!isOperator(operator)) throw badRequest(`${JSON.stringify(operator)} is not a valid label selector operator`);
    return { key, operator, values };
  });
  return [...equal, ...expressions];
}

/** The text form of a selector, as `Scale.status.selector` carries it. */
export function formatLabelSelector(selector: LabelSelector): string {
  return selector
    .map(({ key, operator, values }) => {
      switch (operator) {
        case 'Exists':
          return key;
        case 'DoesNotExist':
          return `!${key}`;
        case 'In':
          return values.length === 1 ? `${key}=${values[0] ?? ''}` : `${key} in (${values.join(',')})`;
        case 'NotIn':
          return values.length === 1 ? `${key}!=${values[0] ?? ''}` : `${key} notin (${values.join(',')})`;
      }
    })
    .join(',');
}
