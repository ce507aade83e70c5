import {
  type ClusterState,
  decidePlain,
  DEFAULT_SERVICE_ACCOUNT,
  type Millis,
  namespaceStream,
  type ObjectChange,
  serviceAccountStream,
} from '#domain';
import type { Controller } from './reconcile-loop.js';
import { type Cause, footingOf } from './term.js';
import type { Workplace } from './workplace.js';

/** Gives every namespace its default service account, also again after somebody deleted it. Its keys are names of namespaces. */
export class ServiceAccountLoop implements Controller {
  readonly name = 'service accounts';

  constructor(private readonly workplace: Workplace) {}

  *all(state: ClusterState): Iterable<string> {
    for (const { meta } of state.namespaces()) if (isMissing(state, meta.name)) yield meta.name;
  }

  concerned({ kind, before, after }: ObjectChange, state: ClusterState): Iterable<string> {
    const meta = (after ?? before)?.meta;
    if (!meta || (kind !== 'Namespace' && kind !== 'ServiceAccount')) return [];
    const namespace = kind === 'Namespace' ? meta.name : meta.namespace;
    return isMissing(state, namespace) ? [namespace] : [];
  }

  async reconcile(namespace: string, cause: Cause | undefined): Promise<Millis | undefined> {
    const { projection, term, ids, clock } = this.workplace;
    const { state } = projection;
    if (!isMissing(state, namespace)) return undefined;
    const stream = serviceAccountStream(namespace, DEFAULT_SERVICE_ACCOUNT);
    const meta = {
      uid: ids.uuid(),
      labels: {},
      annotations: {},
      ownerReferences: [],
      finalizers: [],
      fieldManager: 'podledger-service-account-controller',
      managedFields: [],
    };
    const command = {
      type: 'RequestPlainObject',
      kind: 'ServiceAccount',
      name: DEFAULT_SERVICE_ACCOUNT,
      meta,
      body: {},
    } as const;
    const outcome = await term.execute({
      ...(cause && { cause }),
      // Whoever makes something in a namespace stands on its stream, so that nothing comes into one that was found empty.
      footing: footingOf(state, [namespaceStream(namespace), stream]),
      decide: () => [{ stream, events: decidePlain(command, undefined) }],
    });
    return outcome === 'moved' ? clock.now() : undefined;
  }
}

function isMissing(state: ClusterState, namespace: string): boolean {
  const home = state.namespace(namespace);
  return (
    home !== undefined &&
    !home.meta.deletion &&
    state.get(serviceAccountStream(namespace, DEFAULT_SERVICE_ACCOUNT)) === undefined
  );
}
