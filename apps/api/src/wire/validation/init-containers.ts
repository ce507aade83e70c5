import type { FieldFault } from '#domain';
import type { Container, PodSpec } from '../wire-objects.js';
import { containerFaults } from './containers.js';
import { duplicate, forbidden } from './faults.js';

/** What a container may have only if it stays: an app container, or a sidecar. */
const ofThoseThatStay = ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const;

/** What is wrong with the init containers of a pod. `volumes` are the names that may be mounted. */
export function initContainerFaults(
  { containers = [], initContainers = [] }: PodSpec,
  volumes: ReadonlySet<string>,
  path: string,
): FieldFault[] {
  const apps = new Set(containers.map(({ name }) => name));
  return [
    ...containerFaults(initContainers, volumes, path),
    ...portsOfApps(containers, initContainers, path),
    ...initContainers.flatMap((container, index) => {
      const { name, restartPolicy } = container;
      const at = `${path}[${index}]`;
      const taken = name !== undefined && name !== '' && apps.has(name);
      const misplaced = restartPolicy === 'Always' ? [] : ofThoseThatStay.filter((field) => container[field]);
      return [
        ...(taken ? [duplicate(`${at}.name`, name)] : []),
        ...misplaced.map((field) =>
          forbidden(`${at}.${field}`, 'may not be set for init containers without restartPolicy=Always'),
        ),
      ];
    }),
  ];
}

/** A sidecar cannot have a port of the node that an app container of its pod has. */
function portsOfApps(apps: readonly Container[], inits: readonly Container[], path: string): FieldFault[] {
  const hostPorts = ({ ports = [] }: Container): (string | undefined)[] =>
    ports.map(({ protocol = 'TCP', hostIP = '', hostPort }) =>
      hostPort ? `${protocol}/${hostIP}/${hostPort}` : undefined,
    );
  const taken = new Set(apps.flatMap(hostPorts));
  return inits.flatMap((container, index) =>
    container.restartPolicy === 'Always'
      ? hostPorts(container).flatMap((port, at) =>
          port !== undefined && taken.has(port) ? [duplicate(`${path}[${index}].ports[${at}].hostPort`, port)] : [],
        )
      : [],
  );
}

/** What init containers ask for that Kubernetes does not do either. */
export function initContainerWarnings({ initContainers = [] }: PodSpec, path: string): string[] {
  return initContainers.flatMap(({ restartPolicy, ports = [] }, index) =>
    restartPolicy !== 'Always' && ports.some(({ hostPort }) => hostPort)
      ? [`${path}[${index}].ports: host ports of init containers are not opened`]
      : [],
  );
}
