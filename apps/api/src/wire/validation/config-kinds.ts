import { Buffer } from 'node:buffer';
import {
  HIGHEST_USER_PRIORITY,
  SYSTEM_PRIORITY_CLASSES,
  SYSTEM_PRIORITY_PREFIX,
  sameJson,
  type FieldFault,
  type JsonObject,
} from '#domain';
import type { Wire } from '../schema/wire-type.js';
import { forbidden, invalid, invalidFor, oneOf, required, tooLong } from './faults.js';
import { metadataChangeFaults, metadataFaults } from './metadata.js';
import { configKeyProblems } from './names.js';

type ConfigMap = Wire<'core.v1.ConfigMap'>;
type Secret = Wire<'core.v1.Secret'>;
type ServiceAccount = Wire<'core.v1.ServiceAccount'>;
type PriorityClass = Wire<'scheduling.v1.PriorityClass'>;

/** How much one object's values may have together. Bytes; Kubernetes' limit. */
const maxDataBytes = 1024 * 1024;
/** How Kubernetes names the object as a whole. */
const wholeObject = '[]';

/** What is wrong with a new config map. */
export function validateConfigMap(map: ConfigMap): FieldFault[] {
  const { data = {}, binaryData = {} } = map;
  return [
    ...metadataFaults(map.metadata),
    ...keyFaults(data, 'data', (key) => Object.hasOwn(binaryData, key) && 'duplicate of key present in binaryData'),
    ...keyFaults(binaryData, 'binaryData', (key) => Object.hasOwn(data, key) && 'duplicate of key present in data'),
    ...(textBytes(data) + binaryBytes(binaryData) > maxDataBytes ? [tooLong(wholeObject, maxDataBytes)] : []),
  ];
}

/** What is wrong with an edit of a config map. */
export const validateConfigMapUpdate = (before: ConfigMap, after: ConfigMap): FieldFault[] => [
  ...metadataChangeFaults(before.metadata, after.metadata),
  ...immutableFaults(before, after, ['data', 'binaryData']),
  ...validateConfigMap(after),
];

/** What is wrong with a new secret. No message holds a value. */
export function validateSecret(secret: Secret): FieldFault[] {
  const { data = {} } = secret;
  return [
    ...metadataFaults(secret.metadata),
    ...keyFaults(data, 'data'),
    ...(binaryBytes(data) > maxDataBytes ? [tooLong('data', maxDataBytes)] : []),
    ...typeFaults(secret),
  ];
}

/** What is wrong with an edit of a secret. */
export const validateSecretUpdate = (before: Secret, after: Secret): FieldFault[] => [
  ...metadataChangeFaults(before.metadata, after.metadata),
  ...(before.type === after.type ? [] : [invalid('type', after.type, 'field is immutable')]),
  ...immutableFaults(before, after, ['data']),
  ...validateSecret(after),
];

/** What a secret of a type must have. Source: Kubernetes, "Types of Secret". */
function typeFaults({ type, data = {} }: Secret): FieldFault[] {
  const missing = (...keys: readonly string[]): FieldFault[] =>
    keys.filter((key) => !Object.hasOwn(data, key)).map((key) => required(`data[${key}]`));
  switch (type) {
    case 'kubernetes.io/service-account-token':
      return [forbidden('type', 'tokens of service accounts: not supported yet by Podledger')];
    case 'kubernetes.io/dockercfg':
      return jsonFaults(data, '.dockercfg');
    case 'kubernetes.io/dockerconfigjson':
      return jsonFaults(data, '.dockerconfigjson');
    case 'kubernetes.io/basic-auth': {
      const lacks = missing('username', 'password');
      return lacks.length === 2 ? lacks : [];
    }
    case 'kubernetes.io/ssh-auth':
      return data['ssh-privatekey'] ? [] : [required('data[ssh-privatekey]')];
    case 'kubernetes.io/tls':
      return missing('tls.crt', 'tls.key');
    default:
      return [];
  }
}

function jsonFaults(data: Readonly<Record<string, string>>, key: string): FieldFault[] {
  const value = Object.hasOwn(data, key) ? data[key] : undefined;
  if (value === undefined) return [required(`data[${key}]`)];
  return isJsonObject(Buffer.from(value, 'base64').toString('utf8'))
    ? []
    : [invalid(`data[${key}]`, '<secret contents redacted>', 'must be a JSON object')];
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && !Array.isArray(value);
  } catch {
    // What the parser says quotes the text.
    return false;
  }
}

/** What is wrong with a service account. */
export const validateServiceAccount = (account: ServiceAccount): FieldFault[] => metadataFaults(account.metadata);

/** What is wrong with an edit of a service account. */
export const validateServiceAccountUpdate = (before: ServiceAccount, after: ServiceAccount): FieldFault[] => [
  ...metadataChangeFaults(before.metadata, after.metadata),
  ...validateServiceAccount(after),
];

/** What is wrong with a new priority class. */
export function validatePriorityClass(priorityClass: PriorityClass): FieldFault[] {
  const { metadata, value = 0, preemptionPolicy } = priorityClass;
  return [
    ...metadataFaults(metadata),
    ...(metadata?.name?.startsWith(SYSTEM_PRIORITY_PREFIX)
      ? systemFaults(metadata.name, priorityClass)
      : value > HIGHEST_USER_PRIORITY
        ? [forbidden('value', `maximum allowed value of a user defined priority is ${HIGHEST_USER_PRIORITY}`)]
        : []),
    ...oneOf('preemptionPolicy', preemptionPolicy, ['Never', 'PreemptLowerPriority']),
  ];
}

/** What is wrong with an edit of a priority class: pods have been given its value. */
export const validatePriorityClassUpdate = (before: PriorityClass, after: PriorityClass): FieldFault[] => [
  ...metadataChangeFaults(before.metadata, after.metadata),
  ...(before.value === after.value ? [] : [forbidden('value', 'may not be changed in an update.')]),
  ...(before.preemptionPolicy === after.preemptionPolicy
    ? []
    : [invalid('preemptionPolicy', after.preemptionPolicy, 'field is immutable')]),
  ...validatePriorityClass(after),
];

function systemFaults(name: string, { value, globalDefault = false }: PriorityClass): FieldFault[] {
  const known = SYSTEM_PRIORITY_CLASSES.find((each) => each.name === name);
  const refuse = (error: string): FieldFault[] => [
    forbidden(
      'metadata.name',
      `priority class names with '${SYSTEM_PRIORITY_PREFIX}' prefix are reserved for system use only. error: ${error}`,
    ),
  ];
  if (!known) return refuse(`${name} is not a known system priority class`);
  if (value !== known.body.value) return refuse(`value of ${name} PriorityClass must be ${known.body.value}`);
  return globalDefault ? refuse(`globalDefault of ${name} PriorityClass must be false`) : [];
}

function keyFaults(
  values: Readonly<Record<string, string>>,
  field: string,
  alsoWrong: (key: string) => string | false = () => false,
): FieldFault[] {
  return Object.keys(values).flatMap((key) => {
    const other = alsoWrong(key);
    return invalidFor(`${field}[${key}]`, key, [...configKeyProblems(key), ...(other ? [other] : [])]);
  });
}

function immutableFaults(before: JsonObject, after: JsonObject, fields: readonly string[]): FieldFault[] {
  if (before['immutable'] !== true) return [];
  const why = 'field is immutable when `immutable` is set';
  const changed = fields.filter((field) => !sameJson(before[field] ?? {}, after[field] ?? {}));
  return [...(after['immutable'] === true ? [] : ['immutable']), ...changed].map((field) => forbidden(field, why));
}

const textBytes = (values: Readonly<Record<string, string>>): number =>
  Object.values(values).reduce((sum, value) => sum + Buffer.byteLength(value), 0);
const binaryBytes = (values: Readonly<Record<string, string>>): number =>
  Object.values(values).reduce((sum, value) => sum + Buffer.byteLength(value, 'base64'), 0);
