export {
  BusContext,
  NatsTransport,
  type BusStatus,
  type EventExtras,
  type NatsTransportOptions,
  type RequestExtras,
} from './nats-transport.js';
export { RefusalFilter } from './refusal.filter.js';
export { Unprocessable } from '../nats/durable-consumer.js';
export { DurableEvents } from './durable-events.decorator.js';
