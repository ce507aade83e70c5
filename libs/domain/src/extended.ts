/**
 * `{ ...base, ...more }` for what `base` lacks. To V8 each result of a spread that adds a property is of a class of its own:
 * on Node 20 that costs ten times as much as this, and makes slow whatever reads the result. A spread that only replaces
 * properties is the fastest of all.
 */
export const extended = <Base extends object, More extends object>(base: Base, more: More): Base & More =>
  Object.assign({}, base, more);
