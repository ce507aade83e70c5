/** Completion indexes as ascending, disjoint, closed intervals that do not touch. */
export type Indexes = readonly (readonly [first: number, last: number])[];

/** Reads `0-3,7`; what is no such list of ascending numbers gives `undefined`. */
export function parseIndexes(text: string): Indexes | undefined {
  if (text === '') return [];
  const intervals: [number, number][] = [];
  for (const part of text.split(',')) {
    const match = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(part);
    if (!match) return undefined;
    const first = Number(match[1]);
    const last = match[2] === undefined ? first : Number(match[2]);
    const before = intervals.at(-1);
    if (last < first || (before && first <= before[1])) return undefined;
    if (before && before[1] + 1 === first) before[1] = last;
    else intervals.push([first, last]);
  }
  return intervals;
}

/** Writes `0-3,7`; two neighbours are written `1,2`, as Kubernetes does. */
export const formatIndexes = (indexes: Indexes): string =>
  indexes
    .map(([first, last]) => (first === last ? `${first}` : `${first}${last === first + 1 ? ',' : '-'}${last}`))
    .join(',');

export const countIndexes = (indexes: Indexes): number =>
  indexes.reduce((sum, [first, last]) => sum + last - first + 1, 0);

export const hasIndex = (indexes: Indexes, index: number): boolean =>
  indexes.some(([first, last]) => first <= index && index <= last);

/** Both together. */
export function uniteIndexes(a: Indexes, b: Indexes): Indexes {
  const united: [number, number][] = [];
  for (const [first, last] of [...a, ...b].sort((one, other) => one[0] - other[0])) {
    const before = united.at(-1);
    if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else united.push([first, last]);
  }
  return united;
}

/** Those of `a` that are also in `b`. */
export function commonIndexes(a: Indexes, b: Indexes): Indexes {
  return a.flatMap(([first, last]) =>
    b.flatMap(([otherFirst, otherLast]): Indexes => {
      const from = Math.max(first, otherFirst);
      const to = Math.min(last, otherLast);
      return from <= to ? [[from, to]] : [];
    }),
  );
}

/** Those below a limit. */
export const indexesBelow = (indexes: Indexes, limit: number): Indexes =>
  limit > 0 ? commonIndexes(indexes, [[0, limit - 1]]) : [];

/** The lowest numbers below `limit` that are not among `taken`, at most `count`. */
export function freeIndexes(taken: Indexes, limit: number, count: number): number[] {
  const free: number[] = [];
  let next = 0;
  for (const [first, last] of [...taken, [limit, limit] as const]) {
    for (; next < Math.min(first, limit); next += 1) {
      if (free.length >= count) return free;
      free.push(next);
    }
    next = Math.max(next, last + 1);
  }
  return free;
}

/** Single numbers as intervals. */
export const indexesOf = (numbers: Iterable<number>): Indexes =>
  uniteIndexes(
    [...numbers].map((number) => [number, number] as const),
    [],
  );
