import { assignmentDelta, type JsonObject, type MessageBus, type ObjectChange, type Revision } from '#domain';
import { assignSubject, isNodeName, type DeltaAssignment } from '#bus';
import type { ClusterProjection } from '#eventlog';

/**
 * Tells each node what changes in its assignment, as it changes. Only the active relay's speaks; the others keep count, so that
 * one that takes over goes on with the right `prev`. A delta that is lost costs the node a full assignment, nothing else.
 */
export class AssignmentPublisher {
  private active = false;
  private readonly known = new Map<string, Revision>();
  private readonly unsubscribe: () => void;

  /** To be made when the projection has started. */
  constructor(
    private readonly projection: ClusterProjection,
    private readonly bus: MessageBus,
    private readonly cluster: string,
  ) {
    for (const { meta } of projection.state.nodes())
      this.known.set(meta.name, projection.state.assignmentRevision(meta.name));
    this.unsubscribe = projection.onChanges((changes) => this.tell(changes));
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

  private tell(changes: readonly ObjectChange[]): void {
    const upserts = new Map<string, Map<string, JsonObject | undefined>>();
    for (const change of changes) {
      const delta = assignmentDelta(change);
      const node = delta?.node ?? (change.kind === 'Node' ? (change.after ?? change.before)?.meta.name : undefined);
      if (node === undefined) continue;
      const pods = upserts.get(node) ?? new Map<string, JsonObject | undefined>();
      // The newest of several changes of one pod is all that counts.
      if (delta) pods.set(delta.uid, delta.upsert && asMessage(delta.upsert));
      upserts.set(node, pods);
    }
    for (const [node, pods] of upserts) this.tellNode(node, pods);
  }

  private tellNode(node: string, pods: ReadonlyMap<string, JsonObject | undefined>): void {
    const { state } = this.projection;
    const prev = this.known.get(node) ?? 0;
    const revision = state.assignmentRevision(node);
    if (revision === prev) return;
    this.known.set(node, revision);
    const nodeEpoch = state.node(node)?.nodeEpoch;
    if (!this.active || nodeEpoch === undefined || pods.size === 0 || !isNodeName(node)) return;
    const delta: DeltaAssignment = {
      kind: 'delta',
      cluster: this.cluster,
      node,
      nodeEpoch,
      prev,
      revision,
      upserts: [...pods.values()].filter((pod) => pod !== undefined),
      removed: [...pods].filter(([, pod]) => pod === undefined).map(([uid]) => uid),
    };
    this.bus.publish(assignSubject(node), delta);
  }
}

/** The domain's form travels as it is: it is JSON by construction. */
export const asMessage = (value: object): JsonObject => value as JsonObject;
