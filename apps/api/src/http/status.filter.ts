import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { subjectOf } from './request-state.js';
import { refusalOf } from './status.js';

/** Whatever goes wrong leaves as a Kubernetes Status. Faults of ours are logged, with the id that the client was given. */
@Catch()
export class StatusFilter implements ExceptionFilter {
  async catch(error: unknown, host: ArgumentsHost): Promise<void> {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const { code, status, retryAfterSeconds, internal } = refusalOf(error, subjectOf(request).get());
    if (internal) request.log.error(error);
    if (reply.sent) {
      // The answer has begun: breaking it off is the only way left to say that it is not whole.
      reply.raw.destroy();
      return;
    }
    if (retryAfterSeconds !== undefined) reply.header('Retry-After', String(retryAfterSeconds));
    if (code === 401) reply.header('WWW-Authenticate', 'Bearer');
    await reply.code(code).type('application/json').send(JSON.stringify(status));
  }
}
