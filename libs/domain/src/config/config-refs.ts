import type { Json, JsonObject } from '../json.js';

/** A ConfigMap or Secret that a pod names. */
export interface ConfigRef {
  readonly name: string;
  /** Nothing in the pod waits for it: every use of it may do without the whole object. */
  readonly optional: boolean;
}

/** What a pod may ask to be told: all the ConfigMaps and Secrets of its namespace that its spec names, each once, by name. */
export interface ConfigRefs {
  readonly configMaps: readonly ConfigRef[];
  readonly secrets: readonly ConfigRef[];
}

/**
 * The configuration that a pod's spec names: `env`, `envFrom`, volumes (plain and projected) and `imagePullSecrets`, of every
 * kind of container. The control plane hands a node nothing else, and the node asks for nothing else. Without a pull secret
 * an image may still be there, so those are optional. Reads any JSON: what is not a reference is none.
 */
export function configRefsOf(spec: JsonObject): ConfigRefs {
  const containers = CONTAINER_LISTS.flatMap((list) => objects(spec[list]));
  const volumes = objects(spec['volumes']);
  const projections = volumes.flatMap(({ projected }) => objects(objectOf(projected)['sources']));
  const env = containers.flatMap((container) => objects(container['env'])).map(({ valueFrom }) => objectOf(valueFrom));
  const envFrom = containers.flatMap((container) => objects(container['envFrom']));
  return {
    configMaps: merged([
      ...env.map(({ configMapKeyRef }) => configMapKeyRef),
      ...envFrom.map(({ configMapRef }) => configMapRef),
      ...volumes.map(({ configMap }) => configMap),
      ...projections.map(({ configMap }) => configMap),
    ]),
    secrets: merged([
      ...env.map(({ secretKeyRef }) => secretKeyRef),
      ...envFrom.map(({ secretRef }) => secretRef),
      ...volumes.map(({ secret }) => (isObject(secret) ? { ...secret, name: secret['secretName'] } : undefined)),
      ...projections.map(({ secret }) => secret),
      ...objects(spec['imagePullSecrets']).map(({ name }) => ({ name, optional: true })),
    ]),
  };
}

const CONTAINER_LISTS = ['initContainers', 'containers', 'ephemeralContainers'] as const;

function merged(uses: readonly (Json | undefined)[]): ConfigRef[] {
  const found = new Map<string, boolean>();
  for (const { name, optional } of uses.filter(isObject)) {
    if (typeof name !== 'string' || name === '') continue;
    found.set(name, (found.get(name) ?? true) && optional === true);
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, optional]): ConfigRef => ({ name, optional }));
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const objectOf = (value: Json | undefined): JsonObject => (isObject(value) ? value : {});
const objects = (value: Json | undefined): readonly JsonObject[] =>
  Array.isArray(value) ? value.filter(isObject) : [];
