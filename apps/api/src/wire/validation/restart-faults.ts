import type { FieldFault } from '#domain';
import type { Container } from '../wire-objects.js';
import { duplicates, notSupported, oneOf, required, tooMany } from './faults.js';

const restartPolicies = ['Always', 'Never', 'OnFailure'];
const ruleActions = ['Restart', 'RestartAllContainers'];
const operators = ['In', 'NotIn'];
/** Most rules of a container, and most exit codes of a rule. Kubernetes' limits. */
const maxRules = 20;
const maxExitCodes = 255;

/** What is wrong with a container's own restart policy and its rules on exit codes. */
export function restartFaults({ restartPolicy, restartPolicyRules = [] }: Container, path: string): FieldFault[] {
  const at = `${path}.restartPolicyRules`;
  return [
    ...oneOf(`${path}.restartPolicy`, restartPolicy, restartPolicies),
    ...(restartPolicyRules.length > 0 && !restartPolicy
      ? [required(`${path}.restartPolicy`, 'must specify restartPolicy when restart rules are used')]
      : []),
    ...(restartPolicyRules.length > maxRules ? [tooMany(at, restartPolicyRules.length, maxRules)] : []),
    ...restartPolicyRules.flatMap(({ action, exitCodes }, index) => [
      ...oneOf(`${at}[${index}].action`, action ?? '', ruleActions),
      ...(exitCodes ? exitCodeFaults(exitCodes, `${at}[${index}].exitCodes`) : [required(`${at}[${index}].exitCodes`)]),
    ]),
  ];
}

function exitCodeFaults(
  { operator, values = [] }: NonNullable<NonNullable<Container['restartPolicyRules']>[number]['exitCodes']>,
  path: string,
): FieldFault[] {
  return [
    ...(operator && operators.includes(operator) ? [] : [notSupported(`${path}.operator`, operator ?? '', operators)]),
    ...(values.length === 0 ? [required(`${path}.values`)] : []),
    ...(values.length > maxExitCodes ? [tooMany(`${path}.values`, values.length, maxExitCodes)] : []),
    ...duplicates(
      values,
      (value) => value,
      (index) => `${path}.values[${index}]`,
    ),
  ];
}
