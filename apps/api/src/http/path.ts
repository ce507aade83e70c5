import type { Registry } from '../resources/registry.js';
import type { ResourceDefinition, Subresource } from '../resources/resource.js';
import { badRequest, noSuchPath } from '../status-error.js';

/** What a path below `/api/v1` or `/apis/<group>/<version>` names. */
export interface ResourcePath {
  readonly definition: ResourceDefinition;
  /** Absent: all namespaces, or a cluster-scoped kind. */
  readonly namespace?: string;
  /** Absent: the collection. */
  readonly name?: string;
  readonly subresource?: Subresource;
  /** `POST .../bindings`: the pod's name is in the body. */
  readonly bindings?: true;
}

/** Splits a path into its decoded segments. Throws 400 when one cannot be decoded. */
export function segmentsOf(path: string): string[] {
  return path
    .split('/')
    .filter((segment) => segment !== '')
    .map((segment) => {
      try {
        return decodeURIComponent(segment);
      } catch {
        throw badRequest('the path is not a valid URL path');
      }
    });
}

/** Finds what a path names; `undefined` when it is none of a resource. Throws 404 for what is not served. */
export function resourcePath(registry: Registry, path: string): ResourcePath | undefined {
  const segments = segmentsOf(path);
  const [root, ...afterRoot] = segments;
  if (root !== 'api' && root !== 'apis') return undefined;
  const [group, version, ...rest] = root === 'api' ? ['', ...afterRoot] : afterRoot;
  if (group === undefined || version === undefined || rest.length === 0) return undefined;
  // A name with a slash in it would be another name once it is part of a stream's.
  if (rest.some((segment) => segment.includes('/') || segment === '.' || segment === '..')) throw noSuchPath();
  const [first, second, third] = rest;
  const namespaces = registry.find(group, version, 'namespaces');
  const namespaced =
    first === 'namespaces' &&
    second !== undefined &&
    third !== undefined &&
    !(namespaces && registry.subresource(namespaces, third));
  return namespaced
    ? located(registry, group, version, rest.slice(2), second)
    : located(registry, group, version, rest, undefined);
}

function located(
  registry: Registry,
  group: string,
  version: string,
  [plural = '', name, subresource, ...more]: readonly string[],
  namespace: string | undefined,
): ResourcePath {
  if (more.length > 0) throw noSuchPath();
  if (group === '' && plural === 'bindings' && name === undefined && namespace !== undefined) {
    const pods = registry.find(group, version, 'pods');
    const binding = pods && registry.subresource(pods, 'binding');
    if (pods && binding) return { definition: pods, namespace, subresource: binding, bindings: true };
  }
  const definition = registry.find(group, version, plural);
  if (!definition) throw noSuchPath();
  // One object of a namespaced kind has a namespace; a cluster-scoped one has none.
  if (definition.namespaced ? namespace === undefined && name !== undefined : namespace !== undefined)
    throw noSuchPath();
  if (name === undefined) return { definition, ...(namespace !== undefined && { namespace }) };
  const found = subresource === undefined ? undefined : registry.subresource(definition, subresource);
  if (subresource !== undefined && !found) throw noSuchPath();
  return {
    definition,
    ...(namespace !== undefined && { namespace }),
    name,
    ...(found && { subresource: found }),
  };
}
