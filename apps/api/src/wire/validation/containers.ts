import type { FieldFault } from '#domain';
import type { Wire } from '../schema/wire-type.js';
import type { Container } from '../wire-objects.js';
import { duplicate, duplicates, invalid, invalidFor, notFound, oneOf, portInRange, required } from './faults.js';
import { configKeyProblems, dnsLabelProblems, envNameProblems, portNameProblems } from './names.js';
import { notNegativeQuantity, resourceFaults } from './resources.js';
import { restartFaults } from './restart-faults.js';

type EnvVar = Wire<'core.v1.EnvVar'>;
type ContainerPort = Wire<'core.v1.ContainerPort'>;

const pullPolicies = ['Always', 'IfNotPresent', 'Never'];
const protocols = ['SCTP', 'TCP', 'UDP'];
const messagePolicies = ['FallbackToLogsOnError', 'File'];

/** Fields a pod's environment may be filled from. */
const fieldPaths = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];

/** Resources a pod's environment may be filled from. */
const resourceFields = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];

/** What is wrong with the containers of a pod. `volumes` are the names that may be mounted. */
export function containerFaults(
  containers: readonly Container[],
  volumes: ReadonlySet<string>,
  path: string,
): FieldFault[] {
  return [
    ...containers.flatMap((container, index) => oneContainer(container, volumes, `${path}[${index}]`)),
    ...duplicates(
      containers,
      ({ name }) => name,
      (index) => `${path}[${index}].name`,
    ),
    ...hostPortConflicts(containers, path),
  ];
}

function oneContainer(container: Container, volumes: ReadonlySet<string>, path: string): FieldFault[] {
  const { name, image, ports = [], env = [], envFrom = [], volumeMounts = [] } = container;
  return [
    ...(name ? invalidFor(`${path}.name`, name, dnsLabelProblems(name)) : [required(`${path}.name`)]),
    ...imageFaults(image, `${path}.image`),
    ...oneOf(`${path}.imagePullPolicy`, container.imagePullPolicy, pullPolicies),
    ...oneOf(`${path}.terminationMessagePolicy`, container.terminationMessagePolicy, messagePolicies),
    ...restartFaults(container, path),
    ...ports.flatMap((port, index) => portFaults(port, `${path}.ports[${index}]`)),
    ...duplicates(
      ports,
      (port) => port.name,
      (index) => `${path}.ports[${index}].name`,
    ),
    ...env.flatMap((variable, index) => envFaults(variable, `${path}.env[${index}]`)),
    ...envFrom.flatMap((source, index) => envFromFaults(source, `${path}.envFrom[${index}]`)),
    ...resourceFaults(container.resources, `${path}.resources`),
    ...volumeMounts.flatMap((mount, index) => mountFaults(mount, volumes, `${path}.volumeMounts[${index}]`)),
    ...repeatedMountPaths(volumeMounts, `${path}.volumeMounts`),
  ];
}

function imageFaults(image: string | undefined, path: string): FieldFault[] {
  if (!image) return [required(path)];
  return image === image.trim() ? [] : [invalid(path, image, 'must not have leading or trailing whitespace')];
}

function portFaults({ name, containerPort, hostPort, protocol, hostIP }: ContainerPort, path: string): FieldFault[] {
  return [
    ...(name ? invalidFor(`${path}.name`, name, portNameProblems(name)) : []),
    ...(containerPort ? portInRange(`${path}.containerPort`, containerPort) : [required(`${path}.containerPort`)]),
    ...(hostPort ? portInRange(`${path}.hostPort`, hostPort) : []),
    ...(protocol ? oneOf(`${path}.protocol`, protocol, protocols) : []),
    ...(hostIP && !isAddress(hostIP)
      ? [invalid(`${path}.hostIP`, hostIP, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')]
      : []),
  ];
}

function isAddress(text: string): boolean {
  const four = text.split('.');
  if (four.length === 4) return four.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
  const halves = text.split('::');
  if (halves.length > 2 || !text.includes(':')) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const complete = halves.length === 2 ? groups.length < 8 : groups.length === 8;
  return complete && groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group));
}

/** Two containers of a pod cannot have the same port of the node. */
function hostPortConflicts(containers: readonly Container[], path: string): FieldFault[] {
  const ports = containers.flatMap(({ ports: own = [] }, container) =>
    own.flatMap((port, index) =>
      port.hostPort ? [{ port, at: `${path}[${container}].ports[${index}].hostPort` }] : [],
    ),
  );
  const key = ({ protocol = 'TCP', hostIP = '', hostPort }: ContainerPort): string =>
    `${protocol}/${hostIP}/${hostPort ?? 0}`;
  const seen = new Set<string>();
  return ports.flatMap(({ port, at }) => {
    const text = key(port);
    if (seen.has(text)) return [duplicate(at, text)];
    seen.add(text);
    return [];
  });
}

function envFaults({ name, value, valueFrom }: EnvVar, path: string): FieldFault[] {
  const named = name ? invalidFor(`${path}.name`, name, envNameProblems(name)) : [required(`${path}.name`)];
  if (!valueFrom) return named;
  const at = `${path}.valueFrom`;
  const sources = Object.keys(valueFrom);
  const faults = [...named];
  if (sources.length === 0) {
    faults.push(
      invalid(at, '', 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`'),
    );
  }
  if (value) faults.push(invalid(at, '', 'may not be specified when `value` is not empty'));
  if (sources.length > 1) faults.push(invalid(at, '', 'may not have more than one field specified at a time'));
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = valueFrom;
  if (configMapKeyRef) faults.push(...keyRefFaults(configMapKeyRef, `${at}.configMapKeyRef`));
  if (secretKeyRef) faults.push(...keyRefFaults(secretKeyRef, `${at}.secretKeyRef`));
  if (fieldRef) faults.push(...fieldRefFaults(fieldRef, `${at}.fieldRef`));
  if (resourceFieldRef) {
    const { resource, divisor } = resourceFieldRef;
    if (!resource) faults.push(required(`${at}.resourceFieldRef.resource`));
    else faults.push(...oneOf(`${at}.resourceFieldRef.resource`, resource, resourceFields));
    faults.push(...notNegativeQuantity(`${at}.resourceFieldRef.divisor`, divisor));
  }
  return faults;
}

function keyRefFaults({ name, key }: Wire<'core.v1.ConfigMapKeySelector'>, path: string): FieldFault[] {
  return [
    ...(name ? [] : [required(`${path}.name`)]),
    ...(key ? invalidFor(`${path}.key`, key, configKeyProblems(key)) : [required(`${path}.key`)]),
  ];
}

function envFromFaults({ prefix, configMapRef, secretRef }: Wire<'core.v1.EnvFromSource'>, path: string): FieldFault[] {
  const faults = prefix ? invalidFor(`${path}.prefix`, prefix, envNameProblems(prefix)) : [];
  if (!configMapRef && !secretRef) faults.push(invalid(path, '', 'must specify one of: `configMapRef` or `secretRef`'));
  if (configMapRef && secretRef) faults.push(invalid(path, '', 'may not have more than one field specified at a time'));
  if (configMapRef && !configMapRef.name) faults.push(required(`${path}.configMapRef.name`));
  if (secretRef && !secretRef.name) faults.push(required(`${path}.secretRef.name`));
  return faults;
}

function fieldRefFaults({ apiVersion, fieldPath }: Wire<'core.v1.ObjectFieldSelector'>, path: string): FieldFault[] {
  if (!fieldPath) return [required(`${path}.fieldPath`)];
  const version = oneOf(`${path}.apiVersion`, apiVersion, ['v1']);
  const member = /^(metadata\.(?:labels|annotations))\['(.+)'\]$/.exec(fieldPath);
  if (member || fieldPaths.filter((known) => !/labels|annotations/.test(known)).includes(fieldPath)) return version;
  return [...version, ...oneOf(`${path}.fieldPath`, fieldPath, fieldPaths)];
}

function mountFaults(
  { name, mountPath }: Wire<'core.v1.VolumeMount'>,
  volumes: ReadonlySet<string>,
  path: string,
): FieldFault[] {
  return [
    ...(name ? (volumes.has(name) ? [] : [notFound(`${path}.name`, name)]) : [required(`${path}.name`)]),
    ...(mountPath ? [] : [required(`${path}.mountPath`)]),
    ...(mountPath?.includes(':') ? [invalid(`${path}.mountPath`, mountPath, "must not contain ':'")] : []),
  ];
}

function repeatedMountPaths(mounts: readonly Wire<'core.v1.VolumeMount'>[], path: string): FieldFault[] {
  const seen = new Set<string>();
  return mounts.flatMap(({ mountPath }, index) => {
    if (!mountPath) return [];
    if (seen.has(mountPath)) return [invalid(`${path}[${index}].mountPath`, mountPath, 'must be unique')];
    seen.add(mountPath);
    return [];
  });
}
