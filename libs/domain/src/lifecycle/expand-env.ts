import { containerNamed } from '../pod/container-kinds.js';
import { absent, configMapEntries, NO_CONFIG, secretEntries, type ConfigContents } from '../config/config-contents.js';
import { DomainError } from '../errors.js';
import type { AssignedPod } from '../node/assigned-pod.js';
import type { Container, EnvVarSource, KeyRef } from '../pod/pod-spec.js';
import { bytesOf, cpuMillisOf, type ResourceAmounts } from '../units.js';

/** What the downward API can tell a container besides its pod. */
export interface EnvContext {
  readonly pod: AssignedPod;
  readonly nodeName: string;
  readonly hostIP: string;
  /** The node's; a container without limits may use all of it. */
  readonly allocatable: ResourceAmounts;
  /** What the pod names of ConfigMaps and Secrets. Default: there is none. */
  readonly config?: ConfigContents;
  /** Known once the sandbox runs. */
  readonly podIP?: string;
}

export interface ExpandedContainer {
  /** One per name; the last of two wins, in the place of the first, as in a process's environment. */
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly command?: readonly string[];
  readonly args?: readonly string[];
}

/**
 * A container's environment, command and arguments with every value filled in: literals, `fieldRef`, `resourceFieldRef`,
 * `envFrom`, references to ConfigMaps and Secrets, and `$(VAR)`, which sees the variables before it. `env` wins over
 * `envFrom`, and the later over the earlier. Throws `DomainError`: NotFound, in kubelet's words, when what it cannot do
 * without is not there; Invalid on a source that we do not offer.
 */
export function expandContainer(container: Container, context: EnvContext): ExpandedContainer {
  const env = new Map<string, string>(variablesFrom(container, context));
  for (const { name, value, valueFrom } of container.env ?? []) {
    const found = valueFrom ? sourceValue(valueFrom, container, context) : expand(value ?? '', env);
    if (found !== undefined) env.set(name, found);
  }
  const all = (texts: readonly string[]): string[] => texts.map((text) => expand(text, env));
  return {
    env: [...env].map(([name, value]) => ({ name, value })),
    ...(container.command && { command: all(container.command) }),
    ...(container.args && { args: all(container.args) }),
  };
}

/**
 * Replaces `$(VAR)`; `$$` stands for `$`, so `$$(VAR)` stays as `$(VAR)`. What is unknown or incomplete stays as it is.
 * https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
 */
export function expand(text: string, env: ReadonlyMap<string, string>): string {
  return text.replace(/\$(?:\$|\(([^)]*)\))/g, (match, name: string | undefined) =>
    name === undefined ? '$' : (env.get(name) ?? match),
  );
}

/** Whether a container can be created only when its pod's address is known. */
export function needsPodIP({ env }: Container): boolean {
  return (env ?? []).some(({ valueFrom }) => valueFrom?.fieldRef?.fieldPath.startsWith('status.podIP'));
}

/**
 * What `envFrom` gives. Of a ConfigMap only `data`. No name is skipped: since 1.32 Kubernetes takes every printable one
 * without `=`, and a key has no other.
 */
function variablesFrom({ envFrom }: Container, { config = NO_CONFIG }: EnvContext): [string, string][] {
  return (envFrom ?? []).flatMap(({ prefix = '', configMapRef, secretRef }): [string, string][] => {
    const binary = configMapRef && config.configMaps.get(configMapRef.name ?? '')?.binaryData;
    const entries = configMapRef
      ? configMapEntries(configMapRef, config)
      : secretRef && secretEntries(secretRef, config);
    return [...(entries ?? [])]
      .filter(([key]) => !binary || !(key in binary))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, bytes]) => [prefix + key, textOf(bytes)]);
  });
}

/** A byte order mark is part of the value. */
const textOf = (bytes: Uint8Array): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);

/** One entry; `undefined` when it is not there and need not be. */
function keyValue(
  kind: 'ConfigMap' | 'Secret',
  ref: KeyRef,
  { pod, config = NO_CONFIG }: EnvContext,
): string | undefined {
  const entries = kind === 'Secret' ? secretEntries(ref, config) : configMapEntries(ref, config);
  const isText = kind === 'Secret' || ref.key in (config.configMaps.get(ref.name ?? '')?.data ?? {});
  const found = isText ? entries?.get(ref.key) : undefined;
  if (found) return textOf(found);
  return absent(`couldn't find key ${ref.key} in ${kind} ${pod.key.namespace}/${ref.name ?? ''}`, ref.optional);
}

function sourceValue(source: EnvVarSource, container: Container, context: EnvContext): string | undefined {
  if (source.configMapKeyRef) return keyValue('ConfigMap', source.configMapKeyRef, context);
  if (source.secretKeyRef) return keyValue('Secret', source.secretKeyRef, context);
  if (source.fieldRef) return fieldValue(source.fieldRef.fieldPath, context);
  if (source.resourceFieldRef) return resourceValue(source.resourceFieldRef, container, context);
  throw new DomainError('Invalid', `env valueFrom ${Object.keys(source).join(', ')} is not supported`);
}

const SUBSCRIPT = /^metadata\.(labels|annotations)\['(.*)'\]$/;

/** What `fieldRef` gives. Throws `DomainError` (Invalid) on a path that we do not offer. */
export function fieldValue(path: string, { pod, nodeName, hostIP, podIP }: EnvContext): string {
  const subscript = SUBSCRIPT.exec(path);
  if (subscript) return (subscript[1] === 'labels' ? pod.labels : pod.annotations)[subscript[2] ?? ''] ?? '';
  switch (path) {
    case 'metadata.name':
      return pod.key.name;
    case 'metadata.namespace':
      return pod.key.namespace;
    case 'metadata.uid':
      return pod.key.uid;
    case 'spec.nodeName':
      return nodeName;
    case 'spec.serviceAccountName': {
      const name = pod.spec['serviceAccountName'];
      return typeof name === 'string' ? name : '';
    }
    case 'status.hostIP':
    case 'status.hostIPs':
      return hostIP;
    case 'status.podIP':
    case 'status.podIPs':
      return podIP ?? '';
    default:
      throw new DomainError('Invalid', `fieldRef ${path} is not supported`);
  }
}

/** What `resourceFieldRef` gives: rounded up, in units of the divisor (1 unless given). */
export function resourceValue(
  { resource, containerName, divisor }: NonNullable<EnvVarSource['resourceFieldRef']>,
  container: Container,
  { pod, allocatable }: EnvContext,
): string {
  const of =
    containerName === undefined || containerName === container.name
      ? container
      : containerNamed(pod.spec, containerName);
  if (!of) throw new DomainError('Invalid', `resourceFieldRef: no container ${containerName}`);
  const [kind, name] = resource.split(/\.(.*)/s);
  if ((kind !== 'limits' && kind !== 'requests') || !name) {
    throw new DomainError('Invalid', `resourceFieldRef ${resource} is not supported`);
  }
  const quantity = of.resources?.[kind]?.[name];
  const measure = name === 'cpu' ? cpuMillisOf : bytesOf;
  const unset =
    kind === 'requests' ? 0 : name === 'cpu' ? allocatable.cpuMillis : name === 'memory' ? allocatable.memoryBytes : 0;
  const amount = quantity === undefined ? unset : measure(quantity);
  return String(Math.ceil(amount / (measure(divisor ?? 1) || measure(1))));
}
