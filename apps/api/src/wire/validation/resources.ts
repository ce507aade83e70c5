import type { FieldFault } from '#domain';
import { quantityNanos } from '../quantity.js';
import type { Wire } from '../schema/wire-type.js';
import { invalid, invalidFor, notSupported, required } from './faults.js';
import { labelKeyProblems } from './names.js';

/** Resources without a prefix that containers may ask for. */
const standard: readonly string[] = ['cpu', 'memory', 'ephemeral-storage'];

/** What is wrong with a container's requests and limits. Their quantities have been decoded, so they are quantities. */
export function resourceFaults(resources: Wire<'core.v1.ResourceRequirements'> = {}, path: string): FieldFault[] {
  const { limits = {}, requests = {} } = resources;
  return [
    ...amountFaults(limits, `${path}.limits`),
    ...amountFaults(requests, `${path}.requests`),
    ...Object.entries(requests).flatMap(([name, request]) => {
      const limit = Object.hasOwn(limits, name) ? limits[name] : undefined;
      if (limit === undefined) return [];
      return nanos(request) > nanos(limit)
        ? [invalid(`${path}.requests`, request, `must be less than or equal to ${name} limit of ${limit}`)]
        : [];
    }),
    ...extendedWithoutLimit(limits, requests, `${path}.limits`),
  ];
}

function amountFaults(amounts: Readonly<Record<string, string>>, path: string): FieldFault[] {
  return Object.entries(amounts).flatMap(([name, amount]) => {
    const at = `${path}[${name}]`;
    const faults = invalidFor(at, name, labelKeyProblems(name));
    if (!name.includes('/') && !standard.includes(name) && !name.startsWith('hugepages-')) {
      faults.push(notSupported(at, name, standard));
    }
    faults.push(...notNegativeQuantity(at, amount));
    if (name.includes('/') && nanos(amount) % 1_000_000_000n !== 0n)
      faults.push(invalid(at, amount, 'must be an integer'));
    return faults;
  });
}

/** Devices and the like cannot be overcommitted: their request is their limit. */
function extendedWithoutLimit(
  limits: Readonly<Record<string, string>>,
  requests: Readonly<Record<string, string>>,
  path: string,
): FieldFault[] {
  return Object.keys(requests)
    .filter((name) => name.includes('/') && !Object.hasOwn(limits, name))
    .map((name) => required(`${path}[${name}]`, 'Limit must be set for non overcommitable resources'));
}

export const notNegativeQuantity = (path: string, quantity: string | undefined): FieldFault[] =>
  quantity !== undefined && nanos(quantity) < 0n ? [invalid(path, quantity, 'must be greater than or equal to 0')] : [];

const nanos = (quantity: string): bigint => quantityNanos(quantity) ?? 0n;
