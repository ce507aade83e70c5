import type { Check } from '#domain';

export type NetworkCheck = Extract<Check, { type: 'http' | 'tcp' | 'grpc' }>;

/** What a server answered. */
export type NetworkAnswer =
  | { readonly type: 'http'; readonly status: number }
  /** It took the connection. */
  | { readonly type: 'tcp' }
  /** `status` of grpc.health.v1's HealthCheckResponse. */
  | { readonly type: 'grpc'; readonly servingStatus: number };

/** No answer, or none that means anything; the message is for people, in the words they know from kubelet. */
export class NoUsableAnswer extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'NoUsableAnswer';
  }
}

/** Asks servers in pods over the network. What their answers mean is not its business. */
export interface Prober {
  /** Throws {@link NoUsableAnswer}, at the latest after `timeoutMs`. */
  ask(check: NetworkCheck, timeoutMs: number): Promise<NetworkAnswer>;
}
