import type { Millis, Revision } from '../event.js';
import type { JsonObject } from '../json.js';

/** Why a filter turned a node down. Kubernetes' words appear in {@link refusalMessage}. */
export type FilterReason = string;

/** The record of a decision: enough to compute every node's verdict again from `asOf`. */
export interface PlacementRecord extends JsonObject {
  /** The revision decided on. */
  readonly asOf: Revision;
  readonly policy: string;
  /** Hash of the policy's parameters. */
  readonly policyHash: string;
  readonly queuePosition: number;
  /** Which batch of the scheduler, counted from its takeover. */
  readonly batch: number;
  readonly now: Millis;
  readonly nodesConsidered: number;
  /** The chosen node and its score, when there is one. */
  readonly node?: string;
  readonly score?: number;
  /** Nodes turned down, per filter and reason: `{ "NodeResourcesFit": { "Insufficient cpu": 3 } }`. */
  readonly refused: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Up to 20 nodes by name, with the first reason each. */
  readonly named: readonly { readonly node: string; readonly filter: string; readonly reason: string }[];
}
