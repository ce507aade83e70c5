import { Module, type DynamicModule } from '@nestjs/common';
import type { Clock } from '#domain';
import type { ApiCore } from './api-core.js';
import { DiscoveryController } from './http/discovery.controller.js';
import { HealthController, type Readiness } from './http/health.controller.js';
import { ResourceController } from './http/resource.controller.js';
import { ResourceHandler } from './http/resource-handler.js';
import { API_CORE, CLOCK, OPEN_API, READINESS } from './http/tokens.js';
import { openApiOf } from './wire/index.js';

export interface ApiModuleOptions {
  readonly core: ApiCore;
  readonly clock: Clock;
  readonly readiness: Readiness;
}

/** The API's HTTP side, around a core that stands. */
@Module({})
export class ApiModule {
  static around({ core, clock, readiness }: ApiModuleOptions): DynamicModule {
    return {
      module: ApiModule,
      controllers: [HealthController, DiscoveryController, ResourceController],
      providers: [
        { provide: API_CORE, useValue: core },
        { provide: CLOCK, useValue: clock },
        { provide: READINESS, useValue: readiness },
        { provide: OPEN_API, useFactory: () => openApiOf(core.registry.discoverable) },
        { provide: ResourceHandler, useFactory: () => new ResourceHandler(core, clock) },
      ],
    };
  }
}
