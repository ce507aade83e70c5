import type { JsonObject } from '#domain';
import type { Wire } from '../schema/wire-type.js';
import { seenAs } from '../wire-objects.js';
import { defaultCronJob, defaultJob } from './job-defaults.js';
import { defaultPriorityClass, defaultSecret, folded } from './config-defaults.js';
import { defaultPod, defaultPodSpec } from './pod-defaults.js';

/** A decoded object with its kind's defaults; what the client gave stays as it was given. */
export function defaulted(object: JsonObject): JsonObject {
  switch (`${String(object['apiVersion'])} ${String(object['kind'])}`) {
    case 'v1 Pod':
      return defaultPod(seenAs('core.v1.Pod', object));
    case 'apps/v1 ReplicaSet':
      return defaultReplicaSet(seenAs('apps.v1.ReplicaSet', object));
    case 'apps/v1 Deployment':
      return defaultDeployment(seenAs('apps.v1.Deployment', object));
    case 'apps/v1 DaemonSet':
      return defaultDaemonSet(seenAs('apps.v1.DaemonSet', object));
    case 'batch/v1 Job':
      return defaultJob(seenAs('batch.v1.Job', object));
    case 'batch/v1 CronJob':
      return defaultCronJob(seenAs('batch.v1.CronJob', object));
    case 'v1 Secret':
      return defaultSecret(seenAs('core.v1.Secret', object));
    case 'scheduling.k8s.io/v1 PriorityClass':
      return defaultPriorityClass(seenAs('scheduling.v1.PriorityClass', object));
    case 'v1 Namespace':
      return defaultNamespace(seenAs('core.v1.Namespace', object));
    default:
      return object;
  }
}

/** An object whose fields for writing only have become those that they stand for. */
export function asKept(object: JsonObject): JsonObject {
  const isSecret = object['kind'] === 'Secret' && object['apiVersion'] === 'v1';
  return isSecret ? folded(seenAs('core.v1.Secret', object)) : object;
}

export function defaultReplicaSet(set: Wire<'apps.v1.ReplicaSet'>): Wire<'apps.v1.ReplicaSet'> {
  const { template } = set.spec ?? {};
  return { ...set, spec: { replicas: 1, ...set.spec, ...(template && { template: defaultTemplate(template) }) } };
}

/** A template gets the defaults of the pods made from it. */
export const defaultTemplate = (template: Wire<'core.v1.PodTemplateSpec'>): Wire<'core.v1.PodTemplateSpec'> => ({
  ...template,
  spec: defaultPodSpec(template.spec ?? {}),
});

export function defaultDeployment(deployment: Wire<'apps.v1.Deployment'>): Wire<'apps.v1.Deployment'> {
  const { template, strategy } = deployment.spec ?? {};
  const type = strategy?.type ?? 'RollingUpdate';
  const rollingUpdate = { maxUnavailable: '25%', maxSurge: '25%', ...strategy?.rollingUpdate };
  return {
    ...deployment,
    spec: {
      replicas: 1,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      ...deployment.spec,
      strategy: { ...strategy, type, ...(type === 'RollingUpdate' && { rollingUpdate }) },
      ...(template && { template: defaultTemplate(template) }),
    },
  };
}

export function defaultDaemonSet(set: Wire<'apps.v1.DaemonSet'>): Wire<'apps.v1.DaemonSet'> {
  const { template, updateStrategy } = set.spec ?? {};
  const type = updateStrategy?.type ?? 'RollingUpdate';
  const rollingUpdate = { maxUnavailable: 1, maxSurge: 0, ...updateStrategy?.rollingUpdate };
  return {
    ...set,
    spec: {
      revisionHistoryLimit: 10,
      ...set.spec,
      updateStrategy: { ...updateStrategy, type, ...(type === 'RollingUpdate' && { rollingUpdate }) },
      ...(template && { template: defaultTemplate(template) }),
    },
  };
}

/** A namespace carries its name as a label, so that selectors can name it, and the finalizer that empties it. */
export function defaultNamespace(namespace: Wire<'core.v1.Namespace'>): Wire<'core.v1.Namespace'> {
  const { metadata, spec } = namespace;
  const name = metadata?.name;
  return {
    ...namespace,
    metadata: {
      ...metadata,
      ...(name ? { labels: { ...metadata?.labels, 'kubernetes.io/metadata.name': name } } : {}),
    },
    spec: { finalizers: ['kubernetes'], ...spec },
  };
}
