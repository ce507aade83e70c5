import type { RequestedMeta } from '../meta/object-meta.js';
import { admissionDefaults } from '../pod/admission-defaults.js';
import type { PodSpec } from '../pod/pod-spec.js';
import type { PodTemplate } from './pod-template.js';

/** A new pod, but for its uid and name. */
export interface PodFromTemplate {
  readonly meta: Pick<RequestedMeta, 'labels' | 'annotations'>;
  readonly spec: PodSpec;
}

/** The pod that a template describes, with the defaults that a pod of a client's gets as well. */
export function podFromTemplate({ metadata, spec }: PodTemplate): PodFromTemplate {
  return {
    meta: { labels: metadata?.labels ?? {}, annotations: metadata?.annotations ?? {} },
    spec: admissionDefaults(spec),
  };
}
