import type { JsonObject, MessageBus, Unsubscribe } from '#domain';
import { anyNodeRequestSubject, type Heartbeat, nodeOfSubject, parseHeartbeat } from '#bus';

/** Where heartbeats come from; the returned function ends it. */
export type HeartbeatSource = (heard: (heartbeat: Heartbeat) => void) => Unsubscribe;

/** All nodes' heartbeats. The API answers them as requests; the scheduler only listens. */
export const heartbeatSubject = anyNodeRequestSubject('heartbeat');

/**
 * A heartbeat as it came over the bus; `undefined` for what is none, or speaks for another node than its subject is open to.
 */
export function readHeartbeat(message: JsonObject, subject: string): Heartbeat | undefined {
  try {
    const heartbeat = parseHeartbeat(message, 'heartbeat');
    return heartbeat.node === nodeOfSubject(subject) ? heartbeat : undefined;
  } catch {
    return undefined; // The API, which answers it, tells the node what is wrong with it.
  }
}

/** Heartbeats straight from a bus. */
export const heartbeatsOn =
  (bus: Pick<MessageBus, 'subscribe'>): HeartbeatSource =>
  (heard) =>
    bus.subscribe(heartbeatSubject, (message, subject) => {
      const heartbeat = readHeartbeat(message, subject);
      if (heartbeat) heard(heartbeat);
    });
