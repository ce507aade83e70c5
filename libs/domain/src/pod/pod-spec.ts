import type { JsonObject } from '../json.js';
import type { Lifecycle, Probe } from './handlers.js';

/**
 * The parts of Kubernetes' PodSpec that rules read. A stored spec is the whole spec, defaulted, as the client gave it:
 * fields not named here are kept and ignored.
 */
export interface PodSpec extends JsonObject {
  readonly containers: readonly Container[];
  /** Run one after another before the containers; those that restart always are sidecars and stay beside them. */
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly Volume[];
  readonly restartPolicy: 'Always' | 'OnFailure' | 'Never';
  readonly nodeName?: string;
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly affinity?: Affinity;
  readonly tolerations?: readonly Toleration[];
  readonly schedulerName: string;
  readonly schedulingGates?: readonly SchedulingGate[];
  readonly terminationGracePeriodSeconds: number;
  readonly shareProcessNamespace?: boolean;
  readonly hostname?: string;
  /** Conditions that clients set and that the pod's readiness waits for. */
  readonly readinessGates?: readonly { readonly conditionType: string }[];
}

export interface Affinity extends JsonObject {
  readonly nodeAffinity?: { readonly requiredDuringSchedulingIgnoredDuringExecution?: NodeSelector };
}

/** One of the terms must hold. */
export interface NodeSelector extends JsonObject {
  readonly nodeSelectorTerms: readonly NodeSelectorTerm[];
}

/** All of it must hold. */
export interface NodeSelectorTerm extends JsonObject {
  /** Of labels. */
  readonly matchExpressions?: readonly NodeSelectorRequirement[];
  /** Of `metadata.name`. */
  readonly matchFields?: readonly NodeSelectorRequirement[];
}

export interface NodeSelectorRequirement extends JsonObject {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt';
  readonly values?: readonly string[];
}

export interface SchedulingGate extends JsonObject {
  readonly name: string;
}

export interface Container extends JsonObject {
  readonly name: string;
  readonly image: string;
  readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never';
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly workingDir?: string;
  readonly env?: readonly EnvVar[];
  readonly envFrom?: readonly EnvFromSource[];
  readonly ports?: readonly ContainerPort[];
  readonly resources?: Resources;
  readonly volumeMounts?: readonly VolumeMount[];
  readonly stdin?: boolean;
  readonly tty?: boolean;
  /** Instead of the pod's. `Always` on an init container makes it a sidecar. */
  readonly restartPolicy?: PodSpec['restartPolicy'];
  readonly restartPolicyRules?: readonly ContainerRestartRule[];
  readonly startupProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly lifecycle?: Lifecycle;
}

/** Kubernetes' ContainerRestartRule: what an exit code leads to, whatever the policy. The first that matches counts. */
export interface ContainerRestartRule extends JsonObject {
  readonly action: 'Restart' | 'RestartAllContainers';
  readonly exitCodes?: { readonly operator: 'In' | 'NotIn'; readonly values?: readonly number[] };
}

export interface EnvVar extends JsonObject {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: EnvVarSource;
}

/** All entries of a ConfigMap or Secret as variables, their names after `prefix`. */
export interface EnvFromSource extends JsonObject {
  readonly prefix?: string;
  readonly configMapRef?: { readonly name?: string; readonly optional?: boolean };
  readonly secretRef?: { readonly name?: string; readonly optional?: boolean };
}

/** One entry of a ConfigMap or Secret. */
export interface KeyRef extends JsonObject {
  readonly name?: string;
  readonly key: string;
  readonly optional?: boolean;
}

export interface EnvVarSource extends JsonObject {
  readonly configMapKeyRef?: KeyRef;
  readonly secretKeyRef?: KeyRef;
  readonly fieldRef?: { readonly fieldPath: string };
  readonly resourceFieldRef?: {
    readonly resource: string;
    readonly containerName?: string;
    readonly divisor?: Quantity;
  };
}

export interface ContainerPort extends JsonObject {
  readonly name?: string;
  readonly containerPort: number;
  readonly protocol?: 'TCP' | 'UDP' | 'SCTP';
  readonly hostPort?: number;
  readonly hostIP?: string;
}

/** As sent: `"500m"`, `"64Mi"`, `1`. Read through {@link parseQuantity}. */
export type Quantity = string | number;

export interface Resources extends JsonObject {
  readonly requests?: Readonly<Record<string, Quantity>>;
  readonly limits?: Readonly<Record<string, Quantity>>;
}

export interface VolumeMount extends JsonObject {
  readonly name: string;
  readonly mountPath: string;
  readonly readOnly?: boolean;
}

export interface Volume extends JsonObject {
  readonly name: string;
  readonly emptyDir?: { readonly medium?: string; readonly sizeLimit?: Quantity };
}

export interface Toleration extends JsonObject {
  readonly key?: string;
  readonly operator?: 'Exists' | 'Equal';
  readonly value?: string;
  readonly effect?: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
  readonly tolerationSeconds?: number;
}

export interface Taint extends JsonObject {
  readonly key: string;
  readonly value?: string;
  readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
  /** RFC 3339; set for NoExecute. */
  readonly timeAdded?: string;
}

/** Kubernetes' LabelSelector. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
    readonly values?: readonly string[];
  }[];
}
