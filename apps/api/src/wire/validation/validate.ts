import type { FieldFault, JsonObject } from '#domain';
import { seenAs } from '../wire-objects.js';
import { cronJobWarnings, validateCronJob, validateCronJobUpdate } from './cron-jobs.js';
import { jobWarnings, validateJob, validateJobUpdate } from './jobs.js';
import {
  validateEvent,
  validateNamespace,
  validateNamespaceUpdate,
  validateNewEvent,
  validateNewEventUpdate,
  validateNode,
  validateNodeUpdate,
} from './kinds.js';
import {
  validateConfigMap,
  validateConfigMapUpdate,
  validatePriorityClass,
  validatePriorityClassUpdate,
  validateSecret,
  validateSecretUpdate,
  validateServiceAccount,
  validateServiceAccountUpdate,
} from './config-kinds.js';
import {
  validateControllerRevision,
  validateControllerRevisionUpdate,
  validateDaemonSet,
  validateDeployment,
  validateReplicaSet,
  workloadChangeFaults,
  workloadWarnings,
} from './workloads.js';
import { podWarnings, validatePod, validatePodUpdate } from './pod.js';

const kindOf = (object: JsonObject): string => `${String(object['apiVersion'])} ${String(object['kind'])}`;

/** How many faults are named; the rest would only make the answer long. */
const maxFaults = 200;

/** What is wrong with a new object that has been decoded and defaulted; every offending field by its path. */
export const faultsOf = (object: JsonObject): FieldFault[] => faultsOfNew(object).slice(0, maxFaults);

/** What is wrong with an edit: the object after it, and what of the object may not change. */
export const faultsOfChange = (before: JsonObject, after: JsonObject): FieldFault[] =>
  faultsOfEdit(before, after).slice(0, maxFaults);

function faultsOfNew(object: JsonObject): FieldFault[] {
  switch (kindOf(object)) {
    case 'v1 Pod':
      return validatePod(seenAs('core.v1.Pod', object));
    case 'apps/v1 ReplicaSet':
      return validateReplicaSet(seenAs('apps.v1.ReplicaSet', object));
    case 'apps/v1 Deployment':
      return validateDeployment(seenAs('apps.v1.Deployment', object));
    case 'apps/v1 ControllerRevision':
      return validateControllerRevision(seenAs('apps.v1.ControllerRevision', object));
    case 'apps/v1 DaemonSet':
      return validateDaemonSet(seenAs('apps.v1.DaemonSet', object));
    case 'batch/v1 Job':
      return validateJob(seenAs('batch.v1.Job', object));
    case 'batch/v1 CronJob':
      return validateCronJob(seenAs('batch.v1.CronJob', object));
    case 'v1 ConfigMap':
      return validateConfigMap(seenAs('core.v1.ConfigMap', object));
    case 'v1 Secret':
      return validateSecret(seenAs('core.v1.Secret', object));
    case 'v1 ServiceAccount':
      return validateServiceAccount(seenAs('core.v1.ServiceAccount', object));
    case 'scheduling.k8s.io/v1 PriorityClass':
      return validatePriorityClass(seenAs('scheduling.v1.PriorityClass', object));
    case 'v1 Namespace':
      return validateNamespace(seenAs('core.v1.Namespace', object));
    case 'v1 Node':
      return validateNode(seenAs('core.v1.Node', object));
    case 'v1 Event':
      return validateEvent(seenAs('core.v1.Event', object));
    case 'events.k8s.io/v1 Event':
      return validateNewEvent(seenAs('events.v1.Event', object));
    default:
      return [];
  }
}

function faultsOfEdit(before: JsonObject, after: JsonObject): FieldFault[] {
  switch (kindOf(after)) {
    case 'v1 Pod':
      return validatePodUpdate(seenAs('core.v1.Pod', before), seenAs('core.v1.Pod', after));
    case 'apps/v1 ControllerRevision':
      return validateControllerRevisionUpdate(
        seenAs('apps.v1.ControllerRevision', before),
        seenAs('apps.v1.ControllerRevision', after),
      );
    case 'apps/v1 ReplicaSet':
    case 'apps/v1 Deployment':
    case 'apps/v1 DaemonSet':
      return [
        ...faultsOfNew(after),
        ...workloadChangeFaults(seenAs('apps.v1.ReplicaSet', before), seenAs('apps.v1.ReplicaSet', after)),
      ];
    case 'batch/v1 Job':
      return validateJobUpdate(seenAs('batch.v1.Job', before), seenAs('batch.v1.Job', after));
    case 'batch/v1 CronJob':
      return validateCronJobUpdate(seenAs('batch.v1.CronJob', before), seenAs('batch.v1.CronJob', after));
    case 'v1 ConfigMap':
      return validateConfigMapUpdate(seenAs('core.v1.ConfigMap', before), seenAs('core.v1.ConfigMap', after));
    case 'v1 Secret':
      return validateSecretUpdate(seenAs('core.v1.Secret', before), seenAs('core.v1.Secret', after));
    case 'v1 ServiceAccount':
      return validateServiceAccountUpdate(
        seenAs('core.v1.ServiceAccount', before),
        seenAs('core.v1.ServiceAccount', after),
      );
    case 'scheduling.k8s.io/v1 PriorityClass':
      return validatePriorityClassUpdate(
        seenAs('scheduling.v1.PriorityClass', before),
        seenAs('scheduling.v1.PriorityClass', after),
      );
    case 'v1 Namespace':
      return validateNamespaceUpdate(seenAs('core.v1.Namespace', before), seenAs('core.v1.Namespace', after));
    case 'v1 Node':
      return validateNodeUpdate(seenAs('core.v1.Node', before), seenAs('core.v1.Node', after));
    case 'events.k8s.io/v1 Event':
      return validateNewEventUpdate(seenAs('events.v1.Event', before), seenAs('events.v1.Event', after));
    default:
      return faultsOfNew(after);
  }
}

/** What an object asks for that is recorded and has no effect yet, in words for `Warning` headers. */
export function warningsOf(object: JsonObject): string[] {
  switch (kindOf(object)) {
    case 'v1 Pod':
      return podWarnings(seenAs('core.v1.Pod', object));
    case 'apps/v1 ReplicaSet':
    case 'apps/v1 Deployment':
    case 'apps/v1 DaemonSet':
      return workloadWarnings(seenAs('apps.v1.ReplicaSet', object));
    case 'batch/v1 Job':
      return jobWarnings(seenAs('batch.v1.Job', object));
    case 'batch/v1 CronJob':
      return cronJobWarnings(seenAs('batch.v1.CronJob', object));
    default:
      return [];
  }
}
