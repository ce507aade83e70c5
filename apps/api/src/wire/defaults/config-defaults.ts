import { Buffer } from 'node:buffer';
import type { Wire } from '../schema/wire-type.js';

type Secret = Wire<'core.v1.Secret'>;
type PriorityClass = Wire<'scheduling.v1.PriorityClass'>;

/** A secret with a type, and with what was written as text among its data. */
export function defaultSecret(secret: Secret): Secret {
  return { ...folded(secret), type: secret.type || 'Opaque' };
}

/** `stringData` is for writing only: each of its texts becomes, or replaces, a value of the data. */
export function folded({ stringData, ...secret }: Secret): Secret {
  if (!stringData) return secret;
  const texts = Object.entries(stringData).map(([key, text]) => [key, Buffer.from(text, 'utf8').toString('base64')]);
  return { ...secret, data: { ...secret.data, ...Object.fromEntries(texts) } };
}

export function defaultPriorityClass(priorityClass: PriorityClass): PriorityClass {
  return { preemptionPolicy: 'PreemptLowerPriority', ...priorityClass, value: priorityClass.value ?? 0 };
}
