import type { Propagation } from '#domain';
import type { JsonObject } from '#domain';
import { stringsAt, textAt, valueAt } from '../resources/wire-values.js';
import type { RemovalRequest } from '../resources/resource.js';
import { badRequest, invalidOption } from '../status-error.js';
import { readDeleteOptions, type RawBody } from './body-reader.js';
import { booleanOption, integerOption, isDryRun } from './write-options.js';

/** Query parameters of a delete: the same wishes as in its body, which comes first. */
export interface DeleteQuery {
  readonly dryRun?: readonly string[];
  readonly gracePeriodSeconds?: string;
  readonly propagationPolicy?: string;
  readonly orphanDependents?: string;
}

export interface Deletion {
  readonly dryRun: boolean;
  readonly request: RemovalRequest;
}

/** Longest grace that is accepted, in seconds: what fits a 32-bit number of milliseconds would be 24 days; this is 10 years. */
const longestGraceSeconds = 10 * 365 * 86_400;

/** Reads how something is to be deleted. Throws 400 and 422 of what cannot be meant. */
export function deletionOf(body: RawBody, query: DeleteQuery): Deletion {
  const options = readDeleteOptions(body);
  const gracePeriodSeconds = graceOf(options) ?? integerOption('gracePeriodSeconds', query.gracePeriodSeconds);
  if (gracePeriodSeconds !== undefined && gracePeriodSeconds > longestGraceSeconds)
    throw invalidOption(
      'DeleteOptions',
      'gracePeriodSeconds',
      `Invalid value: ${gracePeriodSeconds}: must be at most ${longestGraceSeconds}`,
    );
  const uid = textAt(options, 'preconditions', 'uid');
  const resourceVersion = textAt(options, 'preconditions', 'resourceVersion');
  return {
    dryRun: isDryRun([
      ...stringsAt(options, 'dryRun'),
      ...(stringsAt(options, 'dryRun').length > 0 ? [] : (query.dryRun ?? [])),
    ]),
    request: {
      preconditions: { ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) },
      ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
      propagation: propagationOf(options, query),
      reason: 'Requested',
    },
  };
}

function graceOf(options: JsonObject): number | undefined {
  const grace = valueAt(options, 'gracePeriodSeconds');
  return typeof grace === 'number' ? grace : undefined;
}

function propagationOf(options: JsonObject, query: DeleteQuery): Propagation {
  const policy = textAt(options, 'propagationPolicy') ?? query.propagationPolicy;
  const orphans =
    valueAt(options, 'orphanDependents') ??
    (query.orphanDependents ? booleanOption('orphanDependents', query.orphanDependents) : undefined);
  if (policy && orphans !== undefined) throw badRequest('orphanDependents and deletionPropagation cannot be both set');
  switch (policy) {
    case 'Background':
    case 'Foreground':
    case 'Orphan':
      return policy;
    case undefined:
    case '':
      return orphans === true ? 'Orphan' : 'Background';
    default:
      throw invalidOption(
        'DeleteOptions',
        'propagationPolicy',
        `Unsupported value: ${JSON.stringify(policy)}: supported values: "Background", "Foreground", "Orphan"`,
      );
  }
}
