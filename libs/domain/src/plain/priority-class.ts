import type { JsonObject } from '../json.js';
import type { PlainState } from './plain-object.js';

/** Names that begin like this are the system's. */
export const SYSTEM_PRIORITY_PREFIX = 'system-';
/** The highest value that users may define. Source: Kubernetes, `HighestUserDefinablePriority`. */
export const HIGHEST_USER_PRIORITY = 1_000_000_000;

/** The priority classes that are always there. Source: Kubernetes, `SystemPriorityClasses`. */
export const SYSTEM_PRIORITY_CLASSES: readonly { readonly name: string; readonly body: PriorityClassBody }[] = [
  systemClass(
    'system-node-critical',
    2_000_001_000,
    'Used for system critical pods that must not be moved from their current node.',
  ),
  systemClass(
    'system-cluster-critical',
    2_000_000_000,
    'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
  ),
];

/** A PriorityClass without kind, apiVersion and metadata. */
export interface PriorityClassBody extends JsonObject {
  readonly value: number;
  readonly globalDefault?: boolean;
  readonly description?: string;
  readonly preemptionPolicy?: string;
}

function systemClass(name: string, value: number, description: string): { name: string; body: PriorityClassBody } {
  return { name, body: { value, description, preemptionPolicy: 'PreemptLowerPriority' } };
}

export const isSystemPriorityClass = (name: string): boolean =>
  SYSTEM_PRIORITY_CLASSES.some((known) => known.name === name);

/** What a class says; validation has seen that it has a value. */
export function readPriorityClass({ body }: PlainState<'PriorityClass'>): PriorityClassBody {
  const { value, globalDefault, description, preemptionPolicy } = body;
  return {
    value: typeof value === 'number' ? value : 0,
    ...(typeof globalDefault === 'boolean' && { globalDefault }),
    ...(typeof description === 'string' && { description }),
    ...(typeof preemptionPolicy === 'string' && { preemptionPolicy }),
  };
}
