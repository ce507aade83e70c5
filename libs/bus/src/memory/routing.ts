import type { Clock, JsonObject, Unsubscribe } from '#domain';
import type { ReportProblem } from '../codec.js';

/** One end of the in-memory network, as the broker sees it. */
export interface Connection {
  readonly name: string;
  readonly connected: boolean;
  /** Counts connections: what was sent to an earlier one is lost. */
  readonly session: number;
  serverIs(up: boolean): void;
}

/** Takes a reply, as JSON text, from the connection that gives it. */
export type ReplySink = (from: Connection, text: string) => void;

/** `reply` is absent of a plain publish. */
export type Receive = (message: JsonObject, subject: string, reply?: ReplySink) => void;

export interface Subscription {
  readonly to: Connection;
  readonly pattern: string;
  readonly queue: string | undefined;
  readonly receive: Receive;
}

/** What the broker does for its connections. */
export interface Routing {
  readonly clock: Clock;
  readonly report: ReportProblem;
  add(subscription: Subscription): Unsubscribe;
  /** Ends all subscriptions of a connection. */
  unsubscribe(connection: Connection): void;
  forget(connection: Connection): void;
  /** Sends to every plain subscriber and to one member of each queue group; returns how many that is. */
  route(from: Connection, subject: string, text: string, reply?: ReplySink): number;
  /** One hop. What is under way to a connection that breaks in the meantime is lost, as with a socket. */
  carry(from: Connection, to: Connection, subject: string, text: string, run: (message: JsonObject) => void): void;
}
