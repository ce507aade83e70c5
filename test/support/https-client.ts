import { once } from 'node:events';
import { request } from 'node:https';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { JsonObject } from '#domain';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body as JSON. Throws when it is none. */
  readonly body: JsonObject;
}

export interface Asked {
  /** Sent as it is when it is text or bytes, else as JSON. */
  readonly body?: unknown;
  readonly type?: string | undefined;
  readonly accept?: string;
  /** Another token than the client's; empty: none. */
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A client that knows HTTPS and bearer tokens, and nothing of Kubernetes. */
export class HttpsClient {
  constructor(
    private readonly url: string,
    private readonly ca: string,
    private readonly token: string,
  ) {}

  /** Resolves when the headers of the answer are there. */
  async open(
    method: string,
    path: string,
    { body, type, accept, token = this.token, headers }: Asked = {},
  ): Promise<IncomingMessage> {
    const { hostname: host, port } = new URL(this.url);
    const sent = request({
      ca: this.ca,
      method,
      host,
      port,
      path,
      headers: {
        ...(token && { Authorization: `Bearer ${token}` }),
        ...(type !== undefined && { 'Content-Type': type }),
        ...(accept !== undefined && { Accept: accept }),
        ...headers,
      },
    });
    sent.end(body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body));
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return response;
  }

  /** Resolves when the whole answer is there. */
  async call(method: string, path: string, asked: Asked = {}): Promise<Answer> {
    const response = await this.open(method, path, asked);
    const pieces: Buffer[] = [];
    for await (const piece of response) pieces.push(piece as Buffer);
    const text = Buffer.concat(pieces).toString('utf8');
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      text,
      get body() {
        return JSON.parse(text) as JsonObject;
      },
    };
  }
}
