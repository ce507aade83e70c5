import type { JsonObject } from '../json.js';

/*
 * What probes and lifecycle hooks do, as a stored spec has it: validated and defaulted.
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#LifecycleHandler
 */

export interface ExecAction extends JsonObject {
  /** Run as it is, without a shell, in the container. */
  readonly command?: readonly string[];
}

/** A number, or the name of one of the container's ports. */
export type PortReference = number | string;

export interface HttpGetAction extends JsonObject {
  readonly path?: string;
  readonly port: PortReference;
  /** Default: the pod's address. */
  readonly host?: string;
  readonly scheme?: 'HTTP' | 'HTTPS';
  readonly httpHeaders?: readonly { readonly name: string; readonly value: string }[];
}

export interface TcpSocketAction extends JsonObject {
  readonly port: PortReference;
  /** Default: the pod's address. */
  readonly host?: string;
}

export interface GrpcAction extends JsonObject {
  readonly port: number;
  /** Default: `""`, the server as a whole. */
  readonly service?: string;
}

/** Exactly one member is present. */
export interface Handler extends JsonObject {
  readonly exec?: ExecAction;
  readonly httpGet?: HttpGetAction;
  readonly tcpSocket?: TcpSocketAction;
  /** Probes only. */
  readonly grpc?: GrpcAction;
  /** Hooks only. */
  readonly sleep?: { readonly seconds: number };
}

/** Kubernetes' Probe. */
export interface Probe extends Handler {
  readonly initialDelaySeconds?: number;
  readonly timeoutSeconds?: number;
  readonly periodSeconds?: number;
  readonly successThreshold?: number;
  readonly failureThreshold?: number;
  /** Instead of the pod's, when this probe has its container killed. */
  readonly terminationGracePeriodSeconds?: number;
}

/** Kubernetes' Lifecycle. */
export interface Lifecycle extends JsonObject {
  readonly postStart?: Handler;
  readonly preStop?: Handler;
  /** `SIGUSR1`. Default: the image's, else SIGTERM. */
  readonly stopSignal?: string;
}
