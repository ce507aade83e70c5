import type { RequestedMeta } from '../meta/object-meta.js';
import type { Container, EnvVar, PodSpec } from '../pod/pod-spec.js';
import { podFromTemplate } from '../workload/pod-from-template.js';
import { controllerReference } from '../workload/rules.js';
import type { JobState } from '../workload/workload.js';
import { COMPLETION_INDEX } from './ends.js';
import type { Opening } from './staffing.js';

/** Annotation of a pod of a job with a limit per index: how often the index had failed before. */
const INDEX_FAILURES = 'batch.kubernetes.io/job-index-failure-count';

/** Where a process finds its completion index. */
const INDEX_ENV: EnvVar = {
  name: 'JOB_COMPLETION_INDEX',
  valueFrom: { fieldRef: { fieldPath: `metadata.labels['${COMPLETION_INDEX}']` } },
};

/** What a generated name may begin with, so that its end still fits into a label. Source: apiserver, `names.SimpleNameGenerator`. */
const LONGEST_BASE = 58;

/** A new pod of a job; the shell adds the uid and the end of the name. */
export function jobPod(
  job: JobState,
  { index, failures }: Opening,
  manager: string,
): { readonly meta: Omit<RequestedMeta, 'uid'>; readonly spec: PodSpec } {
  const { meta, spec } = podFromTemplate(job.spec.template);
  const made = {
    ...meta,
    ownerReferences: [controllerReference(job)],
    finalizers: [],
    fieldManager: manager,
    managedFields: [],
  };
  if (index === undefined) return { meta: { ...made, generateName: `${job.meta.name}-` }, spec };
  const suffix = `-${index}-`;
  return {
    meta: {
      ...made,
      generateName: `${job.meta.name.slice(0, LONGEST_BASE - suffix.length)}${suffix}`,
      labels: { ...meta.labels, [COMPLETION_INDEX]: String(index) },
      annotations: {
        ...meta.annotations,
        [COMPLETION_INDEX]: String(index),
        ...(failures !== undefined && { [INDEX_FAILURES]: String(failures) }),
      },
    },
    spec: {
      ...spec,
      hostname: `${job.meta.name}-${index}`,
      containers: spec.containers.map(withIndex),
      ...(spec.initContainers && { initContainers: spec.initContainers.map(withIndex) }),
    },
  };
}

const withIndex = (container: Container): Container =>
  container.env?.some(({ name }) => name === INDEX_ENV.name)
    ? container
    : { ...container, env: [...(container.env ?? []), INDEX_ENV] };
