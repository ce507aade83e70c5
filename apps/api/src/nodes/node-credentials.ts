import { nodeStream, type Clock, type Unsubscribe } from '#domain';
import type { NodeKeyFiles } from '#bus';
import type { ClusterProjection } from '#eventlog';

export interface NodeCredentialsOptions {
  readonly projection: ClusterProjection;
  readonly clock: Clock;
  readonly keys: NodeKeyFiles;
  /** Makes NATS refuse these keys for good; doing it again changes nothing. Rejects when it is not known to be in force. */
  readonly revoke: (publicKeys: readonly string[]) => Promise<void>;
  readonly report: (problem: string) => void;
}

/**
 * How long a deleted node may still listen: its executor hears that it has no pods any more, and removes them. Milliseconds;
 * several heartbeats.
 */
const FAREWELL_MS = 30_000;
/** Pause between tries while NATS does not take a revocation. */
const RETRY_MS = 10_000;

/**
 * Takes a deleted node's credential away. It follows from the log, so an API that was down when the node was deleted does it
 * at its next start.
 */
export class NodeCredentials {
  private readonly timers = new Set<() => void>();
  private stopped = false;

  constructor(private readonly options: NodeCredentialsOptions) {}

  async start(): Promise<Unsubscribe> {
    const { projection, keys } = this.options;
    const unsubscribe = projection.onChanges((changes) => {
      for (const { before, after } of changes) if (before?.kind === 'Node' && !after) this.soon(before.meta.name);
    });
    for (const node of await keys.nodes()) if (this.isDeleted(node)) this.soon(node);
    return () => {
      this.stopped = true;
      unsubscribe();
      for (const cancel of this.timers) cancel();
    };
  }

  /** A node that has joined and not registered yet is not deleted: its stream is empty. */
  private isDeleted(node: string): boolean {
    const { state } = this.options.projection;
    return state.node(node) === undefined && state.version(nodeStream(node)) > 0;
  }

  private soon(node: string, afterMs = FAREWELL_MS): void {
    const cancel = this.options.clock.after(afterMs, () => {
      this.timers.delete(cancel);
      void this.revoke(node);
    });
    this.timers.add(cancel);
  }

  private async revoke(node: string): Promise<void> {
    const { keys, revoke, report } = this.options;
    if (this.stopped || !this.isDeleted(node)) return;
    try {
      const publicKeys = await keys.of(node);
      if (publicKeys.length === 0) return;
      await revoke(publicKeys);
      await keys.forget(node);
    } catch (error) {
      report(
        `the credential of the deleted node ${node} is not revoked yet: ${error instanceof Error ? error.message : String(error)}`,
      );
      if (!this.stopped) this.soon(node, RETRY_MS);
    }
  }
}
