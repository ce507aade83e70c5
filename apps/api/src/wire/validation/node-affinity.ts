import type { FieldFault } from '#domain';
import type { Wire } from '../schema/wire-type.js';
import type { PodSpec } from '../wire-objects.js';
import { forbidden, invalid, invalidFor, required } from './faults.js';
import { dnsSubdomainProblems, labelKeyProblems, labelValueProblems } from './names.js';

type Requirement = Wire<'core.v1.NodeSelectorRequirement'>;

/** What is wrong with the nodes that a pod demands in `affinity` at `path`. */
export function nodeAffinityFaults({ affinity }: PodSpec, path: string): FieldFault[] {
  const selector = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (!selector) return [];
  const at = `${path}.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms`;
  const terms = selector.nodeSelectorTerms ?? [];
  if (terms.length === 0) return [required(at, 'must have at least one node selector term')];
  return terms.flatMap(({ matchExpressions = [], matchFields = [] }, index) => [
    ...matchExpressions.flatMap((one, nth) => expressionFaults(one, `${at}[${index}].matchExpressions[${nth}]`)),
    ...matchFields.flatMap((one, nth) => fieldFaults(one, `${at}[${index}].matchFields[${nth}]`)),
  ]);
}

function expressionFaults({ key, operator = '', values = [] }: Requirement, at: string): FieldFault[] {
  const faults = key ? invalidFor(`${at}.key`, key, labelKeyProblems(key)) : [required(`${at}.key`)];
  switch (operator) {
    case 'In':
    case 'NotIn':
      if (values.length === 0)
        faults.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
      break;
    case 'Exists':
    case 'DoesNotExist':
      if (values.length > 0)
        faults.push(forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
      break;
    case 'Gt':
    case 'Lt':
      if (values.length !== 1)
        faults.push(required(`${at}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
      else if (!/^[+-]?\d+$/.test(values[0] ?? ''))
        faults.push(invalid(`${at}.values[0]`, values[0], "must be an integer when `operator` is 'Lt' or 'Gt'"));
      break;
    default:
      faults.push(invalid(`${at}.operator`, operator, 'not a valid selector operator'));
  }
  return [
    ...faults,
    ...values.flatMap((value, nth) => invalidFor(`${at}.values[${nth}]`, value, labelValueProblems(value))),
  ];
}

/** Fields of a node can be named as well as labels; there is one, its name. */
function fieldFaults({ key, operator = '', values = [] }: Requirement, at: string): FieldFault[] {
  const faults: FieldFault[] = [];
  if (operator !== 'In' && operator !== 'NotIn') {
    faults.push(invalid(`${at}.operator`, operator, 'not a valid selector operator'));
  } else if (values.length !== 1) {
    faults.push(
      required(`${at}.values`, "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"),
    );
  }
  if (key !== 'metadata.name') return [...faults, invalid(`${at}.key`, key ?? '', 'not a valid field selector key')];
  return [
    ...faults,
    ...values.flatMap((value, nth) => invalidFor(`${at}.values[${nth}]`, value, dnsSubdomainProblems(value))),
  ];
}
