import {
  type ClusterState,
  decidePod,
  type Evictions,
  evictByTaints,
  isInMassOutage,
  type Millis,
  nodeStream,
  type ObjectChange,
  type PodState,
  saysNotReady,
  strandedPods,
} from '#domain';
import { decideRemoval, podAt, streamOfObject } from './objects.js';
import type { Controller } from './reconcile-loop.js';
import { settleAll } from './settle-all.js';
import { type Cause, footingOf, type Outcome } from './term.js';
import type { Workplace } from './workplace.js';

/** Ends pods that their node's taints drive out, and pods whose node is not there. Its keys are names of nodes. */
export class EvictionLoop implements Controller {
  readonly name = 'evictions';
  /** Nodes that say they cannot run pods: in a mass outage, or since when this term has patience with them. */
  readonly #outages = new Map<string, 'lasts' | Millis>();

  constructor(private readonly workplace: Workplace) {}

  all(state: ClusterState): Iterable<string> {
    const names = new Set([...state.nodes()].map(({ meta }) => meta.name));
    for (const { nodeName } of state.pods()) if (nodeName !== undefined) names.add(nodeName);
    return names;
  }

  concerned({ kind, before, after }: ObjectChange, state: ClusterState): Iterable<string> {
    if (kind === 'Node') {
      const name = (after ?? before)?.meta.name;
      if (name === undefined) return [];
      const turned = readiness(before) !== readiness(after);
      return new Set([name, ...(turned ? this.#outages.keys() : [])]);
    }
    if (after?.kind !== 'Pod' || after.nodeName === undefined) return [];
    const node = state.node(after.nodeName);
    const isAtRisk = !node || node.taints.some(({ effect }) => effect === 'NoExecute');
    return isAtRisk ? [after.nodeName] : [];
  }

  async reconcile(name: string, cause: Cause | undefined): Promise<Millis | undefined> {
    const { projection, clock } = this.workplace;
    const { state } = projection;
    const node = state.node(name);
    const now = clock.now();
    const patienceFrom = this.#patienceWith(name, state, now);
    const judge = (current: ClusterState, pods: readonly PodState[]): Evictions => {
      const known = current.node(name);
      if (known) return evictByTaints(known, pods, now, patienceFrom);
      return strandedPods(name, pods, now, { existed: current.version(nodeStream(name)) > 0 });
    };
    const { now: due, nextAt } = judge(state, state.podsOnNode(name));
    const outcomes = await settleAll(
      due.map(({ pod, message }): Promise<Outcome> => {
        const stream = streamOfObject(pod);
        return this.workplace.term.execute({
          ...(cause && { cause }),
          footing: footingOf(state, [stream, nodeStream(name)]),
          decide: (current) =>
            node
              ? decideRemoval(current, pod, stream, {
                  reason: 'TaintNotTolerated',
                  propagation: 'Background',
                  message,
                })
              : [{ stream, events: decidePod(giveUp(pod, message), podAt(current, stream)) }],
        });
      }),
    );
    return outcomes.includes('moved') ? clock.now() : nextAt;
  }

  /**
   * From when the trouble of a node that says it cannot run pods counts against them: not while many have it at once, and
   * anew after that and after a takeover.
   */
  #patienceWith(name: string, state: ClusterState, now: Millis): Millis {
    const node = state.node(name);
    const before = this.#outages.get(name);
    if (!node || !saysNotReady(node)) this.#outages.delete(name);
    else if (isInMassOutage(node, state.nodes())) this.#outages.set(name, 'lasts');
    else if (before === undefined || before === 'lasts') this.#outages.set(name, now);
    const outage = this.#outages.get(name) ?? 0;
    return outage === 'lasts' ? Infinity : outage;
  }
}

const readiness = (object: ObjectChange['after']): string | undefined =>
  object?.kind === 'Node' ? object.ready.status : undefined;

const giveUp = ({ meta: { uid } }: PodState, message: string) =>
  ({ type: 'GiveUpPod', uid, reason: 'NodeLost', message }) as const;
