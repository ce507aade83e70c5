import {
  configRefsOf,
  type ConfigRefs,
  type MessageBus,
  type ObjectChange,
  type PodSpec,
  type PodState,
} from '#domain';
import { configChangedSubject, isNodeName, type ConfigChanged } from '#bus';
import type { ClusterProjection } from '#eventlog';

type Config = NonNullable<ObjectChange['after']> & { readonly kind: 'ConfigMap' | 'Secret' };

const isConfig = (object: ObjectChange['after']): object is Config =>
  object?.kind === 'ConfigMap' || object?.kind === 'Secret';

/**
 * Tells nodes that what one of their pods names has changed, has come or has gone. Only the active relay's speaks. It is a hint:
 * nodes that miss it ask again anyway.
 */
export class ConfigPublisher {
  private active = false;
  /** Specs are shared from one state of a pod to the next, so each is read once. */
  private readonly refs = new WeakMap<PodSpec, ConfigRefs>();
  private readonly unsubscribe: () => void;

  /** To be made when the projection has started. */
  constructor(
    private readonly projection: ClusterProjection,
    private readonly bus: MessageBus,
  ) {
    this.unsubscribe = projection.onChanges((changes, revision) => {
      if (this.active) this.tell(changes, revision);
    });
  }

  activate(): void {
    this.active = true;
  }

  deactivate(): void {
    this.active = false;
  }

  stop(): void {
    this.unsubscribe();
  }

  private tell(changes: readonly ObjectChange[], revision: number): void {
    const changed = changes.map(({ before, after }) => after ?? before).filter(isConfig);
    const uids = new Map<string, Set<string>>();
    for (const config of changed) {
      for (const pod of this.projection.state.list('Pod', config.meta.namespace)) {
        if (pod.kind !== 'Pod' || pod.nodeName === undefined || pod.terminated || !this.names(pod, config)) continue;
        const known = uids.get(pod.nodeName);
        if (known) known.add(pod.meta.uid);
        else uids.set(pod.nodeName, new Set([pod.meta.uid]));
      }
    }
    for (const [node, pods] of uids) {
      if (!isNodeName(node)) continue;
      const hint: ConfigChanged = { node, revision, uids: [...pods] };
      this.bus.publish(configChangedSubject(node), hint);
    }
  }

  private names({ spec }: PodState, { kind, meta }: Config): boolean {
    let refs = this.refs.get(spec);
    if (!refs) {
      refs = configRefsOf(spec);
      this.refs.set(spec, refs);
    }
    return (kind === 'Secret' ? refs.secrets : refs.configMaps).some(({ name }) => name === meta.name);
  }
}
