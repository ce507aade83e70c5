import { DomainError, refOf, type NewEvent, type EventEnvelope } from '#domain';

/**
 * Every subject of the system, made and read in one place. NATS permissions are written with the same functions, so a
 * subject and the right to use it cannot drift apart.
 */

/** DNS-1123 subdomain, as Kubernetes demands of node names. */
export const nodeNamePattern = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** True of a DNS-1123 subdomain: the only form in which a node name may enter a subject. */
export function isNodeName(name: string): boolean {
  return nodeNamePattern.test(name);
}

/**
 * A node name as one subject token. Dots separate tokens, and `_` cannot occur in a DNS name, so the one stands for the
 * other and the mapping is reversible. Throws `DomainError` (Invalid) on anything that is not a node name: a `*` or `>`
 * from outside must never become a wildcard.
 */
export function nodeToken(node: string): string {
  if (!isNodeName(node)) throw new DomainError('Invalid', `not a node name: ${JSON.stringify(node)}`);
  return node.replaceAll('.', '_');
}

/** The inverse of {@link nodeToken}. */
export const nodeOfToken = (token: string): string => token.replaceAll('_', '.');

/** What a node asks of the control plane, each by request and reply. */
export const nodeRequests = ['register', 'heartbeat', 'sync', 'facts', 'config'] as const;
export type NodeRequest = (typeof nodeRequests)[number];

/** `nodes.<n>.sync` and its like: requests of one node to the control plane. */
export const nodeRequestSubject = (node: string, request: NodeRequest): string => `nodes.${nodeToken(node)}.${request}`;

/** The same for all nodes: what the control plane answers. */
export const anyNodeRequestSubject = (request: NodeRequest): string => `nodes.*.${request}`;

/** Control plane to node: assignments, full and deltas (published, not answered). */
export const assignSubject = (node: string): string => `nodes.${nodeToken(node)}.assign`;

/** Control plane to node: a ConfigMap or Secret that one of its pods names has changed (published, not answered). */
export const configChangedSubject = (node: string): string => `nodes.${nodeToken(node)}.config-changed`;

/** Control plane to node, request and reply: send a container's output. */
export const logsSubject = (node: string): string => `nodes.${nodeToken(node)}.logs`;

/** Control plane to node, request and reply: further verbs, such as exec and attach. */
export const doSubject = (node: string, verb: string): string => `nodes.${nodeToken(node)}.do.${verb}`;

/** Node to API, request and reply: the chunks of one opened stream. `id` is one token that the API made up. */
export const streamSubject = (node: string, id: string): string => `streams.${nodeToken(node)}.${id}`;

/** A machine that is not a node yet asks to become one. */
export const joinSubject = 'join';

/** Inboxes of a node's own requests. A prefix of its own keeps nodes from reading each other's replies. */
export const nodeInboxPrefix = (node: string): string => `_INBOX_${nodeToken(node)}`;

/** Inboxes of machines that join. */
export const joinInboxPrefix = '_INBOX_JOIN';

/** Queue group of the control plane: of several API replicas one answers each request. */
export const controlPlaneQueue = 'control-plane';

/** All events of the log. */
export const allEventsSubject = 'events.>';

/** Plurals whose singular the rules of {@link kindOf} would miss. */
const irregular: Readonly<Record<string, string>> = { endpoints: 'endpoints', cluster: 'cluster' };

/** Lower-case singular of a resource's plural: `pods` is `pod`, `networkpolicies` `networkpolicy`, `ingresses` `ingress`. */
export function kindOf(plural: string): string {
  const known = irregular[plural];
  if (known !== undefined) return known;
  if (plural.endsWith('ies')) return `${plural.slice(0, -3)}y`;
  if (/(ss|x|ch|sh)es$/.test(plural)) return plural.slice(0, -2);
  return plural.endsWith('s') ? plural.slice(0, -1) : plural;
}

/** `events.<kind>.<EventType>`: `events.pod.PodRequested`, `events.replicaset.ScaleRequested`. */
export function eventSubject(event: Pick<EventEnvelope, 'stream'> & Pick<NewEvent, 'type'>): string {
  return `events.${kindOf(refOf(event.stream).plural)}.${event.type}`;
}

/** Where a durable consumer puts what it can never handle. */
export const deadLetterSubject = (durable: string): string => `dead.${durable}`;

/** The node that a `nodes.<n>.…` or `streams.<n>.…` subject belongs to; `undefined` of any other. Permissions bind a node to its subjects, so this, and not a field of the message, says who is asking. */
export function nodeOfSubject(subject: string): string | undefined {
  const [room, token] = subject.split('.');
  if (token === undefined || (room !== 'nodes' && room !== 'streams')) return undefined;
  const node = nodeOfToken(token);
  return isNodeName(node) ? node : undefined;
}

/**
 * Whether a requester may be answered at this reply subject. NATS lets a sender name ANY reply subject, also one that it
 * may not publish on itself: whoever answers blindly can be made to speak on `events.>` or to another node in its own name.
 */
export function mayReplyTo(subject: string, reply: string): boolean {
  const node = nodeOfSubject(subject);
  const fromNode = nodeRequests.some((request) => subject.endsWith(`.${request}`)) || subject.startsWith('streams.');
  if (node !== undefined && fromNode) return reply.startsWith(`${nodeInboxPrefix(node)}.`);
  if (subject === joinSubject) return reply.startsWith(`${joinInboxPrefix}.`);
  return reply.startsWith('_INBOX');
}

/** Whether a subject matches a pattern: `*` stands for one token, a last `>` for one or more. */
export function subjectMatches(pattern: string, subject: string): boolean {
  const wanted = pattern.split('.');
  const tokens = subject.split('.');
  for (const [index, token] of wanted.entries()) {
    if (token === '>') return tokens.length > index;
    if (index >= tokens.length || (token !== '*' && token !== tokens[index])) return false;
  }
  return wanted.length === tokens.length;
}
