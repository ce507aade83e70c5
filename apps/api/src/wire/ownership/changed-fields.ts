import { sameJson, type Json, type JsonObject } from '#domain';
import { isJsonList, isJsonObject, member, setOwn } from '../patch/json-members.js';
import { isAtomicType, mergeRule, type MergeRule } from '../schema/merge-rules.js';
import { schemaOf, type Shape } from '../schema/schema.js';
import type { TypeId } from '../schema/wire-type.js';
import { isEmptySet, self, type FieldSet } from './field-set.js';

/** Structures that are always there in Go: nobody brings them into being, so nobody owns them by themselves. */
const alwaysThere: ReadonlySet<string> = new Set(['metadata', 'spec', 'status', 'template', 'containers', 'resources']);

/** The fields of a type whose value is new or another than before. What is gone is in nobody's set. */
export function changedFields(type: TypeId, before: JsonObject, after: JsonObject): FieldSet {
  return members({ is: 'type', type }, before, after);
}

function members(of: Shape, before: JsonObject, after: JsonObject): FieldSet {
  const set: Record<string, Json> = {};
  for (const [name, value] of Object.entries(after)) {
    const was = member(before, name);
    if (value === undefined || sameJson(was, value)) continue;
    const changed = field(of, name, was, value);
    if (changed) setOwn(set, `f:${name}`, changed);
  }
  return set;
}

/**
 * The set of a field that differs. The empty one is the field as a whole; `undefined` is none, of a field that has only
 * lost something.
 */
function field(of: Shape, name: string, was: Json | undefined, is: Json): FieldSet | undefined {
  const rule = of.is === 'type' ? mergeRule(of.type, name) : undefined;
  const shape = of.is === 'type' ? schemaOf(of.type).fields.get(name)?.shape : of.is === 'map' ? of.of : undefined;
  const inside = shape && parts(shape, rule, was, is);
  if (!inside) return {};
  if (isEmptySet(inside)) return was === undefined ? {} : undefined;
  return was === undefined && !alwaysThere.has(name) ? { [self]: {}, ...inside } : inside;
}

/** What has changed inside a value that is owned part by part; `undefined` of one that is owned only as a whole. */
function parts(shape: Shape, rule: MergeRule | undefined, was: Json | undefined, is: Json): FieldSet | undefined {
  if (rule?.ownership === 'atomic') return undefined;
  switch (shape.is) {
    case 'scalar':
      return undefined;
    case 'type':
      return isAtomicType(shape.type) ? undefined : object(shape, was, is);
    case 'map':
      return object(shape, was, is);
    case 'list':
      return rule && isJsonList(is) ? elements(shape.of, rule, isJsonList(was) ? was : [], is) : undefined;
  }
}

const object = (shape: Shape, was: Json | undefined, is: Json): FieldSet =>
  isJsonObject(is) ? members(shape, isJsonObject(was) ? was : {}, is) : {};

function elements(of: Shape, rule: MergeRule, was: readonly Json[], is: readonly Json[]): FieldSet {
  const name = (element: Json): string => elementName(rule, element);
  const before = new Map(was.map((element) => [name(element), element]));
  const set: Record<string, Json> = {};
  for (const element of is) {
    const known = before.get(name(element));
    if (sameJson(known, element)) continue;
    const inside = rule.ownership === 'set' ? {} : object(of, known, element);
    if (known !== undefined && isEmptySet(inside)) continue;
    setOwn(set, name(element), known === undefined && rule.ownership === 'map' ? { [self]: {}, ...inside } : inside);
  }
  return set;
}

/** `k:{"name":"app"}` or `v:"x"`. Keys stand in alphabetical order. */
function elementName(rule: MergeRule, element: Json): string {
  if (rule.ownership === 'set' || !isJsonObject(element)) return `v:${JSON.stringify(element)}`;
  const keys = [...(rule.keys ?? [])].sort((a, b) => (a.name < b.name ? -1 : 1));
  const pairs = keys.flatMap(({ name, default: otherwise }): [string, Json][] => {
    const key = member(element, name) ?? otherwise;
    return key === undefined ? [] : [[name, key]];
  });
  return `k:${JSON.stringify(Object.fromEntries(pairs))}`;
}
