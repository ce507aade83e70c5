import type { FieldFault } from '#domain';
import type { Wire } from '../schema/wire-type.js';
import { labelSelectorOf, matchesLabels } from '../selectors/label-selector.js';
import { forbidden, invalid, invalidFor, oneOf, required } from './faults.js';
import { initContainerWarnings } from './init-containers.js';
import { annotationFaults, labelFaults } from './metadata.js';
import { labelKeyProblems, labelValueProblems } from './names.js';
import { ignoredFeatures, refusedFeatures } from './not-yet.js';
import { podAnnotationFaults } from './pod-annotations.js';
import { podSpecFaults } from './pod-spec.js';

type LabelSelector = Wire<'meta.v1.LabelSelector'>;
type PodTemplate = Wire<'core.v1.PodTemplateSpec'>;

/** What is wrong with the template of pods in a workload at `path`. `restartPolicies`: those that make sense for the kind. */
export function templateFaults(
  template: PodTemplate | undefined,
  restartPolicies: readonly string[],
  path = 'spec.template',
): FieldFault[] {
  if (!template) return [required(path)];
  const { metadata, spec = {} } = template;
  return [
    ...labelFaults(metadata?.labels, `${path}.metadata.labels`),
    ...annotationFaults(metadata?.annotations, `${path}.metadata.annotations`),
    ...podAnnotationFaults(metadata?.annotations, spec, `${path}.metadata.annotations`),
    ...podSpecFaults(spec, `${path}.spec`),
    ...oneOf(`${path}.spec.restartPolicy`, spec.restartPolicy, restartPolicies),
    ...refusedFeatures('core.v1.PodSpec', spec, `${path}.spec`),
  ];
}

/** What a template asks for that is recorded and has no effect yet. */
export const templateWarnings = (template: PodTemplate | undefined, path = 'spec.template'): string[] => [
  ...ignoredFeatures('core.v1.PodSpec', template?.spec ?? {}, `${path}.spec`),
  ...initContainerWarnings(template?.spec ?? {}, `${path}.spec.initContainers`),
];

/** A workload selects its own pods, and never all there are. `kind`: as the message names it. */
export function selectorOfWorkloadFaults(
  selector: LabelSelector | undefined,
  template: PodTemplate | undefined,
  kind: string,
): FieldFault[] {
  if (!selector) return [required('spec.selector')];
  const broken = selectorFaults(selector, 'spec.selector');
  const labels = template?.metadata?.labels;
  const isForeign = template && broken.length === 0 && !matchesLabels(labelSelectorOf(selector), labels);
  return [
    ...broken,
    ...(isEmptySelector(selector) ? [invalid('spec.selector', selector, `empty selector is invalid for ${kind}`)] : []),
    ...(isForeign
      ? [invalid('spec.template.metadata.labels', labels ?? {}, '`selector` does not match template `labels`')]
      : []),
  ];
}

const isEmptySelector = ({ matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean =>
  Object.keys(matchLabels).length === 0 && matchExpressions.length === 0;

/** What is wrong with a label selector. */
export function selectorFaults({ matchLabels, matchExpressions = [] }: LabelSelector, path: string): FieldFault[] {
  return [
    ...labelFaults(matchLabels, `${path}.matchLabels`),
    ...matchExpressions.flatMap(({ key, operator, values = [] }, index) => {
      const at = `${path}.matchExpressions[${index}]`;
      const listed = operator === 'In' || operator === 'NotIn';
      const bare = operator === 'Exists' || operator === 'DoesNotExist';
      return [
        ...(key ? invalidFor(`${at}.key`, key, labelKeyProblems(key)) : [required(`${at}.key`)]),
        ...(listed || bare ? [] : [invalid(`${at}.operator`, operator ?? '', 'not a valid selector operator')]),
        ...(listed && values.length === 0
          ? [required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'")]
          : []),
        ...(bare && values.length > 0
          ? [forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")]
          : []),
        ...values.flatMap((value) => invalidFor(`${at}.values`, value, labelValueProblems(value))),
      ];
    }),
  ];
}
