import type { Millis, NewEvent } from '../event.js';
import type { JsonObject } from '../json.js';
import type { ChangeRequest, ChangedData, ObjectMeta, Preconditions, RequestedMeta } from '../meta/object-meta.js';
import type { Taint } from '../pod/pod-spec.js';

export interface NodeCapacity {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly pods: number;
}

/** What an executor says of its node when it registers. */
export interface NodeDescription {
  readonly labels: Readonly<Record<string, string>>;
  readonly capacity: NodeCapacity;
  readonly allocatable: NodeCapacity;
  /** Kubernetes' `status.nodeInfo`. */
  readonly info: Readonly<Record<string, string>>;
  readonly addresses: readonly { readonly type: string; readonly address: string }[];
  /** Changes when the engine's state was lost. */
  readonly engineId: string;
  /** Public key that secrets for this node are sealed to; another after each start of its executor. */
  readonly sealKey?: string;
}

export type NodeEvent =
  | NewEvent<
      'NodeJoined',
      {
        readonly uid: string;
        readonly nodeEpoch: number;
        readonly podCIDR: string;
        readonly description: NodeDescription;
      }
    >
  /** The executor came back, or another took the name over: from here on, only this epoch's messages count. */
  | NewEvent<
      'NodeRegistered',
      {
        readonly nodeEpoch: number;
        readonly description: NodeDescription;
        /** Of a node that had none, because a client had made it before its executor came. */
        readonly podCIDR?: string;
      }
    >
  | NewEvent<'NodeChanged', ChangedData>
  | NewEvent<'NodeBecameReady', { readonly reason: string; readonly message: string }>
  | NewEvent<
      'NodeBecameNotReady',
      {
        readonly reason: string;
        readonly message: string;
        readonly lastHeartbeatAt?: Millis;
        /** `False`: the node itself says that it cannot run pods. Absent, or `Unknown`: it is not heard. */
        readonly status?: 'False' | 'Unknown';
      }
    >
  /** Its pods are given up; the epoch is raised, so nothing it still says counts until it registers again. */
  | NewEvent<'NodeLost', { readonly nodeEpoch: number; readonly message: string }>
  | NewEvent<'NodeDeleted', { readonly uid: string }>
  | NewEvent<'NodeDeletionRequested', Record<string, never>>;

export interface NodeState {
  readonly kind: 'Node';
  readonly meta: ObjectMeta;
  readonly nodeEpoch: number;
  /** Empty until an executor has registered, unless the client that made the node said it. */
  readonly podCIDR: string;
  readonly description: NodeDescription;
  readonly unschedulable: boolean;
  /** Those clients set and those that follow from readiness and cordon. */
  readonly taints: readonly Taint[];
  readonly ready: {
    readonly status: 'True' | 'False' | 'Unknown';
    readonly reason: string;
    readonly message: string;
    readonly since: Millis;
  };
  /** The loss is on record and the node has not registered since. */
  readonly lost: boolean;
  /** What clients wrote through `/status`: conditions of their own. */
  readonly clientStatus?: JsonObject;
}

export type NodeCommand =
  | {
      readonly type: 'RegisterNode';
      readonly name: string;
      readonly uid: string;
      readonly podCIDR: string;
      readonly description: NodeDescription;
      /** Version of the node's stream: keeps epochs growing also across a deletion of the node. */
      readonly streamVersion: number;
    }
  /** `kubectl create -f node.yaml`: an object without an executor yet; NotReady until one registers. */
  | {
      readonly type: 'RequestNode';
      readonly name: string;
      readonly podCIDR?: string;
      readonly meta: RequestedMeta;
      readonly spec: JsonObject;
    }
  | ({ readonly type: 'ChangeNode'; readonly status?: JsonObject } & ChangeRequest)
  | { readonly type: 'RecordNodeReady'; readonly nodeEpoch: number }
  | {
      readonly type: 'RecordNodeSilent';
      readonly nodeEpoch: number;
      readonly lastHeartbeatAt?: Millis;
      readonly message: string;
    }
  /** The node is heard, and says that it cannot run pods. */
  | { readonly type: 'RecordNodeNotReady'; readonly nodeEpoch: number; readonly message: string }
  | { readonly type: 'RecordNodeLost'; readonly nodeEpoch: number; readonly message: string }
  | { readonly type: 'DeleteNode'; readonly preconditions: Preconditions };
