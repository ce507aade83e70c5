import type { Kind, StoredObject } from '../cluster/stored-object.js';
import { DomainError } from '../errors.js';
import type { Json, JsonObject } from '../json.js';
import { qualified } from '../meta/kinds.js';
import { type PriorityClassBody, readPriorityClass } from '../plain/priority-class.js';
import { priorityClassStream, serviceAccountStream } from '../stream.js';

/** As much of the cluster as admission reads; `ClusterState` is one. */
export interface AdmissionView {
  get(stream: string): StoredObject | undefined;
  list(kind: Kind): readonly StoredObject[];
}

/** Made in every namespace; until it is there a pod does without. */
export const DEFAULT_SERVICE_ACCOUNT = 'default';

/**
 * A new pod's spec with what the cluster adds to it: the priority of its class, and the pull secrets of its service account
 * when it names none. Throws `DomainError` (Forbidden) when class or account are not there, or the client gave a priority of
 * its own. Source: Kubernetes' admission plug-ins Priority and ServiceAccount.
 */
export function admitPod<Spec extends JsonObject>(
  spec: Spec,
  pod: { readonly namespace: string; readonly name: string },
  view: AdmissionView,
): Spec {
  const refuse = (why: string): DomainError =>
    new DomainError('Forbidden', `${qualified('Pod', pod.name)} is forbidden: ${why}`);
  return { ...spec, ...pullSecrets(spec, pod.namespace, view, refuse), ...priority(spec, view, refuse) };
}

type Refuse = (why: string) => DomainError;

function priority(spec: JsonObject, view: AdmissionView, refuse: Refuse): JsonObject {
  const named = spec['priorityClassName'];
  const found = typeof named === 'string' && named !== '' ? classOf(named, view) : defaultClass(view);
  if (!found && typeof named === 'string' && named !== '')
    throw refuse(`no PriorityClass with name ${named} was found`);
  const { value, preemptionPolicy = 'PreemptLowerPriority' } = found?.body ?? { value: 0 };
  const given = spec['priority'];
  if (given !== undefined && given !== null && given !== value)
    throw refuse(
      `the integer value of priority (${textOf(given)}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
    );
  const policy = spec['preemptionPolicy'];
  if (policy !== undefined && policy !== null && policy !== preemptionPolicy)
    throw refuse(
      `the string value of PreemptionPolicy (${textOf(policy)}) must not be provided in pod spec; priority admission controller computed ${preemptionPolicy} from the given PriorityClass name`,
    );
  return { ...(found && { priorityClassName: found.name }), priority: value, preemptionPolicy };
}

interface NamedClass {
  readonly name: string;
  readonly body: PriorityClassBody;
}

function classOf(name: string, view: AdmissionView): NamedClass | undefined {
  const found = view.get(priorityClassStream(name));
  return found?.kind === 'PriorityClass' ? { name, body: readPriorityClass(found) } : undefined;
}

/** The class for pods that name none; of several, which only a race can make, the one with the lowest value, as in Kubernetes. */
function defaultClass(view: AdmissionView): NamedClass | undefined {
  const defaults = view.list('PriorityClass').flatMap((object): NamedClass[] => {
    if (object.kind !== 'PriorityClass') return [];
    const body = readPriorityClass(object);
    return body.globalDefault ? [{ name: object.meta.name, body }] : [];
  });
  return defaults.sort((a, b) => a.body.value - b.body.value)[0];
}

function pullSecrets(spec: JsonObject, namespace: string, view: AdmissionView, refuse: Refuse): JsonObject {
  const given = spec['serviceAccountName'];
  const name = typeof given === 'string' && given !== '' ? given : DEFAULT_SERVICE_ACCOUNT;
  const account = view.get(serviceAccountStream(namespace, name));
  if (account?.kind !== 'ServiceAccount') {
    if (name === DEFAULT_SERVICE_ACCOUNT) return {};
    throw refuse(
      `error looking up service account ${namespace}/${name}: ${qualified('ServiceAccount', name)} not found`,
    );
  }
  const own = spec['imagePullSecrets'];
  const inherited = account.body['imagePullSecrets'];
  const needs = !Array.isArray(own) || own.length === 0;
  return needs && Array.isArray(inherited) && inherited.length > 0 ? { imagePullSecrets: inherited } : {};
}

const textOf = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value));
