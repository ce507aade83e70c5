import { join } from 'node:path';
import type { Millis } from '#domain';
import { maxPayloadBytes } from '../codec.js';
import {
  defaultJetStreamLimits,
  operatorJwt,
  podledgerAccountJwt,
  systemAccountJwt,
  type JetStreamLimits,
} from './credentials.js';
import { publicKeyOf, type NatsKeys } from './keys.js';

export interface NatsServerOptions {
  readonly keys: NatsKeys;
  readonly host: string;
  /** `-1` lets the server choose. */
  readonly port: number;
  /** Where streams and account claims are kept; deleting it loses no event, only the window of the feed. */
  readonly storeDir: string;
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
  readonly maxPayload?: number;
  readonly limits?: JetStreamLimits;
  readonly now: Millis;
}

/**
 * The configuration file of our own nats-server (2.9 or newer): no anonymous users, the account's claims kept by the server
 * so that revocations can be pushed to it while it runs. It holds tokens but no seed.
 */
export function natsServerConfig(options: NatsServerOptions): string {
  const { keys, now } = options;
  const limits = options.limits ?? defaultJetStreamLimits;
  const lines = [
    `server_name: podledger`,
    `host: ${quote(options.host)}`,
    `port: ${options.port}`,
    `max_payload: ${options.maxPayload ?? maxPayloadBytes}`,
    // A client behind a dead connection is noticed in about 15 s instead of 4 minutes.
    `ping_interval: "5s"`,
    `ping_max: 2`,
    `operator: ${operatorJwt(keys, now)}`,
    `system_account: ${publicKeyOf(keys.systemAccount)}`,
    `resolver: { type: full, dir: ${quote(join(options.storeDir, 'accounts'))}, allow_delete: false, interval: "2m" }`,
    `resolver_preload: {`,
    `  ${publicKeyOf(keys.systemAccount)}: ${systemAccountJwt(keys, now)}`,
    `  ${publicKeyOf(keys.account)}: ${podledgerAccountJwt(keys, now, limits)}`,
    `}`,
    `jetstream: {`,
    `  store_dir: ${quote(options.storeDir)}`,
    `  max_file_store: ${limits.diskBytes}`,
    `  max_memory_store: ${limits.memoryBytes}`,
    `}`,
  ];
  if (options.tls) {
    lines.push(
      `tls: { cert_file: ${quote(options.tls.certFile)}, key_file: ${quote(options.tls.keyFile)}, timeout: 5 }`,
    );
  }
  return `${lines.join('\n')}\n`;
}

const quote = (text: string): string => JSON.stringify(text);
