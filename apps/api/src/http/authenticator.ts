import { createHash } from 'node:crypto';
import { StatusError } from '../status-error.js';

/** A bearer token and whom it stands for. */
export interface TokenUser {
  readonly token: string;
  readonly user: string;
}

/** Recognises users by their bearer tokens. Tokens are kept as hashes, so that neither timing nor a heap dump tells them. */
export class Authenticator {
  private readonly users: ReadonlyMap<string, string>;

  constructor(tokens: readonly TokenUser[]) {
    this.users = new Map(tokens.map(({ token, user }) => [hash(token), user]));
  }

  /** The user of an `Authorization` header. Throws 401 for none, another scheme, or a token nobody has. */
  userOf(authorization: string | undefined): string {
    const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    const user = token === undefined ? undefined : this.users.get(hash(token));
    if (user === undefined) throw new StatusError(401, 'Unauthorized', 'Unauthorized');
    return user;
  }
}

const hash = (token: string): string => createHash('sha256').update(token).digest('base64');
