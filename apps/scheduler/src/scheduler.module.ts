import { Controller, Injectable, Module, type DynamicModule } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import type { JsonObject } from '#domain';
import type { Heartbeat } from '#bus';
import { BusContext } from '#bus/nest';
import { heartbeatSubject, type HeartbeatSource, readHeartbeat } from './heartbeats.js';
import { Scheduler, type SchedulerOptions } from './scheduler.js';

/** Hands heartbeats from Nest's transport to whoever leads. */
@Injectable()
export class Heartbeats {
  readonly #listeners = new Set<(heartbeat: Heartbeat) => void>();

  readonly source: HeartbeatSource = (heard) => {
    this.#listeners.add(heard);
    return () => this.#listeners.delete(heard);
  };

  tell(heartbeat: Heartbeat): void {
    for (const heard of this.#listeners) heard(heartbeat);
  }
}

/** What the scheduler hears from NATS. */
@Controller()
export class HeartbeatsController {
  constructor(private readonly heartbeats: Heartbeats) {}

  @EventPattern<string>(heartbeatSubject)
  heard(@Payload() message: JsonObject, @Ctx() context: BusContext): void {
    const heartbeat = readHeartbeat(message, context.subject);
    if (heartbeat) this.heartbeats.tell(heartbeat);
  }
}

/** The scheduler as a Nest microservice, around connections that stand. */
@Module({})
export class SchedulerModule {
  static around(options: Omit<SchedulerOptions, 'heartbeats'>): DynamicModule {
    return {
      module: SchedulerModule,
      controllers: [HeartbeatsController],
      providers: [
        Heartbeats,
        {
          provide: Scheduler,
          inject: [Heartbeats],
          useFactory: ({ source }: Heartbeats) => new Scheduler({ ...options, heartbeats: source }),
        },
      ],
    };
  }
}
