import {
  configMapStream,
  configRefsOf,
  DomainError,
  secretStream,
  type ClusterState,
  type StoredObject,
} from '#domain';
import { sealSecret, type ConfigMapContent, type ConfigReply, type ConfigRequest, type SecretContent } from '#bus';
import type { ClusterProjection } from '#eventlog';
import { untilLatest } from '../read/revisions.js';
import { secrets } from '../resources/secrets.js';
import { textAt, textsAt } from '../resources/wire-values.js';
import type { RandomBytes } from '../secrets/object-key.js';
import type { SecretKeys } from '../secrets/secret-keys.js';
import { refuseStale } from './stale-node.js';

/** A page is full once it has so many characters. One object more, sealed, stays below what the bus takes in one message. */
const PAGE_CHARACTERS = 4 * 1024 * 1024;

interface Wanted {
  readonly kind: 'ConfigMap' | 'Secret';
  readonly name: string;
}

/** Tells a node the configuration that its pods name: config maps as they are, secrets sealed to the node's own key. */
export class PodConfigDesk {
  constructor(
    private readonly projection: ClusterProjection,
    private readonly keys: SecretKeys,
    private readonly random?: RandomBytes,
  ) {}

  /**
   * One page of what a pod names, as the log has it now. Throws `DomainError`: NotFound of a pod that is not bound to the node,
   * StaleNode of another epoch, Invalid of a node that gave no key.
   */
  async answer({ node, nodeEpoch, uid, from = 0 }: ConfigRequest): Promise<ConfigReply> {
    const { projection } = this;
    await untilLatest(projection);
    const { state, revision } = projection;
    refuseStale(state, node, nodeEpoch);
    const pod = state.podByUid(uid);
    if (!pod || pod.nodeName !== node) throw new DomainError('NotFound', `no pod ${uid} is bound to node ${node}`);
    const { configMaps, secrets: named } = configRefsOf(pod.spec);
    const wanted: Wanted[] = [
      ...configMaps.map(({ name }): Wanted => ({ kind: 'ConfigMap', name })),
      ...named.map(({ name }): Wanted => ({ kind: 'Secret', name })),
    ];
    const contents = await this.contentsOf(wanted.slice(from), pod.meta.namespace, state);
    const maps: [string, ConfigMapContent][] = [];
    const boxes: [string, string][] = [];
    let characters = 0;
    let next = from;
    for (const { kind, name } of wanted.slice(from)) {
      if (characters > PAGE_CHARACTERS) break;
      next += 1;
      const content = contents.get(`${kind} ${name}`);
      if (!content) continue;
      characters += JSON.stringify(content).length;
      if ('type' in content) boxes.push([name, this.sealed(content, { node, uid, name }, state)]);
      else maps.push([name, content]);
    }
    return {
      revision,
      configMaps: Object.fromEntries(maps),
      secrets: Object.fromEntries(boxes),
      ...(next < wanted.length && { next }),
    };
  }

  /** What there is of the wanted, by kind and name. A secret whose key is destroyed is not there any more. */
  private async contentsOf(
    wanted: readonly Wanted[],
    namespace: string,
    state: ClusterState,
  ): Promise<ReadonlyMap<string, ConfigMapContent | SecretContent>> {
    const found = wanted.flatMap(({ kind, name }): StoredObject[] => {
      const stream = kind === 'Secret' ? secretStream(namespace, name) : configMapStream(namespace, name);
      const object = state.get(stream);
      return object ? [object] : [];
    });
    const keys = await this.keys.of(found.flatMap(({ kind, meta }) => (kind === 'Secret' ? [meta.uid] : [])));
    return new Map(
      found.flatMap((object): [string, ConfigMapContent | SecretContent][] => {
        const { kind, meta } = object;
        const key = keys.get(meta.uid);
        if (kind === 'Secret' && !key) return [];
        const wire = secrets.wire(kind === 'Secret' ? (secrets.reveal?.(object, key) ?? object) : object);
        const content =
          kind === 'Secret'
            ? { type: textAt(wire, 'type') ?? 'Opaque', data: textsAt(wire, 'data') }
            : { data: textsAt(wire, 'data'), binaryData: textsAt(wire, 'binaryData') };
        return [[`${kind} ${meta.name}`, content]];
      }),
    );
  }

  private sealed(content: SecretContent, label: Parameters<typeof sealSecret>[2], state: ClusterState): string {
    const publicKey = state.node(label.node)?.description.sealKey ?? '';
    return this.random ? sealSecret(content, publicKey, label, this.random) : sealSecret(content, publicKey, label);
  }
}
