import type { TypeId } from './wire-type.js';

/**
 * How a list or map field is merged. What no rule names is replaced whole (lists) or merged member by member (maps and
 * structures). Source: the `patchStrategy`, `listType`, `mapType` and `structType` markers of Kubernetes' API types.
 */
export interface MergeRule {
  /** Strategic merge patch: `merge` by {@link mergeKey} (of plain values: as a set), `retainKeys` drops members that the patch does not name. */
  readonly patchStrategy?: 'merge' | 'merge,retainKeys';
  readonly mergeKey?: string;
  /** Server-side apply and managedFields: elements are owned one by one (`map`, `set`) or only together (`atomic`). */
  readonly ownership: 'map' | 'set' | 'atomic';
  /** What tells the elements of a `map` list apart, with the value that an absent key stands for. */
  readonly keys?: readonly { readonly name: string; readonly default?: string | number }[];
}

const byKey = (mergeKey: string, patchStrategy: MergeRule['patchStrategy'] = 'merge'): MergeRule => ({
  patchStrategy,
  mergeKey,
  ownership: 'map',
  keys: [{ name: mergeKey }],
});
const set: MergeRule = { patchStrategy: 'merge', ownership: 'set' };
const atomic: MergeRule = { ownership: 'atomic' };

const ofContainers: Readonly<Record<string, MergeRule>> = {
  env: byKey('name'),
  ports: {
    ...byKey('containerPort'),
    keys: [{ name: 'containerPort' }, { name: 'protocol', default: 'TCP' }],
  },
  volumeDevices: byKey('devicePath'),
  volumeMounts: byKey('mountPath'),
};

const rules: Readonly<Partial<Record<TypeId, Readonly<Record<string, MergeRule>>>>> = {
  'meta.v1.ObjectMeta': { finalizers: set, ownerReferences: byKey('uid') },
  'core.v1.PodSpec': {
    containers: byKey('name'),
    ephemeralContainers: byKey('name'),
    hostAliases: byKey('ip'),
    imagePullSecrets: byKey('name'),
    initContainers: byKey('name'),
    nodeSelector: atomic,
    resourceClaims: byKey('name', 'merge,retainKeys'),
    schedulingGates: byKey('name'),
    topologySpreadConstraints: {
      ...byKey('topologyKey'),
      keys: [{ name: 'topologyKey' }, { name: 'whenUnsatisfiable' }],
    },
    volumes: byKey('name', 'merge,retainKeys'),
  },
  'core.v1.Container': ofContainers,
  'core.v1.EphemeralContainer': ofContainers,
  'core.v1.PodStatus': { conditions: byKey('type'), hostIPs: byKey('ip'), podIPs: byKey('ip') },
  'core.v1.ServiceAccount': { secrets: byKey('name') },
  'core.v1.NodeSpec': { podCIDRs: set },
  'core.v1.NodeStatus': { addresses: byKey('type'), conditions: byKey('type') },
  'core.v1.NamespaceStatus': { conditions: byKey('type') },
  'core.v1.ResourceRequirements': { claims: { ownership: 'map', keys: [{ name: 'name' }] } },
  'apps.v1.DaemonSetStatus': { conditions: byKey('type') },
  'apps.v1.DeploymentStatus': { conditions: byKey('type') },
  'apps.v1.ReplicaSetStatus': { conditions: byKey('type') },
  'batch.v1.CronJobStatus': { active: atomic },
  'batch.v1.JobStatus': { conditions: { patchStrategy: 'merge', mergeKey: 'type', ownership: 'atomic' } },
  'batch.v1.PodFailurePolicy': { rules: atomic },
  'batch.v1.PodFailurePolicyOnExitCodesRequirement': { values: { ownership: 'set' } },
  'batch.v1.PodFailurePolicyRule': { onPodConditions: atomic },
  'batch.v1.SuccessPolicy': { rules: atomic },
  'batch.v1.UncountedTerminatedPods': { failed: { ownership: 'set' }, succeeded: { ownership: 'set' } },
};

/** Structures that are owned only as a whole, wherever they stand. */
const atomicTypes: ReadonlySet<TypeId> = new Set<TypeId>([
  'core.v1.LocalObjectReference',
  'core.v1.NodeSelector',
  'core.v1.NodeSelectorTerm',
  'core.v1.ObjectFieldSelector',
  'core.v1.ObjectReference',
  'core.v1.ConfigMapKeySelector',
  'core.v1.SecretKeySelector',
  'core.v1.ResourceFieldSelector',
  'core.v1.TypedLocalObjectReference',
  'meta.v1.LabelSelector',
  'meta.v1.OwnerReference',
]);

/** The rule of a field, if it has one. */
export const mergeRule = (type: TypeId, field: string): MergeRule | undefined => {
  const ofType = rules[type];
  return ofType && Object.hasOwn(ofType, field) ? ofType[field] : undefined;
};

export const isAtomicType = (type: TypeId): boolean => atomicTypes.has(type);

/** Every rule, for the test that they name fields of the schema. */
export const allMergeRules = (): { readonly type: string; readonly field: string; readonly rule: MergeRule }[] =>
  Object.entries(rules).flatMap(([type, fields]) =>
    Object.entries(fields).map(([field, rule]) => ({ type, field, rule })),
  );
