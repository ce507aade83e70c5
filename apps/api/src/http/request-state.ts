import type { FastifyRequest } from 'fastify';
import type { ResourcePath } from './path.js';
import type { Subject } from './status.js';

interface RequestState {
  user?: string;
  subject: Subject;
}

/** What is known of a request beside what it carries itself. Kept apart, so that no header can be mistaken for it. */
const states = new WeakMap<object, RequestState>();

function stateOf(request: FastifyRequest): RequestState {
  const known = states.get(request.raw);
  if (known) return known;
  const fresh: RequestState = { subject: {} };
  states.set(request.raw, fresh);
  return fresh;
}

/** Remembers whom the request's token stands for. */
export function authenticated(request: FastifyRequest, user: string): void {
  stateOf(request).user = user;
}

/** Who asks. Throws when nobody was authenticated: no route that needs a user may be reached without one. */
export function userOf(request: FastifyRequest): string {
  const { user } = stateOf(request);
  if (user === undefined) throw new Error('a request without a user reached a route that needs one');
  return user;
}

/** What the request is about, for the words of a refusal. */
export function subjectOf(request: FastifyRequest): { get(): Subject; set(path: ResourcePath): void } {
  const state = stateOf(request);
  return {
    get: () => state.subject,
    set: ({ definition, name }) => {
      state.subject = { definition, ...(name !== undefined && { name }) };
    },
  };
}
