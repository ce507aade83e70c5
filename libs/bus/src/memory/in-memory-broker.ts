import type { Clock, IdSource, JsonObject, Unsubscribe } from '#domain';
import { decodeText, reportAsWarning, type ReportProblem } from '../codec.js';
import { subjectMatches } from '../subjects.js';
import { InMemoryBus } from './in-memory-bus.js';
import type { Connection, ReplySink, Routing, Subscription } from './routing.js';

/**
 * How one message travels from one connection to another. The default runs it soon and once. A simulation may run it later
 * (delay, reorder), never (drop, partition) or twice (repeat). Replies travel the same way, on the subject `_INBOX`.
 */
export type Deliver = (from: string, to: string, subject: string, message: JsonObject, run: () => void) => void;

export interface InMemoryBrokerOptions {
  readonly clock: Clock;
  /** Chooses among the members of a queue group. */
  readonly ids: IdSource;
  readonly deliver?: Deliver;
  readonly report?: ReportProblem;
}

const soon: Deliver = (_from, _to, _subject, _message, run) => queueMicrotask(run);

/** The server that all `InMemoryBus`es of one simulated cluster connect to. It keeps nothing but subscriptions. */
export class InMemoryBroker {
  private readonly connections = new Set<Connection>();
  private readonly subscriptions = new Set<Subscription>();
  private readonly routing: Routing;
  private readonly deliver: Deliver;
  private readonly ids: IdSource;
  private up = true;

  constructor(options: InMemoryBrokerOptions) {
    this.ids = options.ids;
    this.deliver = options.deliver ?? soon;
    this.routing = {
      clock: options.clock,
      report: options.report ?? reportAsWarning,
      add: (subscription) => this.add(subscription),
      unsubscribe: (connection) => this.unsubscribe(connection),
      forget: (connection) => {
        this.unsubscribe(connection);
        this.connections.delete(connection);
      },
      route: (from, subject, text, reply) => this.route(from, subject, text, reply),
      carry: (from, to, subject, text, run) => this.carry(from, to, subject, text, run),
    };
  }

  /** A new connection under a name that {@link Deliver} will be told. */
  connect(name: string): InMemoryBus {
    const bus = new InMemoryBus(this.routing, name, this.up);
    this.connections.add(bus);
    return bus;
  }

  /** The server goes down for everybody, or comes back. Clients keep their subscriptions and renew them. */
  outage(down: boolean): void {
    this.up = !down;
    for (const connection of [...this.connections]) connection.serverIs(this.up);
  }

  private add(subscription: Subscription): Unsubscribe {
    this.subscriptions.add(subscription);
    return () => this.subscriptions.delete(subscription);
  }

  private unsubscribe(connection: Connection): void {
    for (const subscription of [...this.subscriptions]) {
      if (subscription.to === connection) this.subscriptions.delete(subscription);
    }
  }

  private route(from: Connection, subject: string, text: string, reply?: ReplySink): number {
    const chosen: Subscription[] = [];
    const groups = new Map<string, Subscription[]>();
    for (const subscription of this.subscriptions) {
      if (!subscription.to.connected || !subjectMatches(subscription.pattern, subject)) continue;
      if (subscription.queue === undefined) chosen.push(subscription);
      else groups.set(subscription.queue, [...(groups.get(subscription.queue) ?? []), subscription]);
    }
    for (const members of groups.values()) {
      const member = members[Math.floor(this.ids.random() * members.length)];
      if (member) chosen.push(member);
    }
    for (const { to, receive } of chosen) {
      this.carry(from, to, subject, text, (message) => receive(message, subject, reply));
    }
    return chosen.length;
  }

  private carry(
    from: Connection,
    to: Connection,
    subject: string,
    text: string,
    run: (message: JsonObject) => void,
  ): void {
    const session = to.session;
    this.deliver(from.name, to.name, subject, decodeText(text), () => {
      if (to.connected && to.session === session) run(decodeText(text));
    });
  }
}
