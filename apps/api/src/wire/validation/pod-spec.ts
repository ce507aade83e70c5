import type { FieldFault } from '#domain';
import { quantityNanos } from '../quantity.js';
import type { Wire } from '../schema/wire-type.js';
import type { PodSpec, Volume } from '../wire-objects.js';
import { containerFaults } from './containers.js';
import { duplicates, forbidden, invalid, invalidFor, notNegative, notSupported, oneOf, required } from './faults.js';
import { initContainerFaults } from './init-containers.js';
import { labelFaults } from './metadata.js';
import { nodeAffinityFaults } from './node-affinity.js';
import { dnsLabelProblems, dnsSubdomainProblems, labelKeyProblems, labelValueProblems } from './names.js';
import { healthFaults } from './probes.js';

const restartPolicies = ['Always', 'Never', 'OnFailure'];
const dnsPolicies = ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'];
const effects = ['NoExecute', 'NoSchedule', 'PreferNoSchedule'];
const media = ['', 'Memory'];

/** What is wrong with a pod spec, in a pod or in a template, whether or not Podledger can run it. */
export function podSpecFaults(spec: PodSpec, path: string): FieldFault[] {
  const { containers = [], volumes = [], tolerations = [], schedulingGates = [] } = spec;
  const volumeNames = new Set(volumes.flatMap(({ name }) => (name ? [name] : [])));
  const optional = (
    field: 'hostname' | 'subdomain' | 'nodeName' | 'schedulerName',
    problems: (name: string) => string[],
  ) => {
    const value = spec[field];
    return value ? invalidFor(`${path}.${field}`, value, problems(value)) : [];
  };
  return [
    ...volumes.flatMap((volume, index) => volumeFaults(volume, `${path}.volumes[${index}]`)),
    ...duplicates(
      volumes,
      ({ name }) => name,
      (index) => `${path}.volumes[${index}].name`,
    ),
    ...(containers.length === 0 ? [required(`${path}.containers`)] : []),
    ...containerFaults(containers, volumeNames, `${path}.containers`),
    ...initContainerFaults(spec, volumeNames, `${path}.initContainers`),
    ...healthFaults(spec, path),
    ...oneOf(`${path}.restartPolicy`, spec.restartPolicy, restartPolicies),
    ...oneOf(`${path}.dnsPolicy`, spec.dnsPolicy, dnsPolicies),
    ...notNegative(`${path}.terminationGracePeriodSeconds`, spec.terminationGracePeriodSeconds),
    ...labelFaults(spec.nodeSelector, `${path}.nodeSelector`),
    ...nodeAffinityFaults(spec, `${path}.affinity`),
    ...optional('hostname', dnsLabelProblems),
    ...optional('subdomain', dnsLabelProblems),
    ...optional('nodeName', dnsSubdomainProblems),
    ...optional('schedulerName', dnsSubdomainProblems),
    ...tolerations.flatMap((toleration, index) => tolerationFaults(toleration, `${path}.tolerations[${index}]`)),
    ...schedulingGates.flatMap(({ name }, index) => gateFaults(name, `${path}.schedulingGates[${index}]`)),
    ...duplicates(
      schedulingGates,
      ({ name }) => name,
      (index) => `${path}.schedulingGates[${index}].name`,
    ),
    ...(spec.nodeName && schedulingGates.length > 0
      ? [forbidden(`${path}.nodeName`, 'cannot be set until all schedulingGates have been cleared')]
      : []),
  ];
}

const gateFaults = (name: string | undefined, path: string): FieldFault[] =>
  name ? invalidFor(path, name, labelKeyProblems(name)) : [required(path)];

function volumeFaults(volume: Volume, path: string): FieldFault[] {
  const { name, emptyDir, ...sources } = volume;
  const named = name ? invalidFor(`${path}.name`, name, dnsLabelProblems(name)) : [required(`${path}.name`)];
  const others = Object.keys(sources);
  const all = emptyDir ? ['emptyDir', ...others] : others;
  return [
    ...named,
    ...(all.length === 0 ? [required(path, 'must specify a volume type')] : []),
    ...all.slice(1).map((source) => forbidden(`${path}.${source}`, 'may not specify more than 1 volume type')),
    ...(emptyDir ? emptyDirFaults(emptyDir, `${path}.emptyDir`) : []),
  ];
}

function emptyDirFaults({ medium, sizeLimit }: Wire<'core.v1.EmptyDirVolumeSource'>, path: string): FieldFault[] {
  const huge = medium === 'HugePages' || medium?.startsWith('HugePages-');
  return [
    ...(medium === undefined || media.includes(medium) || huge ? [] : [notSupported(`${path}.medium`, medium, media)]),
    ...(huge ? [forbidden(`${path}.medium`, 'huge pages are not supported yet by Podledger')] : []),
    ...(sizeLimit !== undefined && (quantityNanos(sizeLimit) ?? 0n) < 0n
      ? [forbidden(`${path}.sizeLimit`, 'SizeLimit field must be a valid resource quantity')]
      : []),
  ];
}

function tolerationFaults(toleration: Wire<'core.v1.Toleration'>, path: string): FieldFault[] {
  const { key = '', operator = 'Equal', value = '', effect, tolerationSeconds } = toleration;
  const faults: FieldFault[] = key ? invalidFor(`${path}.key`, key, labelKeyProblems(key)) : [];
  if (!key && operator !== 'Exists') {
    faults.push(
      invalid(
        `${path}.operator`,
        operator,
        'operator must be Exists when `key` is empty, which means "match all values and all keys"',
      ),
    );
  }
  if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
    faults.push(invalid(`${path}.effect`, effect ?? '', "effect must be 'NoExecute' when `tolerationSeconds` is set"));
  }
  switch (operator) {
    case 'Equal':
    case '':
      faults.push(...invalidFor(`${path}.operator`, value, labelValueProblems(value)));
      break;
    case 'Exists':
      if (value) faults.push(invalid(`${path}.operator`, value, "value must be empty when `operator` is 'Exists'"));
      break;
    default:
      faults.push(notSupported(`${path}.operator`, operator, ['Equal', 'Exists']));
  }
  return effect ? [...faults, ...oneOf(`${path}.effect`, effect, effects)] : faults;
}
