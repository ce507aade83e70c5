import type { Json } from '#domain';

/**
 * What Podledger knows of and does not do yet. What would change the meaning of a pod if it were passed over is refused
 * (422); what is only a wish is recorded and warned about. A line that is taken out here is a feature that works.
 */
export interface NotYet {
  readonly effect: 'refused' | 'ignored';
  /** What the message calls it. */
  readonly feature: string;
  /** Values for which the line does not hold, since they ask for what is done anyway. */
  readonly unless?: (value: Json) => boolean;
  /** Of a map: the keys for which the line holds. */
  readonly keys?: (key: string) => boolean;
}

const refused = (feature: string, unless?: NotYet['unless']): NotYet => ({
  effect: 'refused',
  feature,
  ...(unless ? { unless } : {}),
});
const ignored = (feature: string, unless?: NotYet['unless']): NotYet => ({
  effect: 'ignored',
  feature,
  ...(unless ? { unless } : {}),
});

const is =
  (...values: readonly Json[]): NotYet['unless'] =>
  (value) =>
    values.includes(value);
const isEmpty = (value: Json): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0;
const isTypeRuntimeDefault = (value: Json): boolean =>
  typeof value === 'object' && value !== null && 'type' in value && value.type === 'RuntimeDefault';

/** A profile or policy in a security context; `RuntimeDefault` is what Docker gives by itself. */
const isolation = {
  appArmorProfile: refused('AppArmor profiles', isTypeRuntimeDefault),
  runAsGroup: refused('runAsGroup'),
  runAsNonRoot: refused('runAsNonRoot', is(false)),
  runAsUser: refused('runAsUser'),
  seLinuxOptions: refused('SELinux options', isEmpty),
  seccompProfile: refused('seccomp profiles', isTypeRuntimeDefault),
  windowsOptions: refused('Windows containers'),
};

const volumeTypes = [
  'awsElasticBlockStore',
  'azureDisk',
  'azureFile',
  'cephfs',
  'cinder',
  'configMap',
  'csi',
  'downwardAPI',
  'ephemeral',
  'fc',
  'flexVolume',
  'flocker',
  'gcePersistentDisk',
  'gitRepo',
  'glusterfs',
  'hostPath',
  'image',
  'iscsi',
  'nfs',
  'persistentVolumeClaim',
  'photonPersistentDisk',
  'portworxVolume',
  'projected',
  'quobyte',
  'rbd',
  'scaleIO',
  'secret',
  'storageos',
  'vsphereVolume',
];

const amounts = (name: string): NotYet => ({
  effect: 'refused',
  feature: name,
  keys: (key) => key.includes('/') || key.startsWith('hugepages-'),
});

/** By type of the schema and field. */
export const notYet: Readonly<Record<string, Readonly<Record<string, NotYet>>>> = {
  'batch.v1.JobSpec': {
    managedBy: refused('jobs that another controller manages', is('kubernetes.io/job-controller')),
  },
  'core.v1.PodSpec': {
    activeDeadlineSeconds: refused('activeDeadlineSeconds'),
    dnsConfig: refused('dnsConfig', isEmpty),
    dnsPolicy: refused('this DNS policy', is('ClusterFirst', 'ClusterFirstWithHostNet', 'Default')),
    ephemeralContainers: refused('ephemeral containers', isEmpty),
    hostAliases: refused('hostAliases', isEmpty),
    hostIPC: refused('the IPC namespace of the host', is(false)),
    hostNetwork: refused('the network of the host', is(false)),
    hostPID: refused('the PID namespace of the host', is(false)),
    hostUsers: refused('user namespaces', is(true)),
    hostnameOverride: refused('hostnameOverride'),
    imagePullSecrets: refused('imagePullSecrets', isEmpty),
    os: refused(
      'this operating system',
      (value) => typeof value === 'object' && value !== null && 'name' in value && value.name === 'linux',
    ),
    overhead: refused('pod overhead', isEmpty),
    preemptionPolicy: ignored('preemption', is('PreemptLowerPriority')),
    priority: ignored('priority', is(0)),
    priorityClassName: ignored('priority', is('')),
    resourceClaims: refused('resource claims', isEmpty),
    resources: refused('resources of a whole pod', isEmpty),
    runtimeClassName: refused('runtime classes'),
    setHostnameAsFQDN: refused('setHostnameAsFQDN', is(false)),
    subdomain: ignored('DNS names of pods', is('')),
  },
  'core.v1.PodSecurityContext': {
    ...isolation,
    fsGroup: refused('fsGroup'),
    fsGroupChangePolicy: ignored('fsGroupChangePolicy'),
    seLinuxChangePolicy: ignored('seLinuxChangePolicy'),
    supplementalGroups: refused('supplementalGroups', isEmpty),
    supplementalGroupsPolicy: refused('supplementalGroupsPolicy', is('Merge')),
    sysctls: refused('sysctls', isEmpty),
  },
  'core.v1.Container': {
    resizePolicy: ignored('resizing of running containers', isEmpty),
    stdinOnce: ignored('closing of stdin', is(false)),
    terminationMessagePath: ignored('the termination message', is('/dev/termination-log')),
    terminationMessagePolicy: ignored('the termination message', is('File')),
    volumeDevices: refused('volumeDevices', isEmpty),
  },
  'core.v1.SecurityContext': {
    ...isolation,
    allowPrivilegeEscalation: refused('a ban on privilege escalation', is(true)),
    capabilities: refused('capabilities', isEmpty),
    privileged: refused('privileged containers', is(false)),
    procMount: refused('procMount', is('Default')),
    readOnlyRootFilesystem: refused('a read-only root file system', is(false)),
  },
  'core.v1.ResourceRequirements': {
    claims: refused('resource claims', isEmpty),
    limits: amounts('this resource'),
    requests: amounts('this resource'),
  },
  'core.v1.VolumeMount': {
    mountPropagation: refused('mount propagation', is('None')),
    recursiveReadOnly: refused('recursive read-only mounts', is('Disabled')),
    subPath: refused('subPath', is('')),
    subPathExpr: refused('subPathExpr', is('')),
  },
  'core.v1.EnvVarSource': {
    fileKeyRef: refused('environment variables from files'),
  },
  'core.v1.Volume': Object.fromEntries(volumeTypes.map((type) => [type, refused(`volumes of type ${type}`)])),
  'core.v1.NodeAffinity': {
    preferredDuringSchedulingIgnoredDuringExecution: ignored('preferred node affinity', isEmpty),
  },
  'core.v1.PodAffinity': {
    preferredDuringSchedulingIgnoredDuringExecution: ignored('preferred pod affinity', isEmpty),
    requiredDuringSchedulingIgnoredDuringExecution: refused('required pod affinity', isEmpty),
  },
  'core.v1.PodAntiAffinity': {
    preferredDuringSchedulingIgnoredDuringExecution: ignored('preferred pod anti-affinity', isEmpty),
    requiredDuringSchedulingIgnoredDuringExecution: refused('required pod anti-affinity', isEmpty),
  },
  'core.v1.TopologySpreadConstraint': {
    whenUnsatisfiable: refused('topology spread that must be kept', is('ScheduleAnyway')),
    topologyKey: ignored('topology spread'),
  },
};
