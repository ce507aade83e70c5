import { createHash } from 'node:crypto';
import type { PodKey } from '#domain';

/** The cluster and node that a runtime speaks for. Everything it makes carries both; it sees nothing else. */
export interface Scope {
  readonly cluster: string;
  readonly node: string;
}

/** Label keys. The first four are kubelet's, so that people's Docker tools already know our containers. */
export const LABEL = {
  podName: 'io.kubernetes.pod.name',
  podNamespace: 'io.kubernetes.pod.namespace',
  podUid: 'io.kubernetes.pod.uid',
  containerName: 'io.kubernetes.container.name',
  cluster: 'podledger.dev/cluster',
  node: 'podledger.dev/node',
  role: 'podledger.dev/role',
  attempt: 'podledger.dev/attempt',
  specHash: 'podledger.dev/spec-hash',
} as const;

/** kubelet's name for the sandbox; no container of a pod can have it, names there being lower case. */
const SANDBOX_NAME = 'POD';

/** Where the sandbox mounts the pod's volumes, each under its name. */
export const VOLUMES_PATH = '/podledger/volumes';

type Role = 'sandbox' | 'app' | 'volume' | 'network';

/** The part of a name that keeps two clusters, or two nodes on one engine, apart. */
function shortHash(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 10);
}

/** One bridge network per cluster and engine: nodes that share an engine share it. */
export function networkName(cluster: string): string {
  return `podledger-${shortHash(cluster)}`;
}

/**
 * The same container of the same attempt has the same name, so a repeated creation meets its first result. The uid makes it
 * unique; the pod's name, which may have 253 characters, is for people and therefore cut.
 */
export function containerName(scope: Scope, pod: PodKey, name: string, attempt: number): string {
  const who = [name || SANDBOX_NAME, pod.name.slice(0, 63), pod.namespace, pod.uid, String(attempt)];
  return `podledger_${who.join('_')}_${shortHash(scope.cluster, scope.node)}`;
}

/** A volume's name is a directory's name on the host and must stay below 255 bytes: no pod name in it. */
export function volumeName(scope: Scope, podUid: string, volume: string): string {
  return `podledger_${volume}_${podUid}_${shortHash(scope.cluster, scope.node)}`;
}

function scopeLabels(scope: Scope, role: Role): Record<string, string> {
  return { [LABEL.cluster]: scope.cluster, [LABEL.node]: scope.node, [LABEL.role]: role };
}

function podLabels(pod: PodKey): Record<string, string> {
  return { [LABEL.podName]: pod.name, [LABEL.podNamespace]: pod.namespace, [LABEL.podUid]: pod.uid };
}

/** What a container is labelled with; `own` are the caller's, which never replace ours. */
export function containerLabels(
  scope: Scope,
  role: 'sandbox' | 'app',
  of: {
    readonly pod: PodKey;
    readonly name: string;
    readonly attempt: number;
    readonly specHash: string;
    readonly labels: Readonly<Record<string, string>>;
  },
): Record<string, string> {
  return {
    ...of.labels,
    ...scopeLabels(scope, role),
    ...podLabels(of.pod),
    [LABEL.containerName]: of.name || SANDBOX_NAME,
    [LABEL.attempt]: String(of.attempt),
    [LABEL.specHash]: of.specHash,
  };
}

export function volumeLabels(scope: Scope, pod: PodKey): Record<string, string> {
  return { ...scopeLabels(scope, 'volume'), ...podLabels(pod) };
}

export function networkLabels(cluster: string): Record<string, string> {
  return { [LABEL.cluster]: cluster, [LABEL.role]: 'network' };
}

/** The engine's `label` filter for everything of a cluster, of a node of it, or of a pod there. */
export function labelFilter(of: {
  readonly cluster: string;
  readonly node?: string | undefined;
  readonly podUid?: string | undefined;
}): string[] {
  const filter = [`${LABEL.cluster}=${of.cluster}`];
  if (of.node !== undefined) filter.push(`${LABEL.node}=${of.node}`);
  if (of.podUid !== undefined) filter.push(`${LABEL.podUid}=${of.podUid}`);
  return filter;
}

/** Whether something with these labels belongs to this cluster and node. */
export function isOwn(scope: Scope, labels: Readonly<Record<string, string>> | null | undefined): boolean {
  return labels?.[LABEL.cluster] === scope.cluster && labels[LABEL.node] === scope.node;
}

/** Who a container is, read back from its labels; `undefined` when they are not the labels of a container of ours. */
export function identityOf(labels: Readonly<Record<string, string>>):
  | {
      readonly pod: PodKey;
      readonly role: 'sandbox' | 'app';
      readonly name: string;
      readonly attempt: number;
      readonly specHash: string;
    }
  | undefined {
  const role = labels[LABEL.role];
  const uid = labels[LABEL.podUid];
  const attempt = Number(labels[LABEL.attempt]);
  if ((role !== 'sandbox' && role !== 'app') || !uid || !Number.isSafeInteger(attempt)) return undefined;
  return {
    pod: { uid, namespace: labels[LABEL.podNamespace] ?? '', name: labels[LABEL.podName] ?? '' },
    role,
    name: role === 'sandbox' ? '' : (labels[LABEL.containerName] ?? ''),
    attempt,
    specHash: labels[LABEL.specHash] ?? '',
  };
}
