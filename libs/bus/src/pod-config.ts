import { NoAnswer, type MessageBus, type Revision } from '#domain';
import { ask, nodeCalls } from './calls.js';
import type { ConfigMapContent, ConfigReply, ConfigRequest, SecretContent } from './protocol.js';
import { openSecret, type SealKeys } from './sealed-box.js';
import { nodeRequestSubject } from './subjects.js';

/** The configuration of one pod, as its node got it. What is not in it does not exist. */
export interface PodConfig {
  /** The oldest revision among the pages it came in. */
  readonly revision: Revision;
  readonly configMaps: ReadonlyMap<string, ConfigMapContent>;
  readonly secrets: ReadonlyMap<string, SecretContent>;
}

/**
 * A node asks for all the configuration of one of its pods, page by page, and opens the boxes. Throws as `ask` does, and
 * `DomainError` (BadRequest) when a box does not open: it was sealed to a key of before, so register, and ask again.
 */
export async function askConfig(
  bus: MessageBus,
  request: Omit<ConfigRequest, 'from'>,
  keys: SealKeys,
  timeoutMs: number,
): Promise<PodConfig> {
  const { node, nodeEpoch, uid } = request;
  const configMaps = new Map<string, ConfigMapContent>();
  const secrets = new Map<string, SecretContent>();
  let revision = Number.POSITIVE_INFINITY;
  let from: number | undefined = 0;
  while (from !== undefined) {
    const page: ConfigReply = await ask(
      bus,
      nodeRequestSubject(node, 'config'),
      nodeCalls.config,
      { node, nodeEpoch, uid, from },
      timeoutMs,
    );
    for (const [name, content] of Object.entries(page.configMaps)) configMaps.set(name, content);
    for (const [name, box] of Object.entries(page.secrets))
      secrets.set(name, openSecret(box, keys, { node, uid, name }));
    revision = Math.min(revision, page.revision);
    if (page.next !== undefined && page.next <= from) throw new NoAnswer('a page of configuration leads nowhere');
    from = page.next;
  }
  return { revision, configMaps, secrets };
}
