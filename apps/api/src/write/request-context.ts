import type { EventContext } from '#domain';

/** Who asks, and under which id everything that follows from it is found. */
export interface RequestContext {
  readonly user: string;
  readonly requestId: string;
  readonly userAgent?: string;
}

export function eventContextOf({ user, requestId }: RequestContext): EventContext {
  return { actor: { kind: 'user', name: user }, requestId, correlationId: requestId };
}

/** What the API does of its own accord: the namespaces that are always there, the registration of nodes. */
export const systemContext = (requestId: string): EventContext => ({
  actor: { kind: 'system', name: 'podledger-api' },
  requestId,
  correlationId: requestId,
});
