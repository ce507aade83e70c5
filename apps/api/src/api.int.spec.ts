import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { connect } from 'node:tls';
import { LogUnavailable, type JsonObject } from '#domain';
import { InMemoryBroker, InMemoryEventFeed, InMemoryEventStream } from '#bus';
import { InMemoryEventLog, InMemorySecretVault } from '#eventlog';
import { SystemClock, SystemIds } from '#system';
import { HttpsClient, type Asked } from '../../../test/support/https-client.js';
import { loopbackCertificate } from '../../../test/support/tls.js';
import { serveApi, type RunningApi } from './api.js';
import { objectsAt, textAt } from './resources/wire-values.js';

const token = 'a-token';
const pods = '/api/v1/namespaces/default/pods';
const table = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
const pod = (name: string, over: JsonObject = {}): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: [{ name: 'app', image: 'busybox:1', ...over }] },
});

describe('the API over HTTPS', () => {
  let tls: { readonly key: string; readonly cert: string };
  let log: InMemoryEventLog;
  let api: RunningApi;
  let logIsAway = false;
  beforeAll(async () => {
    tls = await loopbackCertificate();
  });
  beforeEach(async () => {
    const clock = new SystemClock();
    const ids = new SystemIds();
    logIsAway = false;
    log = new InMemoryEventLog({
      clock,
      ids,
      schedule: async (label, work) => {
        if (logIsAway && /head|append|readAfter/.test(label)) throw new LogUnavailable('away');
        return work();
      },
    });
    const bus = new InMemoryBroker({ clock, ids }).connect('api');
    const feed = new InMemoryEventFeed(new InMemoryEventStream());
    const listen = { host: '127.0.0.1', port: 0 };
    api = await serveApi(
      { log, bus, feed, vault: new InMemorySecretVault({ clock }), clock, ids },
      { listen, tls, token, logLevel: 'silent' },
    );
  });
  afterEach(() => api.stop());

  const client = (): HttpsClient => new HttpsClient(api.url, tls.cert, token);
  const open = (method: string, path: string, asked: Asked = {}) => client().open(method, path, asked);
  const call = (method: string, path: string, asked: Asked = {}) => client().call(method, path, asked);
  const post = (path: string, body: unknown, type = 'application/json') => call('POST', path, { body, type });
  const lines = async (path: string, accept?: string): Promise<JsonObject[]> => {
    const { text } = await call('GET', path, accept === undefined ? {} : { accept });
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as JsonObject);
  };

  describe('refuses what it cannot take, with a Status that says why, and writes nothing', () => {
    it.each<[string, string, string, Asked, number, string]>([
      [
        'an unknown field',
        'POST',
        `${pods}?fieldValidation=Strict`,
        { body: pod('p', { imagePolicy: 'x' }) },
        400,
        'BadRequest',
      ],
      ['a negative port', 'POST', pods, { body: pod('p', { ports: [{ containerPort: -1 }] }) }, 422, 'Invalid'],
      [
        'two containers of one name',
        'POST',
        pods,
        {
          body: {
            metadata: { name: 'p' },
            spec: {
              containers: [
                { name: 'a', image: 'b' },
                { name: 'a', image: 'b' },
              ],
            },
          },
        },
        422,
        'Invalid',
      ],
      ['a 5 MiB body', 'POST', pods, { body: 'x'.repeat(5 * 2 ** 20) }, 413, 'RequestEntityTooLarge'],
      ['invalid JSON', 'POST', pods, { body: '{"a":' }, 400, 'BadRequest'],
      ['no body', 'POST', pods, {}, 400, 'BadRequest'],
      [
        'truncated protobuf',
        'POST',
        pods,
        { body: Buffer.from('k8s\u0000\u000a\u000fabc'), type: 'application/vnd.kubernetes.protobuf' },
        400,
        'BadRequest',
      ],
      ['another media type', 'POST', pods, { body: 'x', type: 'text/html' }, 415, 'UnsupportedMediaType'],
      ['a media type that is none', 'POST', pods, { body: 'x', type: 'nonsense' }, 415, 'UnsupportedMediaType'],
      ['a wrong token', 'POST', pods, { body: pod('p'), token: 'another' }, 401, 'Unauthorized'],
      ['no token', 'POST', pods, { body: pod('p'), token: '' }, 401, 'Unauthorized'],
      ['a malformed revision', 'GET', `${pods}?watch=true&resourceVersion=abc`, {}, 400, 'BadRequest'],
      ['an unknown kind', 'GET', '/api/v1/widgets', {}, 404, 'NotFound'],
      ['an unknown path', 'GET', '/nowhere', {}, 404, 'NotFound'],
      ['a broken URL', 'GET', `${pods}/%zz`, {}, 400, 'BadRequest'],
      ['a name with a slash in it', 'GET', `${pods}/a%2fb`, {}, 404, 'NotFound'],
      ['a method the path does not have', 'PUT', pods, { body: pod('p') }, 405, 'MethodNotAllowed'],
      ['what is not there yet', 'POST', `${pods}/p/exec?command=ls`, {}, 405, 'MethodNotAllowed'],
      ['an answer in a form that is not served', 'GET', pods, { accept: 'application/xml' }, 406, 'NotAcceptable'],
      [
        'server-side apply',
        'PATCH',
        `${pods}/p`,
        { body: {}, type: 'application/apply-patch+yaml' },
        415,
        'UnsupportedMediaType',
      ],
      ['a bad selector', 'GET', `${pods}?labelSelector=a%20in%20(`, {}, 400, 'BadRequest'],
      ['a field there is no selecting by', 'GET', `${pods}?fieldSelector=spec.bogus=1`, {}, 400, 'BadRequest'],
      ['a dry run of some', 'DELETE', `${pods}/p?dryRun=Some`, {}, 422, 'Invalid'],
      ['a streaming list that is none', 'GET', `${pods}?watch=1&sendInitialEvents=true`, {}, 422, 'Invalid'],
    ])('%s', async (_, method, path, asked, code, reason) => {
      const before = await log.head();
      const { status, body } = await call(method, path, {
        type: asked.body === undefined ? undefined : 'application/json',
        ...asked,
      });
      expect(status).toBe(code);
      expect(body).toMatchObject({ kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, code });
      expect(textAt(body, 'message')).not.toBe('');
      expect(await log.head()).toBe(before);
    });

    it('what is no HTTP', async () => {
      const socket = connect({ host: '127.0.0.1', port: Number(new URL(api.url).port), ca: tls.cert });
      await once(socket, 'secureConnect');
      socket.write('nonsense\r\n\r\n');
      let text = '';
      for await (const piece of socket) text += String(piece);
      expect(text).toContain('HTTP/1.1 400');
      expect(text).toContain('"kind":"Status"');
    });

    it('acting as somebody else', async () => {
      const response = await open('GET', pods, { headers: { 'Impersonate-User': 'x' } });
      response.resume();
      expect(response.statusCode).toBe(403);
    });
  });

  it('names every field at fault by its path', async () => {
    const { body } = await post(pods, pod('p', { image: '', ports: [{ containerPort: 0 }] }));
    expect(objectsAt(body, 'details', 'causes').map((cause) => cause['field'])).toEqual(
      expect.arrayContaining(['spec.containers[0].image', 'spec.containers[0].ports[0].containerPort']),
    );
    expect(textAt(body, 'message')).toContain('Pod "p" is invalid: [');
  });

  it('warns of an unknown field, and does not keep it', async () => {
    const { status, headers, body } = await post(pods, pod('p', { imagePolicy: 'é"' }));
    expect(status).toBe(201);
    expect(headers['warning']).toBe('299 - "unknown field \\"spec.containers[0].imagePolicy\\""');
    expect(JSON.stringify(body)).not.toContain('imagePolicy":');
  });

  it('tells where the namespace of a new object is wanting', async () => {
    const { status, body } = await post('/api/v1/namespaces/none/pods', pod('p'));
    expect(status).toBe(404);
    expect(body['details']).toEqual({ name: 'none', kind: 'namespaces' });
  });

  it('lives by the plain verbs', async () => {
    expect((await post(pods, pod('web'))).status).toBe(201);
    expect((await post(pods, pod('web'))).body).toMatchObject({
      code: 409,
      reason: 'AlreadyExists',
      details: { name: 'web', kind: 'pods' },
    });
    const patched = await call('PATCH', `${pods}/web`, {
      body: { metadata: { labels: { a: 'b' } } },
      type: 'application/strategic-merge-patch+json',
    });
    expect(patched.body).toMatchObject({ metadata: { labels: { a: 'b' } } });
    expect((await call('GET', `${pods}?labelSelector=a%3Db`)).body).toMatchObject({
      kind: 'PodList',
      items: [{ metadata: { name: 'web' } }],
    });
    expect((await call('DELETE', `${pods}/web`)).body).toMatchObject({ kind: 'Status', status: 'Success' });
    expect((await call('GET', `${pods}/web`)).status).toBe(404);
  });

  it('deletes a collection by label', async () => {
    for (const name of ['a', 'b', 'c'])
      await post(pods, { ...pod(name), metadata: { name, labels: { gone: String(name !== 'c') } } });
    expect((await call('DELETE', `${pods}?labelSelector=gone%3Dtrue`)).status).toBe(200);
    const { body } = await call('GET', pods);
    expect(objectsAt(body, 'items').map((item) => textAt(item, 'metadata', 'name'))).toEqual(['c']);
  });

  it('binds by the subresource and by the collection of bindings', async () => {
    await post(pods, pod('web'));
    const binding = { metadata: { name: 'web' }, target: { kind: 'Node', name: 'n1' } };
    expect((await post('/api/v1/namespaces/default/bindings', binding)).status).toBe(201);
    expect((await post(`${pods}/web/binding`, binding)).body).toMatchObject({ code: 409, reason: 'Conflict' });
    expect((await post(`${pods}/web/eviction`, {})).status).toBe(201);
    expect((await call('GET', `${pods}/web`)).body).toMatchObject({ metadata: { deletionGracePeriodSeconds: 30 } });
  });

  it('prints what kubectl prints', async () => {
    await post(pods, pod('web'));
    const { body } = await call('GET', pods, { accept: table });
    const names = objectsAt(body, 'columnDefinitions').map((column) => column['name']);
    expect(names.slice(0, 5)).toEqual(['Name', 'Ready', 'Status', 'Restarts', 'Age']);
    expect(objectsAt(body, 'rows')[0]?.['cells']).toEqual([
      'web',
      '0/1',
      'Pending',
      '0',
      expect.stringMatching(/^\d+s$/),
      '<none>',
      '<none>',
      '<none>',
      '<none>',
    ]);
  });

  it('shows one store of Events through both groups', async () => {
    const involvedObject = { kind: 'Pod', namespace: 'default', name: 'web' };
    const events = '/api/v1/namespaces/default/events';
    await post(events, { metadata: { name: 'e1' }, involvedObject, message: 'hello', reason: 'Told', type: 'Normal' });
    expect((await call('GET', '/apis/events.k8s.io/v1/namespaces/default/events/e1')).body).toMatchObject({
      apiVersion: 'events.k8s.io/v1',
      regarding: involvedObject,
      note: 'hello',
    });
    const selector = encodeURIComponent('involvedObject.name=web,reason=Told');
    expect((await call('GET', `${events}?fieldSelector=${selector}`)).body).toMatchObject({
      items: [{ metadata: { name: 'e1' } }],
    });
  });

  describe('watches', () => {
    it('send each change as a line of its own while it happens', async () => {
      const response = await open('GET', `${pods}?watch=true`);
      expect(response.headers['content-type']).toBe('application/json');
      const reader = createInterface({ input: response })[Symbol.asyncIterator]();
      const next = async (): Promise<JsonObject> => JSON.parse(String((await reader.next()).value)) as JsonObject;
      await post(pods, pod('web'));
      expect(await next()).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'web' } } });
      await call('DELETE', `${pods}/web`);
      expect(await next()).toMatchObject({ type: 'DELETED', object: { metadata: { name: 'web' } } });
      response.destroy();
    });

    it('end in time with a bookmark', async () => {
      await post(pods, pod('web'));
      const events = await lines(`${pods}?watch=1&resourceVersion=0&allowWatchBookmarks=true&timeoutSeconds=1`);
      expect(events).toMatchObject([
        { type: 'ADDED' },
        {
          type: 'BOOKMARK',
          object: { kind: 'Pod', apiVersion: 'v1', metadata: { resourceVersion: expect.stringMatching(/^\d+$/) } },
        },
      ]);
    });

    it('list by watching', async () => {
      await post(pods, pod('web'));
      const query =
        'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1';
      const [added, end] = await lines(`${pods}?${query}`);
      expect(added).toMatchObject({ type: 'ADDED' });
      expect(end).toMatchObject({
        type: 'BOOKMARK',
        object: { metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
      });
    });

    it('send Tables whose columns are told once', async () => {
      await post(pods, pod('a'));
      await post(pods, pod('b'));
      const events = await lines(`${pods}?watch=1&resourceVersion=0&timeoutSeconds=1`, table);
      const columns = events.map((event) => objectsAt(event, 'object', 'columnDefinitions').length);
      expect(columns[0]).toBeGreaterThan(5);
      expect(columns.slice(1)).toEqual([0]);
      expect(events.map((event) => objectsAt(event, 'object', 'rows').length)).toEqual([1, 1]);
    });

    it('do not keep the server from stopping', async () => {
      const response = await open('GET', `${pods}?watch=true`);
      response.resume();
      const ended = once(response, 'close');
      await api.stop();
      await ended;
    });
  });

  describe('tells clients what there is', () => {
    it('without a token only that it is there, and which version it speaks', async () => {
      for (const path of ['/livez', '/readyz', '/healthz'])
        expect(await call('GET', path, { token: '' })).toMatchObject({ status: 200, text: 'ok' });
      expect((await call('GET', '/readyz?verbose', { token: '' })).text).toContain('[+]log ok');
      const { body } = await call('GET', '/version', { token: '' });
      expect([textAt(body, 'major'), textAt(body, 'minor')].map(Number).every(Number.isInteger)).toBe(true);
      expect((await call('GET', '/api', { token: '' })).status).toBe(401);
    });

    it('aggregated, in exactly the media type that means it, or group by group', async () => {
      const type = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
      const aggregated = await call('GET', '/apis', { accept: `${type},application/json` });
      expect(aggregated.headers['content-type']).toBe(type);
      expect(aggregated.body).toMatchObject({ kind: 'APIGroupDiscoveryList' });
      expect((await call('GET', '/apis', { accept: 'application/json' })).body).toMatchObject({ kind: 'APIGroupList' });
      const { body } = await call('GET', '/api/v1');
      const eviction = objectsAt(body, 'resources').find((resource) => resource['name'] === 'pods/eviction');
      expect(eviction).toMatchObject({ group: 'policy', version: 'v1', kind: 'Eviction' });
      expect(objectsAt(body, 'resources').map((resource) => resource['name'])).not.toContain('pods/exec');
    });

    it('field by field, in OpenAPI 3 as JSON and in OpenAPI 2 as protobuf', async () => {
      const { body } = await call('GET', '/openapi/v3');
      const url = textAt(body, 'paths', 'api/v1', 'serverRelativeURL') ?? '';
      const document = await call('GET', url);
      expect(document.body).toHaveProperty(['components', 'schemas', 'io.k8s.api.core.v1.Pod']);
      expect(document.headers['cache-control']).toContain('immutable');
      const accept = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
      const { headers } = await call('GET', '/openapi/v2', { accept });
      expect(headers['content-type']).toBe('application/com.github.proto-openapi.spec.v2.v1.0+protobuf');
    });
  });

  it('says when to come back while the log is away, and that it is not ready', async () => {
    logIsAway = true;
    const { status, headers, body } = await call('GET', pods);
    expect(status).toBe(503);
    expect(headers['retry-after']).toBe('1');
    expect(body).toMatchObject({ kind: 'Status', reason: 'ServiceUnavailable' });
    expect((await call('GET', '/readyz')).status).toBe(503);
    expect((await call('GET', '/livez')).status).toBe(200);
    logIsAway = false;
    expect((await call('GET', pods)).status).toBe(200);
  });
});
