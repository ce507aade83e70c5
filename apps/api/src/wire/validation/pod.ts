import { diffJson, type FieldFault, type JsonObject } from '#domain';
import type { Container, Pod, PodSpec } from '../wire-objects.js';
import { forbidden, invalid, required } from './faults.js';
import { initContainerWarnings } from './init-containers.js';
import { metadataChangeFaults, metadataFaults } from './metadata.js';
import { ignoredFeatures, refusedFeatures } from './not-yet.js';
import { podAnnotationFaults } from './pod-annotations.js';
import { podSpecFaults } from './pod-spec.js';

/** What is wrong with a new pod, its defaults included. */
export function validatePod(pod: Pod): FieldFault[] {
  const spec = pod.spec ?? {};
  return [
    ...metadataFaults(pod.metadata),
    ...podAnnotationFaults(pod.metadata?.annotations, spec, 'metadata.annotations'),
    ...podSpecFaults(spec, 'spec'),
    ...refusedFeatures('core.v1.PodSpec', spec, 'spec'),
  ];
}

/** What a pod asks for that is recorded and has no effect yet. */
export const podWarnings = ({ spec = {} }: Pod): string[] => [
  ...ignoredFeatures('core.v1.PodSpec', spec, 'spec'),
  ...initContainerWarnings(spec, 'spec.initContainers'),
];

const otherFields =
  'pod updates may not change fields other than `spec.containers[*].image`, `spec.initContainers[*].image`, `spec.tolerations` (only additions to existing tolerations), ' +
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative), `spec.schedulingGates` (only removals)';

/** What is wrong with an edit of a pod. Nearly all of its spec is fixed: a container is never added to a running pod. */
export function validatePodUpdate(before: Pod, after: Pod): FieldFault[] {
  const [was, is] = [before.spec ?? {}, after.spec ?? {}];
  const faults = [
    ...metadataFaults(after.metadata),
    ...metadataChangeFaults(before.metadata, after.metadata),
    ...podAnnotationFaults(after.metadata?.annotations, is, 'metadata.annotations'),
  ];
  const sets = (['containers', 'initContainers'] as const).filter((list) => names(was[list]) !== names(is[list]));
  if (sets.length > 0) {
    return [
      ...faults,
      ...sets.map((list) => forbidden(`spec.${list}`, 'pod updates may not add or remove containers')),
    ];
  }
  return [...faults, ...imageFaults(is), ...gateFaults(was, is), ...tolerationFaults(was, is), ...fixedFaults(was, is)];
}

const names = (containers: readonly Container[] = []): string => JSON.stringify(containers.map(({ name }) => name));

function imageFaults(spec: PodSpec): FieldFault[] {
  return (['containers', 'initContainers'] as const).flatMap((list) =>
    (spec[list] ?? []).flatMap(({ image = '' }, index) => {
      const at = `spec.${list}[${index}].image`;
      if (image === '') return [required(at)];
      return image === image.trim() ? [] : [invalid(at, image, 'must not have leading or trailing whitespace')];
    }),
  );
}

function gateFaults(was: PodSpec, is: PodSpec): FieldFault[] {
  const known = new Set((was.schedulingGates ?? []).map(({ name }) => name));
  return (is.schedulingGates ?? []).flatMap(({ name = '' }, index) =>
    known.has(name)
      ? []
      : [
          forbidden(
            `spec.schedulingGates[${index}].name`,
            `only deletion is allowed, but found new scheduling gate '${name}'`,
          ),
        ],
  );
}

function tolerationFaults(was: PodSpec, is: PodSpec): FieldFault[] {
  // tolerationSeconds of a toleration that was there may change: it concerns only how long from now.
  const key = ({ tolerationSeconds: _, ...toleration }: JsonObject): string =>
    JSON.stringify(Object.entries(toleration).sort(([a], [b]) => (a < b ? -1 : 1)));
  const kept = new Set((is.tolerations ?? []).map(key));
  return (was.tolerations ?? []).every((toleration) => kept.has(key(toleration)))
    ? []
    : [forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds')];
}

/** The spec without what an update may change, so that whatever differs is at fault. */
function fixedPart(spec: PodSpec, was: PodSpec): JsonObject {
  const { tolerations: _tolerations, schedulingGates, ...rest } = spec;
  const gated = (was.schedulingGates ?? []).length > 0;
  const shortened = (was.terminationGracePeriodSeconds ?? 0) < 0 && spec.terminationGracePeriodSeconds === 1;
  return {
    ...rest,
    ...(shortened ? { terminationGracePeriodSeconds: was.terminationGracePeriodSeconds } : {}),
    // A gated pod may be narrowed down to fewer nodes before it is let go.
    ...(gated && schedulingGates !== undefined && narrows(was, spec) ? { nodeSelector: was.nodeSelector } : {}),
    containers: withoutImages(spec.containers),
    ...(spec.initContainers ? { initContainers: withoutImages(spec.initContainers) } : {}),
  };
}

const withoutImages = (containers: readonly Container[] = []): JsonObject[] =>
  containers.map(({ image: _image, ...container }) => container);

const narrows = (was: PodSpec, is: PodSpec): boolean =>
  Object.entries(was.nodeSelector ?? {}).every(([key, value]) => is.nodeSelector?.[key] === value);

function fixedFaults(was: PodSpec, is: PodSpec): FieldFault[] {
  return diffJson(fixedPart(was, was), fixedPart(is, was), ['spec']).map(({ path }) =>
    forbidden(fieldOf(path), otherFields),
  );
}

/** `spec.containers[0].name` of a path whose list indexes are decimal strings. */
const fieldOf = (path: readonly string[]): string =>
  path.reduce((text, part) => (text === '' ? part : /^\d+$/.test(part) ? `${text}[${part}]` : `${text}.${part}`), '');
