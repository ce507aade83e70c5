import type { JsonObject } from './json.js';

/**
 * A position in the log: 1, 2, 3 ... without gaps. `0` is "before the first event". A JavaScript number is exact up to
 * 2^53, which 100,000 events a second reach after 2,800 years (ADR 0002).
 */
export type Revision = number;

/** Milliseconds since the Unix epoch, UTC. Event times come from the log's database and never run backwards. */
export type Millis = number;

/** At whose wish an event happened. */
export interface Actor {
  readonly kind: 'user' | 'system' | 'node';
  readonly name: string;
}

/** What links an event to its request and to the event that led to it. */
export interface EventContext {
  readonly actor: Actor;
  readonly requestId: string;
  /** Id of the event this one reacts to; absent for what a client asked for. */
  readonly causationId?: string;
  /** Shared by everything that one request set in motion: the request id of the first. */
  readonly correlationId: string;
}

/** A past-tense fact, as a decider returns it: not yet recorded. */
export interface NewEvent<Type extends string = string, Data = JsonObject> {
  readonly type: Type;
  readonly data: Data;
}

/** An event as the log holds it. */
export interface EventEnvelope extends EventContext {
  readonly id: string;
  readonly revision: Revision;
  /** `<group>/<plural>/<namespace>/<name>`, see {@link streamOf}. */
  readonly stream: string;
  /** Position in its stream, from 1. */
  readonly version: number;
  readonly time: Millis;
  readonly schemaVersion: number;
  readonly commandId: string;
  /** Revision of the last event of the same command. Readers show a command's events together, never half of them. */
  readonly commandLast: Revision;
}

/** A recorded event; narrowed by `type` when `E` is a union of events. */
export type Recorded<E extends NewEvent<string, unknown> = NewEvent> = E & EventEnvelope;
