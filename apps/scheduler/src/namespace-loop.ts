import {
  type ClusterState,
  decideNamespace,
  emptyNamespace,
  type Millis,
  type NamespaceState,
  namespaceStream,
  type ObjectChange,
} from '#domain';
import { decideRemoval, streamOfObject } from './objects.js';
import type { Controller } from './reconcile-loop.js';
import { settleAll } from './settle-all.js';
import { type Cause, footingOf, type Outcome } from './term.js';
import type { Workplace } from './workplace.js';

/** Objects told to go in one pass; the next pass goes on. */
const REMOVALS_PER_PASS = 500;

/** Empties namespaces that are being deleted, and finalizes them. Its keys are names of namespaces. */
export class NamespaceLoop implements Controller {
  readonly name = 'namespaces';

  constructor(private readonly workplace: Workplace) {}

  *all(state: ClusterState): Iterable<string> {
    for (const { meta } of state.namespaces()) if (meta.deletion) yield meta.name;
  }

  concerned({ kind, before, after }: ObjectChange, state: ClusterState): Iterable<string> {
    const meta = (after ?? before)?.meta;
    if (!meta || kind === 'Event') return [];
    const name = kind === 'Namespace' ? meta.name : meta.namespace;
    return name !== '' && state.namespace(name)?.meta.deletion ? [name] : [];
  }

  async reconcile(name: string, cause: Cause | undefined): Promise<Millis | undefined> {
    const { projection, clock } = this.workplace;
    const { state } = projection;
    const namespace = state.namespace(name);
    if (!namespace) return undefined;
    const { remove, finalize } = emptyNamespace(namespace, state.inNamespace(name));
    const footing = footingOf(state, [namespaceStream(name)]);
    const outcomes = await settleAll([
      ...remove.slice(0, REMOVALS_PER_PASS).map((object): Promise<Outcome> => {
        const stream = streamOfObject(object);
        return this.workplace.term.execute({
          ...(cause && { cause }),
          footing: footingOf(state, [stream]),
          decide: (current) =>
            decideRemoval(current, object, stream, { reason: 'NamespaceTerminating', propagation: 'Background' }),
        });
      }),
      // Whoever makes something in a namespace guards its stream, so nothing can have come into one found empty.
      ...(finalize ? [this.#finalize(namespace, footing, cause)] : []),
    ]);
    return outcomes.includes('moved') || remove.length > REMOVALS_PER_PASS ? clock.now() : undefined;
  }

  #finalize(
    { meta }: NamespaceState,
    footing: ReturnType<typeof footingOf>,
    cause: Cause | undefined,
  ): Promise<Outcome> {
    const stream = namespaceStream(meta.name);
    const command = { type: 'FinalizeNamespace', uid: meta.uid } as const;
    return this.workplace.term.execute({
      ...(cause && { cause }),
      footing,
      decide: (state) =>
        state.inNamespace(meta.name).length > 0
          ? []
          : [{ stream, events: decideNamespace(command, state.namespace(meta.name)) }],
    });
  }
}
