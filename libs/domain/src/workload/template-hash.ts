import { stableHash } from '../hash.js';
import { canonicalJson } from '../lifecycle/spec-hash.js';
import { safeEncoded } from './generated-name.js';
import type { PodTemplate } from './pod-template.js';

const HASH_LENGTH = 10;

/** A name for a template: the same for the same template and collision count, in letters that may stand in a name. */
export function templateHash(template: PodTemplate, collisionCount = 0): string {
  const text = canonicalJson(template) + (collisionCount > 0 ? String(collisionCount) : '');
  return safeEncoded(stableHash(text).slice(0, HASH_LENGTH));
}
