import type { JsonObject } from '../json.js';
import type { RequestedMeta } from '../meta/object-meta.js';
import type { JobSpec } from './job.js';

/** A job as it is asked for. */
interface Requested {
  readonly name: string;
  readonly meta: RequestedMeta;
  readonly spec: JsonObject;
}

/** Labels by which a job and its pods find each other; the short ones are older. Source: Kubernetes, "Well-Known Labels". */
export const CONTROLLER_UID = 'batch.kubernetes.io/controller-uid';
export const JOB_NAME = 'batch.kubernetes.io/job-name';
const LEGACY_CONTROLLER_UID = 'controller-uid';
const LEGACY_JOB_NAME = 'job-name';

/** Enough failures never to be the reason why a job fails. */
const NO_LIMIT = 2_147_483_647;

/** As much of a job's spec as is read here, as a client may have left it. */
interface GivenJobSpec {
  readonly completions?: number;
  readonly parallelism?: number;
  readonly backoffLimitPerIndex?: number;
  readonly podFailurePolicy?: {
    readonly rules?: readonly { readonly onPodConditions?: readonly { readonly status?: string }[] }[];
  };
}

/** A job's spec with what is left out filled in. Source: Kubernetes, `SetDefaults_Job`. */
export function jobDefaults<Spec extends GivenJobSpec>(spec: Spec): Spec {
  const { completions, parallelism, backoffLimitPerIndex, podFailurePolicy } = spec;
  return {
    ...(completions === undefined && parallelism === undefined && { completions: 1 }),
    parallelism: 1,
    completionMode: 'NonIndexed',
    backoffLimit: backoffLimitPerIndex === undefined ? 6 : NO_LIMIT,
    suspend: false,
    manualSelector: false,
    podReplacementPolicy: podFailurePolicy ? 'Failed' : 'TerminatingOrFailed',
    ...spec,
    ...(podFailurePolicy && {
      podFailurePolicy: {
        ...podFailurePolicy,
        ...(podFailurePolicy.rules && {
          rules: podFailurePolicy.rules.map((rule) => ({
            ...rule,
            ...(rule.onPodConditions && {
              onPodConditions: rule.onPodConditions.map((pattern) => ({ status: 'True', ...pattern })),
            }),
          })),
        }),
      },
    }),
  };
}

/**
 * A job with the selector and the labels that only its pods have, unless it brings its own selector (`manualSelector`), and
 * with its pods' labels if it has none. Source: Kubernetes, batch/job strategy `generateSelector` and `SetDefaults_Job`.
 */
export function withOwnSelector({ name, meta, spec }: Requested): Requested {
  const { template, manualSelector } = spec as JobSpec;
  const given = template.metadata?.labels ?? {};
  const own = {
    [CONTROLLER_UID]: meta.uid,
    [JOB_NAME]: name,
    [LEGACY_CONTROLLER_UID]: meta.uid,
    [LEGACY_JOB_NAME]: name,
  };
  const labels = manualSelector ? given : { ...own, ...given };
  const labelled = Object.keys(meta.labels).length > 0 ? meta : { ...meta, labels };
  if (manualSelector) return { name, meta: labelled, spec };
  return {
    name,
    meta: labelled,
    spec: {
      ...spec,
      selector: { matchLabels: { [CONTROLLER_UID]: meta.uid } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
}

/** Labels in a job's template that name another job. They are left to the job itself unless it brings its own selector. */
export function foreignJobLabels(labels: Readonly<Record<string, string>>, name: string): string[] {
  return [CONTROLLER_UID, LEGACY_CONTROLLER_UID, JOB_NAME, LEGACY_JOB_NAME].filter((key) => {
    const value = labels[key];
    return value !== undefined && ((key !== JOB_NAME && key !== LEGACY_JOB_NAME) || value !== name);
  });
}
