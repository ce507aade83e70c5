import { DomainError, NoAnswer, type JsonObject, type MessageBus, type Unsubscribe } from '#domain';
import {
  parseConfigReply,
  parseConfigRequest,
  parseFullAssignment,
  parseHeartbeat,
  parseHeartbeatReply,
  parseJoinReply,
  parseJoinRequest,
  parseLogsReply,
  parseLogsRequest,
  parseRegister,
  parseRegistered,
  parseReport,
  parseReportReply,
  parseStreamChunk,
  parseStreamReply,
  parseSyncRequest,
} from './protocol.js';
import type { Check } from './shape.js';
import { anyNodeRequestSubject, controlPlaneQueue, nodeOfSubject, type NodeRequest } from './subjects.js';

/** A request and its reply: how each is read from what arrived. */
export interface Call<Request extends JsonObject, Reply extends JsonObject> {
  readonly request: Check<Request>;
  readonly reply: Check<Reply>;
}

/** A {@link Call} of a node to the control plane; its name is the last token of the subject. */
export interface NodeCall<Request extends JsonObject, Reply extends JsonObject> extends Call<Request, Reply> {
  readonly name: NodeRequest;
}

const call = <Request extends JsonObject, Reply extends JsonObject>(
  request: Check<Request>,
  reply: Check<Reply>,
): Call<Request, Reply> => ({ request, reply });

const nodeCall = <Request extends JsonObject, Reply extends JsonObject>(
  name: NodeRequest,
  request: Check<Request>,
  reply: Check<Reply>,
): NodeCall<Request, Reply> => ({ name, request, reply });

/** Node to control plane, on `nodes.<n>.<name>`. */
export const nodeCalls = {
  register: nodeCall('register', parseRegister, parseRegistered),
  heartbeat: nodeCall('heartbeat', parseHeartbeat, parseHeartbeatReply),
  sync: nodeCall('sync', parseSyncRequest, parseFullAssignment),
  facts: nodeCall('facts', parseReport, parseReportReply),
  config: nodeCall('config', parseConfigRequest, parseConfigReply),
} as const;

/** Control plane to node, on `nodes.<n>.logs`. */
export const logsCall = call(parseLogsRequest, parseLogsReply);
/** Node to API, on `streams.<n>.<id>`. */
export const streamCall = call(parseStreamChunk, parseStreamReply);
/** A machine to the control plane, on `join`. */
export const joinCall = call(parseJoinRequest, parseJoinReply);

/** Asks and reads the reply. Throws as `MessageBus.request` does; an unreadable reply is `NoAnswer`. */
export async function ask<Request extends JsonObject, Reply extends JsonObject>(
  bus: MessageBus,
  subject: string,
  kind: Call<Request, Reply>,
  request: Request,
  timeoutMs: number,
): Promise<Reply> {
  const reply = await bus.request(subject, request, timeoutMs);
  try {
    return kind.reply(reply, 'reply');
  } catch (cause) {
    throw new NoAnswer(`unreadable answer on ${subject}`, { cause });
  }
}

/** Answers requests that can be read; the others are refused (BadRequest). */
export function answer<Request extends JsonObject, Reply extends JsonObject>(
  bus: MessageBus,
  subject: string,
  queue: string | undefined,
  kind: Call<Request, Reply>,
  handle: (request: Request, subject: string) => Promise<Reply>,
): Unsubscribe {
  return bus.respond(subject, queue, async (message, on) => handle(kind.request(message, 'request'), on));
}

/**
 * Answers one kind of request for all nodes, as one of the control plane's replicas. The node is who the subject says,
 * because permissions bind it to that; a message in another's name is refused (Forbidden).
 */
export function answerNodes<Request extends JsonObject & { readonly node: string }, Reply extends JsonObject>(
  bus: MessageBus,
  kind: NodeCall<Request, Reply>,
  handle: (request: Request) => Promise<Reply>,
): Unsubscribe {
  return answer(bus, anyNodeRequestSubject(kind.name), controlPlaneQueue, kind, async (request, subject) => {
    const node = nodeOfSubject(subject);
    if (request.node === node) return handle(request);
    throw new DomainError('Forbidden', `${node ?? subject} speaks for ${request.node}`);
  });
}
