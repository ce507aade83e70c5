import { All, Controller, Inject, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApiCore } from '../api-core.js';
import { noSuchPath, StatusError } from '../status-error.js';
import { resourcePath } from './path.js';
import { Query } from './query.js';
import { ResourceHandler } from './resource-handler.js';
import { subjectOf, userOf } from './request-state.js';
import { API_CORE } from './tokens.js';

/** Every path of every kind: what a path means is in the registry, what is done with it in the handler. */
@Controller()
export class ResourceController {
  constructor(
    @Inject(API_CORE) private readonly core: ApiCore,
    private readonly handler: ResourceHandler,
  ) {}

  @All(['api/:version/*', 'apis/:group/:version/*'])
  async handle(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const path = resourcePath(this.core.registry, request.url.split('?', 1)[0] ?? '');
    if (!path) throw noSuchPath();
    subjectOf(request).set(path);
    // Acting as somebody else needs rules for who may: until there are any, nobody does, least of all unnoticed.
    if (Object.keys(request.headers).some((name) => name.startsWith('impersonate-')))
      throw new StatusError(403, 'Forbidden', 'impersonation is not supported');
    const userAgent = request.headers['user-agent'];
    const context = {
      user: userOf(request),
      requestId: request.id,
      ...(userAgent !== undefined && { userAgent }),
    };
    await this.handler.handle({ path, request, reply, context, query: new Query(request.url) });
  }
}
