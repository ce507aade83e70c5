import { Registry } from '../resources/registry.js';
import { resourcePath } from './path.js';

const registry = new Registry();

/** What a path names, in words. */
function read(path: string): string | undefined {
  const found = resourcePath(registry, path);
  if (!found) return undefined;
  const { definition, namespace = '*', name = '*', subresource, bindings } = found;
  const kind = `${definition.group || 'core'}/${definition.plural}`;
  return [kind, namespace, name, ...(subresource ? [subresource.name] : []), ...(bindings ? ['by body'] : [])].join(
    ' ',
  );
}

describe('paths', () => {
  it.each([
    ['/api/v1/pods', 'core/pods * *'],
    ['/api/v1/namespaces/shop/pods', 'core/pods shop *'],
    ['/api/v1/namespaces/shop/pods/web', 'core/pods shop web'],
    ['/api/v1/namespaces/shop/pods/web/log', 'core/pods shop web log'],
    ['/api/v1/namespaces/shop/bindings', 'core/pods shop * binding by body'],
    ['/apis/apps/v1/namespaces/shop/replicasets/web/scale', 'apps/replicasets shop web scale'],
    ['/api/v1/namespaces', 'core/namespaces * *'],
    ['/api/v1/namespaces/shop', 'core/namespaces * shop'],
    ['/api/v1/namespaces/shop/finalize', 'core/namespaces * shop finalize'],
    ['/api/v1/namespaces/status/status', 'core/namespaces * status status'],
    ['/api/v1/nodes/n1.example.com', 'core/nodes * n1.example.com'],
    ['/apis/events.k8s.io/v1/events', 'events.k8s.io/events * *'],
    ['/api/v1/namespaces/shop/pods/a%20b', 'core/pods shop a b'],
  ])('%s is %s', (path, words) => expect(read(path)).toBe(words));

  it.each(['/', '/api', '/api/v1', '/apis/apps', '/apis/apps/v1', '/version'])('%s is none of a resource', (path) =>
    expect(read(path)).toBeUndefined(),
  );

  it.each([
    '/api/v1/widgets',
    '/apis/apps/v1/pods',
    '/api/v2/pods',
    '/api/v1/pods/web',
    '/api/v1/namespaces/shop/nodes/n1',
    '/api/v1/namespaces/shop/pods/web/nothing',
    '/api/v1/namespaces/shop/pods/web/log/more',
    '/api/v1/namespaces/shop/pods/..',
    '/api/v1/namespaces/shop/pods/a%2fb',
    '/api/v1/namespaces/a%2fb/pods',
  ])('%s is not served', (path) => expect(() => read(path)).toThrow(expect.objectContaining({ code: 404 })));

  it('that cannot be decoded are refused', () => {
    expect(() => read('/api/v1/namespaces/%zz/pods')).toThrow(expect.objectContaining({ code: 400 }));
  });
});
