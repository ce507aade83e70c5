import type { Json, JsonObject } from '#domain';
import { mergeRule, type MergeRule } from '../schema/merge-rules.js';
import { schemaOf, type Shape } from '../schema/schema.js';
import type { TypeId } from '../schema/wire-type.js';
import { badRequest } from '../wire-error.js';
import { isJsonList, isJsonObject, member, ownMembers, setOwn, without } from './json-members.js';
import { keyText, merged } from './merge-order.js';

const directive = '$patch';
const retainKeys = '$retainKeys';
const setElementOrder = '$setElementOrder/';
const deleteFromPrimitiveList = '$deleteFromPrimitiveList/';

/**
 * Strategic merge patch: maps merge, `null` removes, lists with a merge key merge by it and others are replaced. The
 * directives `$patch` (replace, delete, merge), `$retainKeys`, `$setElementOrder/<list>` and
 * `$deleteFromPrimitiveList/<list>` are obeyed and never stored. Throws a BadRequest `WireError` for a patch that cannot
 * be read. https://git.k8s.io/community/contributors/devel/sig-api-machinery/strategic-merge-patch.md
 */
export function strategicMergePatch(type: TypeId, current: JsonObject, patch: Json): JsonObject {
  if (!isJsonObject(patch)) throw badRequest('a strategic merge patch must be an object');
  return mergeObject({ is: 'type', type }, current, patch);
}

/** What the schema says of a member; nothing of members it does not know, which merge as plain JSON. */
interface Known {
  readonly shape?: Shape;
  readonly rule?: MergeRule;
}

function known(of: Shape | undefined, key: string): Known {
  if (of?.is === 'map') return { shape: of.of };
  if (of?.is !== 'type') return {};
  const shape = schemaOf(of.type).fields.get(key)?.shape;
  const rule = mergeRule(of.type, key);
  return { ...(shape ? { shape } : {}), ...(rule ? { rule } : {}) };
}

function mergeObject(of: Shape | undefined, current: JsonObject, patch: JsonObject): JsonObject {
  switch (member(patch, directive)) {
    case undefined:
    case 'merge':
      break;
    case 'replace':
      return withoutDirectives(without(patch, directive));
    case 'delete':
      return {};
    default:
      throw badRequest(`unrecognized value of ${directive}: ${JSON.stringify(patch[directive])}`);
  }
  const result = retained(current, patch);
  for (const [key, value] of Object.entries(patch)) {
    if (value === undefined || key === directive || key === retainKeys || key.startsWith(setElementOrder)) continue;
    if (key.startsWith(deleteFromPrimitiveList)) {
      const name = key.slice(deleteFromPrimitiveList.length);
      const list = member(result, name);
      if (isJsonList(list)) setOwn(result, name, minus(list, listOf(value, key)));
    } else if (value === null) {
      delete result[key];
    } else {
      const order = member(patch, setElementOrder + key);
      setOwn(result, key, mergeValue(known(of, key), member(result, key), value, order));
    }
  }
  reorder(of, result, patch);
  return result;
}

/** A copy without the members that `$retainKeys` does not name; what the patch sets must be among those it names. */
function retained(current: JsonObject, patch: JsonObject): Record<string, Json> {
  const named = member(patch, retainKeys);
  if (named === undefined) return ownMembers(current, () => true);
  const keep = new Set(listOf(named, retainKeys));
  for (const [key, value] of Object.entries(patch)) {
    if (!key.startsWith('$') && value !== null && !keep.has(key)) {
      throw badRequest(`${retainKeys} does not name ${JSON.stringify(key)}, which the patch sets`);
    }
  }
  return ownMembers(current, (key) => keep.has(key));
}

/** Lists that the patch only orders. */
function reorder(of: Shape | undefined, result: Record<string, Json>, patch: JsonObject): void {
  for (const [key, order] of Object.entries(patch)) {
    if (!key.startsWith(setElementOrder) || order === undefined) continue;
    const name = key.slice(setElementOrder.length);
    const list = member(result, name);
    if (Object.hasOwn(patch, name) || !isJsonList(list)) continue;
    const { rule } = known(of, name);
    if (rule?.patchStrategy) setOwn(result, name, merged(list, list, listOf(order, key), rule.mergeKey));
  }
}

function mergeValue({ shape, rule }: Known, current: Json | undefined, patch: Json, order: Json | undefined): Json {
  if (isJsonObject(patch)) {
    return isJsonObject(current) ? mergeObject(shape, current, patch) : mergeObject(shape, {}, patch);
  }
  if (!isJsonList(patch)) return patch;
  const elements = shape?.is === 'list' ? shape.of : undefined;
  if (!rule?.patchStrategy) return patch.filter((element) => !isDirective(element)).map(strip);
  const before = isJsonList(current) ? current : [];
  const named = order === undefined ? undefined : listOf(order, setElementOrder);
  return rule.mergeKey === undefined
    ? mergeSet(before, patch, named)
    : mergeByKey(elements, before, patch, named, rule.mergeKey);
}

function mergeSet(current: readonly Json[], patch: readonly Json[], order: readonly Json[] | undefined): Json {
  const present = new Set(current.map((value) => keyText(value, undefined)));
  const added = patch.filter((value) => {
    const key = keyText(value, undefined);
    return !present.has(key) && present.add(key);
  });
  return merged([...current, ...added], current, order ?? patch, undefined);
}

function mergeByKey(
  of: Shape | undefined,
  current: readonly Json[],
  patch: readonly Json[],
  order: readonly Json[] | undefined,
  mergeKey: string,
): Json {
  const elements = patch.map((element) => keyed(element, mergeKey));
  const replace = elements.some((element) => member(element, directive) === 'replace');
  const plain = elements.filter((element) => member(element, directive) === undefined);
  const gone = new Set(
    elements.filter((element) => member(element, directive) === 'delete').map((element) => keyText(element, mergeKey)),
  );
  const result = replace ? [] : current.filter((element) => !gone.has(keyText(element, mergeKey)));
  const places = new Map(result.map((element, index) => [keyText(element, mergeKey), index]));
  for (const element of plain) {
    const at = places.get(keyText(element, mergeKey)) ?? result.length;
    const before = result[at];
    result[at] = mergeObject(of, isJsonObject(before) ? before : {}, element);
    places.set(keyText(element, mergeKey), at);
  }
  return merged(result, current, order ?? plain, mergeKey);
}

/** An element of a keyed list. Only a `replace` directive may stand without the key. */
function keyed(element: Json, mergeKey: string): JsonObject {
  if (!isJsonObject(element))
    throw badRequest(`an element of a list merged by ${JSON.stringify(mergeKey)} is not an object`);
  const named = member(element, directive);
  if (named !== undefined && named !== 'delete' && named !== 'replace' && named !== 'merge') {
    throw badRequest(`unrecognized value of ${directive}: ${JSON.stringify(named)}`);
  }
  if (named !== 'replace' && member(element, mergeKey) == null) {
    throw badRequest(`map: an element does not contain declared merge key: ${mergeKey}`);
  }
  return named === 'merge' ? without(element, directive) : element;
}

function minus(list: readonly Json[], gone: readonly Json[]): Json {
  const keys = new Set(gone.map((value) => keyText(value, undefined)));
  return list.filter((value) => !keys.has(keyText(value, undefined)));
}

function listOf(value: Json, name: string): readonly Json[] {
  if (isJsonList(value)) return value;
  throw badRequest(`${name} must be a list`);
}

const isDirective = (element: Json): boolean => isJsonObject(element) && Object.hasOwn(element, directive);
const strip = (value: Json): Json =>
  isJsonObject(value) ? withoutDirectives(value) : isJsonList(value) ? value.map(strip) : value;

/** What is taken over whole: without directives, and without the members that a `null` removes. */
function withoutDirectives(object: JsonObject): JsonObject {
  const kept = Object.entries(object).filter(
    ([key, value]) =>
      value !== null &&
      key !== directive &&
      key !== retainKeys &&
      !key.startsWith(setElementOrder) &&
      !key.startsWith(deleteFromPrimitiveList),
  );
  return Object.fromEntries(kept.map(([key, value]) => [key, value === undefined ? undefined : strip(value)]));
}
