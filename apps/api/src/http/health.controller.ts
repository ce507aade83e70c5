import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Query } from './query.js';
import { READINESS } from './tokens.js';

/** What must be well for the API to do its work, each with a name. */
export interface Readiness {
  readonly checks: readonly { readonly name: string; readonly ok: () => Promise<boolean> }[];
}

/** `/livez`: the process answers. `/readyz` and `/healthz`: so does what it stands on. Without authentication, as load balancers need it. */
@Controller()
export class HealthController {
  constructor(@Inject(READINESS) private readonly readiness: Readiness) {}

  @Get('livez')
  live(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return answer(request, reply, 'livez', [{ name: 'ping', ok: () => Promise.resolve(true) }]);
  }

  @Get(['readyz', 'healthz'])
  ready(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return answer(request, reply, 'readyz', this.readiness.checks);
  }
}

/** `ok`, or which check failed; each one by name under `?verbose`. */
async function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  name: string,
  checks: Readiness['checks'],
): Promise<void> {
  const results = await Promise.all(
    checks.map(async (check) => ({ name: check.name, ok: await check.ok().catch(() => false) })),
  );
  const ok = results.every((result) => result.ok);
  const verbose = new Query(request.url).get('verbose') !== undefined;
  const lines = results.map((result) => (result.ok ? `[+]${result.name} ok` : `[-]${result.name} failed`));
  const text = ok && !verbose ? 'ok' : [...lines, `${name} check ${ok ? 'passed' : 'failed'}`, ''].join('\n');
  await reply
    .code(ok ? 200 : 503)
    .type('text/plain; charset=utf-8')
    .header('Cache-Control', 'no-cache, private')
    .send(text);
}
