import type { Json } from '#domain';
import { isJsonObject, member } from './json-members.js';

/**
 * A merged list in the order strategic merge patch asks for: elements named in `order` stand in that order, the others
 * in the order they had before; one of the others precedes a named one only where it did so before.
 */
export function merged(
  list: readonly Json[],
  before: readonly Json[],
  order: readonly Json[],
  mergeKey: string | undefined,
): readonly Json[] {
  const keyOf = (element: Json): string => keyText(element, mergeKey);
  const rankIn = (elements: readonly Json[]): ReadonlyMap<string, number> =>
    new Map([...elements].map((element, index) => [keyOf(element), index] as const).reverse());
  const wanted = rankIn(order);
  const previous = rankIn(before);
  const rank = (ranks: ReadonlyMap<string, number>, element: Json): number => ranks.get(keyOf(element)) ?? Infinity;
  const sorted = (elements: readonly Json[], ranks: ReadonlyMap<string, number>): Json[] =>
    [...elements].sort((a, b) => compare(rank(ranks, a), rank(ranks, b)));

  const named = sorted(
    list.filter((element) => wanted.has(keyOf(element))),
    wanted,
  );
  const others = sorted(
    list.filter((element) => !wanted.has(keyOf(element))),
    previous,
  );
  const result: Json[] = [];
  let at = 0;
  for (const element of named) {
    const place = previous.get(keyOf(element));
    for (let other = others[at]; other !== undefined && place !== undefined; other = others[at]) {
      if (rank(previous, other) >= place) break;
      result.push(other);
      at += 1;
    }
    result.push(element);
  }
  return [...result, ...others.slice(at)];
}

const compare = (a: number, b: number): number => (a === b ? 0 : a < b ? -1 : 1);

/** What tells an element apart: its merge key, or the whole of a plain value. */
export function keyText(element: Json, mergeKey: string | undefined): string {
  const key = mergeKey !== undefined && isJsonObject(element) ? member(element, mergeKey) : element;
  return JSON.stringify(key ?? null);
}
