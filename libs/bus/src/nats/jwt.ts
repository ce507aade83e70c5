import { createHash } from 'node:crypto';
import { fromPublic, type KeyPair } from 'nkeys.js';
import type { JsonObject } from '#domain';

/**
 * The claims of a NATS JWT, version 2: JSON Web Tokens signed with an nkey (algorithm `ed25519-nkey`), as nats-server reads
 * them. Written here because no maintained package fits: the encoder is a header, a claim and a signature.
 */
export interface NatsClaims {
  readonly name: string;
  /** Public nkey of whom the claims are about. */
  readonly sub: string;
  readonly nats: JsonObject;
}

/** A decoded token: its claims, who signed them, and when (seconds since the Unix epoch). */
export interface DecodedJwt extends NatsClaims {
  readonly iss: string;
  readonly iat: number;
}

const header = { typ: 'JWT', alg: 'ed25519-nkey' };
const ascii = new TextEncoder();

/** Signs claims with the issuer's key: operators sign accounts, accounts sign users, an operator signs itself. */
export function encodeJwt(claims: NatsClaims, issuer: KeyPair, issuedAtSeconds: number): string {
  const body = {
    iat: issuedAtSeconds,
    iss: issuer.getPublicKey(),
    name: claims.name,
    sub: claims.sub,
    nats: claims.nats,
  };
  const signed = `${segment(header)}.${segment({ jti: tokenId(body), ...body })}`;
  return `${signed}.${Buffer.from(issuer.sign(ascii.encode(signed))).toString('base64url')}`;
}

/** Reads a token and checks its signature against the issuer it names. Throws on anything else; trusting that issuer is the caller's. */
export function decodeJwt(token: string): DecodedJwt {
  const [head, body, signature, ...rest] = token.split('.');
  if (head === undefined || body === undefined || signature === undefined || rest.length > 0) {
    throw new Error('not a JWT');
  }
  const claims: unknown = JSON.parse(Buffer.from(body, 'base64url').toString());
  if (!isDecoded(claims)) throw new Error('not a NATS JWT');
  const signed = fromPublic(claims.iss).verify(ascii.encode(`${head}.${body}`), Buffer.from(signature, 'base64url'));
  if (!signed) throw new Error('the JWT is not signed by its issuer');
  return claims;
}

const segment = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Different claims, different id: nats-server takes an account's claims of a known id for claims it already has. */
const tokenId = (body: unknown): string => createHash('sha512-256').update(JSON.stringify(body)).digest('hex');

function isDecoded(value: unknown): value is DecodedJwt {
  if (typeof value !== 'object' || value === null) return false;
  const claims = value as Partial<Record<keyof DecodedJwt, unknown>>;
  const isText = (field: unknown): boolean => typeof field === 'string';
  return isText(claims.sub) && isText(claims.iss) && typeof claims.iat === 'number' && typeof claims.nats === 'object';
}
