import { schemaOf } from '../schema/schema.js';
import type { TypeId } from '../schema/wire-type.js';

/** What a container and an ephemeral one have alike. */
const container =
  'name=1 image=2 command=3 args=4 workingDir=5 ports=6 env=7 resources=8 volumeMounts=9 livenessProbe=10 ' +
  'readinessProbe=11 lifecycle=12 terminationMessagePath=13 imagePullPolicy=14 securityContext=15 stdin=16 stdinOnce=17 ' +
  'tty=18 envFrom=19 terminationMessagePolicy=20 volumeDevices=21 startupProbe=22';

/**
 * Field numbers of the API's protobuf messages, as published in each group's `generated.proto`. Only numbers stand here;
 * what a field holds is the schema's to say. `name?` is a pointer in Go: it is written only when set, so its zero counts,
 * where any other field's zero means that it was left empty. `{...}` is a message whose members are the type's own in JSON.
 * A type that is not named is read as an empty object: present, and nothing more.
 */
const numbers: Readonly<Partial<Record<TypeId, string>>> = {
  'meta.v1.DeleteOptions': 'gracePeriodSeconds?=1 preconditions=2 orphanDependents?=3 propagationPolicy?=4 dryRun=5',
  'meta.v1.LabelSelector': 'matchLabels=1 matchExpressions=2',
  'meta.v1.LabelSelectorRequirement': 'key=1 operator=2 values=3',
  'meta.v1.ManagedFieldsEntry': 'manager=1 operation=2 apiVersion=3 time=4 fieldsType=6 fieldsV1=7 subresource=8',
  'meta.v1.ObjectMeta':
    'name=1 generateName=2 namespace=3 selfLink=4 uid=5 resourceVersion=6 generation=7 creationTimestamp=8 ' +
    'deletionTimestamp=9 deletionGracePeriodSeconds?=10 labels=11 annotations=12 ownerReferences=13 finalizers=14 ' +
    'managedFields=17',
  'meta.v1.OwnerReference': 'kind=1 name=3 uid=4 apiVersion=5 controller?=6 blockOwnerDeletion?=7',
  'meta.v1.Preconditions': 'uid?=1 resourceVersion?=2',

  'apps.v1.ControllerRevision': 'metadata=1 revision=3',
  'apps.v1.DaemonSet': 'metadata=1 spec=2 status=3',
  'apps.v1.DaemonSetCondition': 'type=1 status=2 lastTransitionTime=3 reason=4 message=5',
  'apps.v1.DaemonSetSpec': 'selector=1 template=2 updateStrategy=3 minReadySeconds=4 revisionHistoryLimit?=6',
  'apps.v1.DaemonSetStatus':
    'currentNumberScheduled=1 numberMisscheduled=2 desiredNumberScheduled=3 numberReady=4 observedGeneration=5 ' +
    'updatedNumberScheduled=6 numberAvailable=7 numberUnavailable=8 collisionCount?=9 conditions=10',
  'apps.v1.DaemonSetUpdateStrategy': 'type=1 rollingUpdate=2',
  'apps.v1.Deployment': 'metadata=1 spec=2 status=3',
  'apps.v1.DeploymentCondition': 'type=1 status=2 reason=4 message=5 lastUpdateTime=6 lastTransitionTime=7',
  'apps.v1.DeploymentSpec':
    'replicas?=1 selector=2 template=3 strategy=4 minReadySeconds=5 revisionHistoryLimit?=6 paused=7 ' +
    'progressDeadlineSeconds?=9',
  'apps.v1.DeploymentStatus':
    'observedGeneration=1 replicas=2 updatedReplicas=3 availableReplicas=4 unavailableReplicas=5 conditions=6 ' +
    'readyReplicas=7 collisionCount?=8 terminatingReplicas?=9',
  'apps.v1.DeploymentStrategy': 'type=1 rollingUpdate=2',
  'apps.v1.RollingUpdateDaemonSet': 'maxUnavailable?=1 maxSurge?=2',
  'apps.v1.RollingUpdateDeployment': 'maxUnavailable?=1 maxSurge?=2',
  'apps.v1.ReplicaSet': 'metadata=1 spec=2 status=3',
  'apps.v1.ReplicaSetCondition': 'type=1 status=2 lastTransitionTime=3 reason=4 message=5',
  'apps.v1.ReplicaSetSpec': 'replicas?=1 selector=2 template=3 minReadySeconds=4',
  'apps.v1.ReplicaSetStatus':
    'replicas=1 fullyLabeledReplicas=2 observedGeneration=3 readyReplicas=4 availableReplicas=5 conditions=6 ' +
    'terminatingReplicas?=7',
  'autoscaling.v1.Scale': 'metadata=1 spec=2 status=3',
  'autoscaling.v1.ScaleSpec': 'replicas=1',
  'autoscaling.v1.ScaleStatus': 'replicas=1 selector=2',
  'batch.v1.CronJob': 'metadata=1 spec=2 status=3',
  'batch.v1.CronJobSpec':
    'schedule=1 startingDeadlineSeconds?=2 concurrencyPolicy=3 suspend?=4 jobTemplate=5 successfulJobsHistoryLimit?=6 ' +
    'failedJobsHistoryLimit?=7 timeZone?=8',
  'batch.v1.CronJobStatus': 'active=1 lastScheduleTime=4 lastSuccessfulTime=5',
  'batch.v1.Job': 'metadata=1 spec=2 status=3',
  'batch.v1.JobCondition': 'type=1 status=2 lastProbeTime=3 lastTransitionTime=4 reason=5 message=6',
  'batch.v1.JobSpec':
    'parallelism?=1 completions?=2 activeDeadlineSeconds?=3 selector=4 manualSelector?=5 template=6 backoffLimit?=7 ' +
    'ttlSecondsAfterFinished?=8 completionMode?=9 suspend?=10 podFailurePolicy=11 backoffLimitPerIndex?=12 ' +
    'maxFailedIndexes?=13 podReplacementPolicy?=14 managedBy?=15 successPolicy=16',
  'batch.v1.JobStatus':
    'conditions=1 startTime=2 completionTime=3 active=4 succeeded=5 failed=6 completedIndexes=7 ' +
    'uncountedTerminatedPods=8 ready?=9 failedIndexes?=10 terminating?=11',
  'batch.v1.JobTemplateSpec': 'metadata=1 spec=2',
  'batch.v1.PodFailurePolicy': 'rules=1',
  'batch.v1.PodFailurePolicyOnExitCodesRequirement': 'containerName?=1 operator=2 values=3',
  'batch.v1.PodFailurePolicyOnPodConditionsPattern': 'type=1 status=2',
  'batch.v1.PodFailurePolicyRule': 'action=1 onExitCodes=2 onPodConditions=3',
  'batch.v1.SuccessPolicy': 'rules=1',
  'batch.v1.SuccessPolicyRule': 'succeededIndexes?=1 succeededCount?=2',
  'batch.v1.UncountedTerminatedPods': 'succeeded=1 failed=2',
  'events.v1.Event':
    'metadata=1 eventTime=2 series=3 reportingController=4 reportingInstance=5 action=6 reason=7 regarding=8 related=9 ' +
    'note=10 type=11 deprecatedSource=12 deprecatedFirstTimestamp=13 deprecatedLastTimestamp=14 deprecatedCount=15',
  'events.v1.EventSeries': 'count=1 lastObservedTime=2',
  'policy.v1.Eviction': 'metadata=1 deleteOptions=2',
  'scheduling.v1.PriorityClass': 'metadata=1 value=2 globalDefault=3 description=4 preemptionPolicy?=5',

  'core.v1.Affinity': 'nodeAffinity=1 podAffinity=2 podAntiAffinity=3',
  'core.v1.AppArmorProfile': 'type=1 localhostProfile?=2',
  'core.v1.Binding': 'metadata=1 target=2',
  'core.v1.Capabilities': 'add=1 drop=2',
  'core.v1.ConfigMap': 'metadata=1 data=2 binaryData=3 immutable?=4',
  'core.v1.ConfigMapEnvSource': '{name=1}=1 optional?=2',
  'core.v1.ConfigMapKeySelector': '{name=1}=1 key=2 optional?=3',
  'core.v1.ConfigMapProjection': '{name=1}=1 items=2 optional?=4',
  'core.v1.ConfigMapVolumeSource': '{name=1}=1 items=2 defaultMode?=3 optional?=4',
  'core.v1.Container': `${container} resizePolicy=23 restartPolicy?=24 restartPolicyRules=25`,
  'core.v1.ContainerImage': 'names=1 sizeBytes=2',
  'core.v1.ContainerPort': 'name=1 hostPort=2 containerPort=3 protocol=4 hostIP=5',
  'core.v1.ContainerResizePolicy': 'resourceName=1 restartPolicy=2',
  'core.v1.ContainerRestartRule': 'action=1 exitCodes=2',
  'core.v1.ContainerRestartRuleOnExitCodes': 'operator=1 values=2',
  'core.v1.ContainerState': 'waiting=1 running=2 terminated=3',
  'core.v1.ContainerStateRunning': 'startedAt=1',
  'core.v1.ContainerStateTerminated': 'exitCode=1 signal=2 reason=3 message=4 startedAt=5 finishedAt=6 containerID=7',
  'core.v1.ContainerStateWaiting': 'reason=1 message=2',
  'core.v1.ContainerStatus':
    'name=1 state=2 lastState=3 ready=4 restartCount=5 image=6 imageID=7 containerID=8 started?=9',
  'core.v1.DaemonEndpoint': 'Port=1',
  'core.v1.DownwardAPIProjection': 'items=1',
  'core.v1.DownwardAPIVolumeFile': 'path=1 fieldRef=2 resourceFieldRef=3 mode?=4',
  'core.v1.DownwardAPIVolumeSource': 'items=1 defaultMode?=2',
  'core.v1.EmptyDirVolumeSource': 'medium=1 sizeLimit=2',
  'core.v1.EnvFromSource': 'prefix=1 configMapRef=2 secretRef=3',
  'core.v1.EnvVar': 'name=1 value=2 valueFrom=3',
  'core.v1.EnvVarSource': 'fieldRef=1 resourceFieldRef=2 configMapKeyRef=3 secretKeyRef=4 fileKeyRef=5',
  'core.v1.EphemeralContainer': `{${container}}=1 targetContainerName=2`,
  'core.v1.Event':
    'metadata=1 involvedObject=2 reason=3 message=4 source=5 firstTimestamp=6 lastTimestamp=7 count=8 type=9 eventTime=10 ' +
    'series=11 action=12 related=13 reportingComponent=14 reportingInstance=15',
  'core.v1.EventSeries': 'count=1 lastObservedTime=2',
  'core.v1.EventSource': 'component=1 host=2',
  'core.v1.ExecAction': 'command=1',
  'core.v1.GRPCAction': 'port=1 service?=2',
  'core.v1.HTTPGetAction': 'path=1 port=2 host=3 scheme=4 httpHeaders=5',
  'core.v1.HTTPHeader': 'name=1 value=2',
  'core.v1.HostAlias': 'ip=1 hostnames=2',
  'core.v1.HostIP': 'ip=1',
  'core.v1.HostPathVolumeSource': 'path=1 type?=2',
  'core.v1.ImageVolumeSource': 'reference=1 pullPolicy=2',
  'core.v1.KeyToPath': 'key=1 path=2 mode?=3',
  'core.v1.Lifecycle': 'postStart=1 preStop=2 stopSignal?=3',
  'core.v1.LifecycleHandler': 'exec=1 httpGet=2 tcpSocket=3 sleep=4',
  'core.v1.LocalObjectReference': 'name=1',
  'core.v1.NFSVolumeSource': 'server=1 path=2 readOnly=3',
  'core.v1.Namespace': 'metadata=1 spec=2 status=3',
  'core.v1.NamespaceCondition': 'type=1 status=2 lastTransitionTime=4 reason=5 message=6',
  'core.v1.NamespaceSpec': 'finalizers=1',
  'core.v1.NamespaceStatus': 'phase=1 conditions=2',
  'core.v1.Node': 'metadata=1 spec=2 status=3',
  'core.v1.NodeAddress': 'type=1 address=2',
  'core.v1.NodeAffinity':
    'requiredDuringSchedulingIgnoredDuringExecution=1 preferredDuringSchedulingIgnoredDuringExecution=2',
  'core.v1.NodeCondition': 'type=1 status=2 lastHeartbeatTime=3 lastTransitionTime=4 reason=5 message=6',
  'core.v1.NodeDaemonEndpoints': 'kubeletEndpoint=1',
  'core.v1.NodeSelector': 'nodeSelectorTerms=1',
  'core.v1.NodeSelectorRequirement': 'key=1 operator=2 values=3',
  'core.v1.NodeSelectorTerm': 'matchExpressions=1 matchFields=2',
  'core.v1.NodeSpec': 'podCIDR=1 externalID=2 providerID=3 unschedulable=4 taints=5 configSource=6 podCIDRs=7',
  'core.v1.NodeStatus':
    'capacity=1 allocatable=2 phase=3 conditions=4 addresses=5 daemonEndpoints=6 nodeInfo=7 images=8 volumesInUse=9',
  'core.v1.NodeSystemInfo':
    'machineID=1 systemUUID=2 bootID=3 kernelVersion=4 osImage=5 containerRuntimeVersion=6 kubeletVersion=7 ' +
    'kubeProxyVersion=8 operatingSystem=9 architecture=10',
  'core.v1.ObjectFieldSelector': 'apiVersion=1 fieldPath=2',
  'core.v1.ObjectReference': 'kind=1 namespace=2 name=3 uid=4 apiVersion=5 resourceVersion=6 fieldPath=7',
  'core.v1.PersistentVolumeClaimVolumeSource': 'claimName=1 readOnly=2',
  'core.v1.Pod': 'metadata=1 spec=2 status=3',
  'core.v1.PodAffinity':
    'requiredDuringSchedulingIgnoredDuringExecution=1 preferredDuringSchedulingIgnoredDuringExecution=2',
  'core.v1.PodAffinityTerm':
    'labelSelector=1 namespaces=2 topologyKey=3 namespaceSelector=4 matchLabelKeys=5 mismatchLabelKeys=6',
  'core.v1.PodAntiAffinity':
    'requiredDuringSchedulingIgnoredDuringExecution=1 preferredDuringSchedulingIgnoredDuringExecution=2',
  'core.v1.PodCondition':
    'type=1 status=2 lastProbeTime=3 lastTransitionTime=4 reason=5 message=6 observedGeneration=7',
  'core.v1.PodDNSConfig': 'nameservers=1 searches=2 options=3',
  'core.v1.PodDNSConfigOption': 'name=1 value?=2',
  'core.v1.PodIP': 'ip=1',
  'core.v1.PodOS': 'name=1',
  'core.v1.PodReadinessGate': 'conditionType=1',
  'core.v1.PodResourceClaim': 'name=1 resourceClaimName?=3 resourceClaimTemplateName?=4',
  'core.v1.PodSchedulingGate': 'name=1',
  'core.v1.PodSecurityContext':
    'seLinuxOptions=1 runAsUser?=2 runAsNonRoot?=3 supplementalGroups=4 fsGroup?=5 runAsGroup?=6 sysctls=7 ' +
    'windowsOptions=8 fsGroupChangePolicy?=9 seccompProfile=10 appArmorProfile=11 supplementalGroupsPolicy?=12 ' +
    'seLinuxChangePolicy?=13',
  'core.v1.PodSpec':
    'volumes=1 containers=2 restartPolicy=3 terminationGracePeriodSeconds?=4 activeDeadlineSeconds?=5 dnsPolicy=6 ' +
    'nodeSelector=7 serviceAccountName=8 serviceAccount=9 nodeName=10 hostNetwork=11 hostPID=12 hostIPC=13 ' +
    'securityContext=14 imagePullSecrets=15 hostname=16 subdomain=17 affinity=18 schedulerName=19 initContainers=20 ' +
    'automountServiceAccountToken?=21 tolerations=22 hostAliases=23 priorityClassName=24 priority?=25 dnsConfig=26 ' +
    'shareProcessNamespace?=27 readinessGates=28 runtimeClassName?=29 enableServiceLinks?=30 preemptionPolicy?=31 ' +
    'overhead=32 topologySpreadConstraints=33 ephemeralContainers=34 setHostnameAsFQDN?=35 os=36 hostUsers?=37 ' +
    'schedulingGates=38 resourceClaims=39 resources=40 hostnameOverride?=41',
  'core.v1.PodStatus':
    'phase=1 conditions=2 message=3 reason=4 hostIP=5 podIP=6 startTime=7 containerStatuses=8 qosClass=9 ' +
    'initContainerStatuses=10 nominatedNodeName=11 podIPs=12 ephemeralContainerStatuses=13 resize=14 hostIPs=16 ' +
    'observedGeneration=17',
  'core.v1.PodTemplateSpec': 'metadata=1 spec=2',
  'core.v1.PreferredSchedulingTerm': 'weight=1 preference=2',
  'core.v1.Probe':
    '{exec=1 httpGet=2 tcpSocket=3 grpc=4}=1 initialDelaySeconds=2 timeoutSeconds=3 periodSeconds=4 successThreshold=5 ' +
    'failureThreshold=6 terminationGracePeriodSeconds?=7',
  'core.v1.ProjectedVolumeSource': 'sources=1 defaultMode?=2',
  'core.v1.ResourceClaim': 'name=1 request=2',
  'core.v1.ResourceFieldSelector': 'containerName=1 resource=2 divisor=3',
  'core.v1.ResourceRequirements': 'limits=1 requests=2 claims=3',
  'core.v1.SELinuxOptions': 'user=1 role=2 type=3 level=4',
  'core.v1.SeccompProfile': 'type=1 localhostProfile?=2',
  'core.v1.Secret': 'metadata=1 data=2 type=3 stringData=4 immutable?=5',
  'core.v1.SecretEnvSource': '{name=1}=1 optional?=2',
  'core.v1.SecretKeySelector': '{name=1}=1 key=2 optional?=3',
  'core.v1.SecretProjection': '{name=1}=1 items=2 optional?=4',
  'core.v1.SecretVolumeSource': 'secretName=1 items=2 defaultMode?=3 optional?=4',
  'core.v1.SecurityContext':
    'capabilities=1 privileged?=2 seLinuxOptions=3 runAsUser?=4 runAsNonRoot?=5 readOnlyRootFilesystem?=6 ' +
    'allowPrivilegeEscalation?=7 runAsGroup?=8 procMount?=9 windowsOptions=10 seccompProfile=11 appArmorProfile=12',
  'core.v1.ServiceAccount': 'metadata=1 secrets=2 imagePullSecrets=3 automountServiceAccountToken?=4',
  'core.v1.ServiceAccountTokenProjection': 'audience=1 expirationSeconds?=2 path=3',
  'core.v1.SleepAction': 'seconds=1',
  'core.v1.Sysctl': 'name=1 value=2',
  'core.v1.TCPSocketAction': 'port=1 host=2',
  'core.v1.Taint': 'key=1 value=2 effect=3 timeAdded=4',
  'core.v1.Toleration': 'key=1 operator=2 value=3 effect=4 tolerationSeconds?=5',
  'core.v1.TopologySpreadConstraint':
    'maxSkew=1 topologyKey=2 whenUnsatisfiable=3 labelSelector=4 minDomains?=5 nodeAffinityPolicy?=6 ' +
    'nodeTaintsPolicy?=7 matchLabelKeys=8',
  'core.v1.Volume':
    'name=1 {hostPath=1 emptyDir=2 gcePersistentDisk=3 awsElasticBlockStore=4 gitRepo=5 secret=6 nfs=7 iscsi=8 ' +
    'glusterfs=9 persistentVolumeClaim=10 rbd=11 flexVolume=12 cinder=13 cephfs=14 flocker=15 downwardAPI=16 fc=17 ' +
    'azureFile=18 configMap=19 vsphereVolume=20 quobyte=21 azureDisk=22 photonPersistentDisk=23 portworxVolume=24 ' +
    'scaleIO=25 projected=26 storageos=27 csi=28 ephemeral=29 image=30}=2',
  'core.v1.VolumeDevice': 'name=1 devicePath=2',
  'core.v1.VolumeMount':
    'name=1 readOnly=2 mountPath=3 subPath=4 mountPropagation?=5 subPathExpr=6 recursiveReadOnly?=7',
  'core.v1.VolumeProjection':
    'secret=1 downwardAPI=2 configMap=3 serviceAccountToken=4 clusterTrustBundle=5 podCertificate=6',
  'core.v1.WeightedPodAffinityTerm': 'weight=1 podAffinityTerm=2',
};

/** What a field number of a message stands for: a field of the type, or a message of further fields of the same type. */
export type Numbered =
  | { readonly is: 'field'; readonly name: string; readonly pointer: boolean }
  | { readonly is: 'part'; readonly fields: ReadonlyMap<number, Numbered> };

const parsed = new Map<TypeId, ReadonlyMap<number, Numbered>>();

/** The fields of a type by their numbers; empty for types that have no table. */
export function fieldsByNumber(type: TypeId): ReadonlyMap<number, Numbered> {
  let fields = parsed.get(type);
  if (!fields) {
    fields = parse(type, numbers[type] ?? '');
    parsed.set(type, fields);
  }
  return fields;
}

/** The types that have a table, for the test that each names fields of the schema. */
export const numberedTypes = (): TypeId[] => Object.keys(numbers) as TypeId[];

function parse(type: TypeId, text: string): ReadonlyMap<number, Numbered> {
  const fields = new Map<number, Numbered>();
  for (const [, part, name = '', pointer, number] of text.matchAll(/(?:\{([^}]*)\}|(\w+)(\?)?)=(\d+)/g)) {
    if (fields.has(Number(number))) throw new Error(`${type}: two fields have the number ${number ?? ''}`);
    if (part === undefined && !schemaOf(type).fields.has(name)) throw new Error(`${type} has no field ${name}`);
    fields.set(
      Number(number),
      part === undefined ? { is: 'field', name, pointer: pointer === '?' } : { is: 'part', fields: parse(type, part) },
    );
  }
  return fields;
}
