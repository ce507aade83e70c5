import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { parse } from 'yaml';
import { Product } from '../support/product.js';

/** Bad input gets a clear 4xx Status, and nothing is written. */
let product: Product;
let token: string;
let ca: Buffer;

interface Kubeconfig {
  readonly clusters: readonly {
    readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string };
  }[];
  readonly users: readonly { readonly user: { readonly token: string } }[];
}

beforeAll(async () => {
  product = await Product.create();
  await product.start();
  const config = parse(readFileSync(join(product.home, 'kubeconfig'), 'utf8')) as Kubeconfig;
  token = config.users[0]?.user.token ?? '';
  ca = Buffer.from(config.clusters[0]?.cluster['certificate-authority-data'] ?? '', 'base64');
}, 180_000);
afterAll(() => product.destroy(), 120_000);

interface Answer {
  readonly code: number;
  readonly status: {
    readonly kind?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly code?: number;
    readonly details?: { readonly causes?: readonly { readonly field?: string }[] };
  };
}

function call(
  method: string,
  path: string,
  body?: string | Buffer,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request(
      {
        host: '127.0.0.1',
        port: product.port,
        method,
        path,
        ca,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => {
          try {
            resolve({ code: response.statusCode ?? 0, status: JSON.parse(text) as Answer['status'] });
          } catch (error) {
            reject(new Error(`${response.statusCode}: not JSON: ${text.slice(0, 200)}`, { cause: error }));
          }
        });
      },
    );
    call.on('error', reject);
    call.end(body);
  });
}

const pods = '/api/v1/namespaces/default/pods';
const container = { name: 'a', image: 'busybox:1' };
const pod = (spec: object, metadata: object = { name: 'bad' }) =>
  JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata, spec });
const head = async (): Promise<string> => {
  const { status } = await call('GET', pods);
  return (status as unknown as { readonly metadata: { readonly resourceVersion: string } }).metadata.resourceVersion;
};

/** Name, method, path, body, headers, expected code and reason, and a piece of the message. */
const cases: readonly [
  string,
  string,
  string,
  string | Buffer | undefined,
  Record<string, string>,
  number,
  string,
  string,
][] = [
  [
    'an unknown field under Strict',
    'POST',
    `${pods}?fieldValidation=Strict`,
    pod({ containers: [container], nonsense: 1 }),
    {},
    400,
    'BadRequest',
    'unknown field "spec.nonsense"',
  ],
  [
    'a negative port',
    'POST',
    pods,
    pod({ containers: [{ ...container, ports: [{ containerPort: -1 }] }] }),
    {},
    422,
    'Invalid',
    'spec.containers[0].ports[0].containerPort',
  ],
  [
    'two containers of one name',
    'POST',
    pods,
    pod({ containers: [container, container] }),
    {},
    422,
    'Invalid',
    'spec.containers[1].name: Duplicate value',
  ],
  ['no containers', 'POST', pods, pod({ containers: [] }), {}, 422, 'Invalid', 'spec.containers: Required value'],
  [
    'a body of 5 MiB',
    'POST',
    pods,
    pod({ containers: [container], x: 'y'.repeat(5 * 2 ** 20) }),
    {},
    413,
    'RequestEntityTooLarge',
    '',
  ],
  ['invalid JSON', 'POST', pods, '{"kind":"Pod",', {}, 400, 'BadRequest', ''],
  ['a wrong JSON type', 'POST', pods, pod({ containers: 'none' }), {}, 400, 'BadRequest', ''],
  [
    'truncated protobuf',
    'POST',
    '/api/v1/namespaces',
    Buffer.from([0x6b, 0x38, 0x73, 0x00, 0x0a, 0x0d]),
    { 'content-type': 'application/vnd.kubernetes.protobuf' },
    400,
    'BadRequest',
    '',
  ],
  ['an unknown content type', 'POST', pods, 'hello', { 'content-type': 'text/plain' }, 415, 'UnsupportedMediaType', ''],
  [
    'a wrong token',
    'POST',
    pods,
    pod({ containers: [container] }),
    { authorization: 'Bearer wrong' },
    401,
    'Unauthorized',
    '',
  ],
  ['no token', 'POST', pods, pod({ containers: [container] }), { authorization: '' }, 401, 'Unauthorized', ''],
  [
    'a watch with a malformed revision',
    'GET',
    `${pods}?watch=true&resourceVersion=abc`,
    undefined,
    {},
    400,
    'BadRequest',
    '',
  ],
  ['a malformed label selector', 'GET', `${pods}?labelSelector=a%20b%20c`, undefined, {}, 400, 'BadRequest', ''],
  [
    'an unknown field selector',
    'GET',
    `${pods}?fieldSelector=spec.bogus%3D1`,
    undefined,
    {},
    400,
    'BadRequest',
    'spec.bogus',
  ],
  ['a malformed continue token', 'GET', `${pods}?limit=1&continue=nonsense`, undefined, {}, 400, 'BadRequest', ''],
  [
    'another namespace than the path',
    'POST',
    pods,
    pod({ containers: [container] }, { name: 'bad', namespace: 'other' }),
    {},
    400,
    'BadRequest',
    'namespace',
  ],
  [
    'a namespace that is not there',
    'POST',
    '/api/v1/namespaces/nowhere/pods',
    pod({ containers: [container] }),
    {},
    404,
    'NotFound',
    'namespaces "nowhere" not found',
  ],
  [
    'a name that is none',
    'POST',
    pods,
    pod({ containers: [container] }, { name: 'Bad_Name' }),
    {},
    422,
    'Invalid',
    'metadata.name',
  ],
  [
    'a privileged container',
    'POST',
    pods,
    pod({ containers: [{ ...container, securityContext: { privileged: true } }] }),
    {},
    422,
    'Invalid',
    'privileged',
  ],
  [
    'an init container of the name of a container',
    'POST',
    pods,
    pod({ containers: [container], initContainers: [container] }),
    {},
    422,
    'Invalid',
    'spec.initContainers[0].name: Duplicate value',
  ],
  [
    'restart rules without a policy',
    'POST',
    pods,
    pod({ containers: [{ ...container, restartPolicyRules: [{ action: 'Restart' }] }] }),
    {},
    422,
    'Invalid',
    'restartPolicyRules[0].exitCodes: Required value',
  ],
  ['an unknown path', 'GET', '/apis/none/v1/things', undefined, {}, 404, 'NotFound', ''],
  ['a method that is not served', 'PUT', pods, '{}', {}, 405, 'MethodNotAllowed', ''],
  [
    'a patch of what is not there',
    'PATCH',
    `${pods}/nobody`,
    '{}',
    { 'content-type': 'application/merge-patch+json' },
    404,
    'NotFound',
    'pods "nobody" not found',
  ],
  [
    'a delete of what is not there',
    'DELETE',
    `${pods}/nobody`,
    undefined,
    {},
    404,
    'NotFound',
    'pods "nobody" not found',
  ],
  [
    'a dry run of another kind',
    'POST',
    `${pods}?dryRun=Some`,
    pod({ containers: [container] }),
    {},
    422,
    'Invalid',
    'dryRun',
  ],
];

describe('bad input', () => {
  it.each(cases)('%s', async (_name, method, path, body, headers, code, reason, piece) => {
    const before = await head();
    const answer = await call(method, path, body, headers);
    expect({ code: answer.code, kind: answer.status.kind, reason: answer.status.reason }).toEqual({
      code,
      kind: 'Status',
      reason,
    });
    expect(answer.status.message).toContain(piece);
    expect(await head()).toBe(before);
  });

  it('names every field at fault, not the first', async () => {
    const { status } = await call(
      'POST',
      pods,
      pod({
        containers: [
          { name: 'A', image: '' },
          { name: 'b', image: 'x', ports: [{ containerPort: 70000 }] },
        ],
        restartPolicy: 'Sometimes',
      }),
    );
    const fields = status.details?.causes?.map(({ field }) => field);
    expect(fields).toEqual(
      expect.arrayContaining([
        'spec.containers[0].name',
        'spec.containers[0].image',
        'spec.containers[1].ports[0].containerPort',
        'spec.restartPolicy',
      ]),
    );
  });

  it('an unknown field without Strict is a warning and is not stored', async () => {
    const { code, status } = await call(
      'POST',
      `${pods}?fieldValidation=Warn&dryRun=All`,
      pod({ containers: [container], nonsense: 1 }),
    );
    expect(code).toBe(201);
    expect(JSON.stringify(status)).not.toContain('nonsense');
  });
});
