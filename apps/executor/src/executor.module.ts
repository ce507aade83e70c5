import { Module, type DynamicModule } from '@nestjs/common';
import { Executor, type ExecutorOptions } from './executor.js';

/**
 * The executor as a Nest microservice, around a connection that stands. It listens on subjects that carry its node's name,
 * and may listen on no others, so it subscribes through the bus; no handler here could name them.
 */
@Module({})
export class ExecutorModule {
  static around(options: ExecutorOptions): DynamicModule {
    return {
      module: ExecutorModule,
      providers: [{ provide: Executor, useFactory: () => new Executor(options) }],
      exports: [Executor],
    };
  }
}
