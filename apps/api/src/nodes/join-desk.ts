import { DomainError, saysNotReady, type Clock, type MessageBus, type Unsubscribe } from '#domain';
import {
  answer,
  controlPlaneQueue,
  joinCall,
  joinSubject,
  nodeUserJwt,
  type JoinTokens,
  type JoinReply,
  type JoinRequest,
  type NatsKeys,
} from '#bus';
import type { ClusterProjection } from '#eventlog';

export interface JoinDeskOptions {
  readonly projection: ClusterProjection;
  readonly bus: MessageBus;
  readonly clock: Clock;
  readonly cluster: string;
  readonly tokens: JoinTokens;
  /** Absent where the operator runs NATS and hands out credentials. */
  readonly keys?: NatsKeys;
  /** Told of every key that is let in, before its credential leaves. */
  readonly onIssued?: (node: string, publicKey: string) => Promise<void>;
}

/** Lets machines in: a one-time token and a public key for a credential that can act as that one node. */
export class JoinDesk {
  constructor(private readonly options: JoinDeskOptions) {}

  start(): Unsubscribe {
    return answer(this.options.bus, joinSubject, controlPlaneQueue, joinCall, (request) => this.join(request));
  }

  private async join({ token, node, publicKey }: JoinRequest): Promise<JoinReply> {
    const { projection, clock, cluster, tokens, keys, onIssued } = this.options;
    const known = projection.state.node(node);
    // A name that answers belongs to somebody; that one must be deleted first.
    if (known && (known.ready.status === 'True' || saysNotReady(known)))
      throw new DomainError('AlreadyExists', `node ${node} is there and heard`);
    await tokens.redeem(token, node, publicKey);
    await onIssued?.(node, publicKey);
    return keys ? { cluster, jwt: nodeUserJwt(keys, node, publicKey, clock.now()) } : { cluster };
  }
}
