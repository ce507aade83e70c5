import { cronjobs } from './cronjobs.js';
import { configmaps } from './configmaps.js';
import { controllerrevisions } from './controllerrevisions.js';
import { daemonsets } from './daemonsets.js';
import { deployments } from './deployments.js';
import { events, eventsOfEventsGroup } from './events.js';
import { jobs } from './jobs.js';
import { namespaces } from './namespaces.js';
import { nodes } from './nodes.js';
import { pods } from './pods.js';
import { priorityclasses } from './priorityclasses.js';
import { replicasets } from './replicasets.js';
import { secrets } from './secrets.js';
import { serviceaccounts } from './serviceaccounts.js';
import type { ResourceInfo } from '../wire/index.js';
import type { ResourceDefinition, Subresource } from './resource.js';

/** Every served resource. Routing, discovery, OpenAPI and Tables read this list and nothing else. */
export const served: readonly ResourceDefinition[] = [
  configmaps,
  events,
  namespaces,
  nodes,
  pods,
  secrets,
  serviceaccounts,
  deployments,
  daemonsets,
  controllerrevisions,
  replicasets,
  jobs,
  cronjobs,
  eventsOfEventsGroup,
  priorityclasses,
];

/** Finds what is served by the names that paths carry. */
export class Registry {
  private readonly byPath: ReadonlyMap<string, ResourceDefinition>;

  /** What discovery and OpenAPI tell: without the subresources that are only there to say that they are not. */
  readonly discoverable: readonly ResourceInfo[];

  constructor(resources: readonly ResourceDefinition[] = served) {
    this.discoverable = resources.map((resource) => ({
      ...resource,
      subresources: resource.subresources.filter(({ verbs }) => verbs.length > 0),
    }));
    this.byPath = new Map(
      resources.map((resource) => [key(resource.group, resource.version, resource.plural), resource]),
    );
  }

  find(group: string, version: string, plural: string): ResourceDefinition | undefined {
    return this.byPath.get(key(group, version, plural));
  }

  subresource(resource: ResourceDefinition, name: string): Subresource | undefined {
    return resource.subresources.find((subresource) => subresource.name === name);
  }
}

const key = (group: string, version: string, plural: string): string => `${group}/${version}/${plural}`;
