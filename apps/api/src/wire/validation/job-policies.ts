import { countIndexes, indexesBelow, parseIndexes, type FieldFault } from '#domain';
import type { Wire } from '../schema/wire-type.js';
import { duplicates, forbidden, invalid, invalidFor, notNegative, oneOf, required, tooMany } from './faults.js';
import { labelKeyProblems } from './names.js';

type JobSpec = Wire<'batch.v1.JobSpec'>;
type FailureRule = Wire<'batch.v1.PodFailurePolicyRule'>;

const maxRules = 20;
const maxPatterns = 20;
const maxExitCodes = 255;
const maxSucceededIndexesLength = 64 * 1024;
const actions = ['Count', 'FailIndex', 'FailJob', 'Ignore'];
const statuses = ['True', 'False', 'Unknown'];
const operators = ['In', 'NotIn'];

const oneOfRequired = (path: string, value: string | undefined, supported: readonly string[]): FieldFault[] =>
  value
    ? oneOf(path, value, supported)
    : [required(path, `valid values: ${supported.map((one) => `"${one}"`).join(', ')}`)];

/** What is wrong with `podFailurePolicy`. Source: Kubernetes, batch validation. */
export function failurePolicyFaults(spec: JobSpec, path: string): FieldFault[] {
  const { rules = [] } = spec.podFailurePolicy ?? {};
  const { containers = [], initContainers = [] } = spec.template?.spec ?? {};
  const names = new Set([...initContainers, ...containers].map(({ name }) => name));
  return [
    ...(rules.length > maxRules ? [tooMany(`${path}.rules`, rules.length, maxRules)] : []),
    ...rules.flatMap((rule, index) => ruleFaults(rule, names, spec, `${path}.rules[${index}]`)),
  ];
}

function ruleFaults(
  { action, onExitCodes, onPodConditions = [] }: FailureRule,
  names: ReadonlySet<string | undefined>,
  { backoffLimitPerIndex }: JobSpec,
  path: string,
): FieldFault[] {
  const both = onExitCodes !== undefined && onPodConditions.length > 0;
  const neither = onExitCodes === undefined && onPodConditions.length === 0;
  return [
    ...oneOfRequired(`${path}.action`, action, actions),
    ...(action === 'FailIndex' && backoffLimitPerIndex === undefined
      ? [invalid(`${path}.action`, action, 'requires the backoffLimitPerIndex to be set')]
      : []),
    ...(onExitCodes ? exitCodeFaults(onExitCodes, names, `${path}.onExitCodes`) : []),
    ...(onPodConditions.length > maxPatterns
      ? [tooMany(`${path}.onPodConditions`, onPodConditions.length, maxPatterns)]
      : []),
    ...onPodConditions.flatMap(({ type, status }, index) => {
      const at = `${path}.onPodConditions[${index}]`;
      return [
        ...(type ? invalidFor(`${at}.type`, type, labelKeyProblems(type)) : [required(`${at}.type`)]),
        ...oneOfRequired(`${at}.status`, status, statuses),
      ];
    }),
    ...(both ? [forbidden(path, 'specifying both OnExitCodes and OnPodConditions is not supported')] : []),
    ...(neither ? [required(path, 'specifying one of OnExitCodes and OnPodConditions is required')] : []),
  ];
}

function exitCodeFaults(
  { containerName, operator, values = [] }: NonNullable<FailureRule['onExitCodes']>,
  names: ReadonlySet<string | undefined>,
  path: string,
): FieldFault[] {
  const ordered = values.every((value, index) => index === 0 || (values[index - 1] ?? value) <= value);
  return [
    ...oneOfRequired(`${path}.operator`, operator, operators),
    ...(containerName === undefined || names.has(containerName)
      ? []
      : [
          invalid(
            `${path}.containerName`,
            containerName,
            'must be one of the container or initContainer names in the pod template',
          ),
        ]),
    ...(values.length === 0 ? [invalid(`${path}.values`, values, 'at least one value is required')] : []),
    ...(values.length > maxExitCodes ? [tooMany(`${path}.values`, values.length, maxExitCodes)] : []),
    ...(ordered ? [] : [invalid(`${path}.values`, values, 'must be ordered')]),
    ...duplicates(
      values,
      (value) => value,
      (index) => `${path}.values[${index}]`,
    ),
    ...(operator === 'In' && values.includes(0)
      ? [invalid(`${path}.values[${values.indexOf(0)}]`, 0, 'must not be 0 for the In operator')]
      : []),
  ];
}

/** What is wrong with `successPolicy`. Source: Kubernetes, batch validation. */
export function successPolicyFaults({ completions = 0, successPolicy }: JobSpec, path: string): FieldFault[] {
  const { rules = [] } = successPolicy ?? {};
  return [
    ...(rules.length === 0 ? [required(`${path}.rules`, 'at least one rules must be specified')] : []),
    ...(rules.length > maxRules ? [tooMany(`${path}.rules`, rules.length, maxRules)] : []),
    ...rules.flatMap(({ succeededCount, succeededIndexes }, index) => {
      const at = `${path}.rules[${index}]`;
      if (succeededCount === undefined && succeededIndexes === undefined) {
        return [required(at, 'at least one of succeededCount or succeededIndexes must be specified')];
      }
      const { total, faults } = indexFaults(succeededIndexes, completions, `${at}.succeededIndexes`);
      return [...faults, ...countFaults(succeededCount, completions, total, `${at}.succeededCount`)];
    }),
  ];
}

function indexFaults(
  text: string | undefined,
  completions: number,
  path: string,
): { readonly total?: number; readonly faults: FieldFault[] } {
  if (text === undefined) return { faults: [] };
  if (text.length > maxSucceededIndexesLength) {
    return { faults: [invalid(path, '', `must be no more than ${maxSucceededIndexesLength} characters`)] };
  }
  const indexes = parseIndexes(text);
  if (!indexes || indexes.length === 0) {
    return { faults: [invalid(path, text, 'error parsing succeededIndexes: must be ascending indexes like "0-3,7"')] };
  }
  const total = countIndexes(indexes);
  return total === countIndexes(indexesBelow(indexes, completions))
    ? { total, faults: [] }
    : {
        faults: [
          invalid(path, text, `error parsing succeededIndexes: too large index, must be less than ${completions}`),
        ],
      };
}

function countFaults(
  count: number | undefined,
  completions: number,
  listed: number | undefined,
  path: string,
): FieldFault[] {
  if (count === undefined) return [];
  const most = (limit: number, of: string): FieldFault[] =>
    count > limit ? [invalid(path, count, `must be less than or equal to ${limit} (the number of ${of})`)] : [];
  return [
    ...notNegative(path, count),
    ...most(completions, 'specified completions'),
    ...(listed === undefined ? [] : most(listed, 'indexes in the specified succeededIndexes field')),
  ];
}
