import { EventPattern } from '@nestjs/microservices';
import type { DurableOptions } from '../nats/durable-consumer.js';

/** `@EventPattern` for a durable consumer on EVENTS, with its options checked: `@DurableEvents('events.pod.>', { durable: 'pods' })`. */
export const DurableEvents = (subject: string, options: Omit<DurableOptions, 'subject'>): MethodDecorator =>
  EventPattern<string>(subject, options);
