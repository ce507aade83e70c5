import { DomainError, type Json, type JsonObject, type PodFact } from '#domain';
import { isObject } from '../resources/wire-values.js';

/*
 * What a node says becomes history for ever, and every replica folds it: a fact of a wrong form must not get that far.
 */

type Field = 'text' | 'count' | 'time' | 'flag' | 'code' | readonly string[];
interface Form {
  readonly required: Readonly<Record<string, Field>>;
  readonly optional?: Readonly<Record<string, Field>>;
}

type DataOf<Type extends PodFact['type']> = Extract<PodFact, { readonly type: Type }>['data'];
type OptionalKey<Data> = { [Key in keyof Data]-?: undefined extends Data[Key] ? Key : never }[keyof Data];
/** The compiler sees to it that no member of a fact is forgotten here: what is not listed would be lost on its way to the log. */
type Forms = {
  readonly [Type in PodFact['type']]: {
    readonly required: Readonly<Record<Exclude<keyof DataOf<Type>, OptionalKey<DataOf<Type>>>, Field>>;
  } & ([OptionalKey<DataOf<Type>>] extends [never]
    ? unknown
    : { readonly optional: Readonly<Record<OptionalKey<DataOf<Type>>, Field>> });
};

/** Engines and images write long messages; what exceeds this, in characters, is no message. */
const longestText = 32 * 1024;

const forms: Forms = {
  PodSandboxStarted: { required: { attempt: 'count', sandboxId: 'text', ip: 'text', hostIP: 'text' } },
  PodSandboxFailed: { required: { message: 'text', retryAt: 'time' } },
  ImagePullStarted: { required: { container: 'text', image: 'text' } },
  ImagePullProgressed: { required: { container: 'text', image: 'text', bytesDone: 'count', bytesTotal: 'count' } },
  ImagePulled: {
    required: { container: 'text', image: 'text', imageId: 'text', alreadyPresent: 'flag', durationMs: 'time' },
  },
  ImagePullFailed: {
    required: {
      container: 'text',
      image: 'text',
      reason: ['ErrImagePull', 'ImagePullBackOff', 'ErrImageNeverPull', 'InvalidImageName'],
      message: 'text',
    },
    optional: { retryAt: 'time' },
  },
  ContainerCreateFailed: {
    required: {
      container: 'text',
      reason: ['CreateContainerError', 'CreateContainerConfigError'],
      message: 'text',
      retryAt: 'time',
    },
  },
  ContainerCreated: { required: { container: 'text', attempt: 'count', containerId: 'text' } },
  ContainerStarted: {
    required: { container: 'text', attempt: 'count', containerId: 'text', imageId: 'text', startedAt: 'time' },
  },
  ContainerExited: {
    required: {
      container: 'text',
      attempt: 'count',
      containerId: 'text',
      exitCode: 'code',
      reason: ['Completed', 'Error', 'OOMKilled', 'StartError', 'ContainerStatusUnknown'],
      finishedAt: 'time',
    },
    optional: {
      signal: 'count',
      message: 'text',
      startedAt: 'time',
      infrastructure: 'flag',
      replaced: 'flag',
      condemned: 'flag',
    },
  },
  ContainerBackingOff: { required: { container: 'text', attempt: 'count', retryAt: 'time', message: 'text' } },
  ContainerKilling: { required: { container: 'text', containerId: 'text', message: 'text' } },
  ContainerProbeFailed: {
    required: {
      container: 'text',
      containerId: 'text',
      probe: ['startup', 'readiness', 'liveness'],
      message: 'text',
      count: 'count',
    },
    optional: { condemned: 'flag' },
  },
  ContainerStartupSucceeded: { required: { container: 'text', containerId: 'text' } },
  ContainerReadinessChanged: { required: { container: 'text', containerId: 'text', ready: 'flag' } },
  PostStartHookSucceeded: { required: { container: 'text', containerId: 'text' } },
  LifecycleHookFailed: {
    required: { container: 'text', containerId: 'text', hook: ['postStart', 'preStop'], message: 'text' },
  },
  PodRefusedByNode: {
    required: { reason: ['OutOfcpu', 'OutOfmemory', 'OutOfpods', 'NodePorts', 'NodeAffinity'], message: 'text' },
  },
  PodContainersRemoved: { required: { node: 'text' } },
};

const isFactType = (type: Json | undefined): type is PodFact['type'] =>
  typeof type === 'string' && Object.hasOwn(forms, type);

/** Reads one fact as a node sent it. Unknown members are left out. Throws `DomainError` BadRequest of another form. */
export function readFact(message: JsonObject): PodFact {
  const { id, type, data } = message;
  if (typeof id !== 'string' || !isFactType(type) || !isObject(data)) throw malformed(message, 'id, type or data');
  const { required, optional = {} }: Form = forms[type];
  const read: Record<string, Json> = {};
  for (const [name, field] of Object.entries({ ...optional, ...required })) {
    const value = data[name];
    if ((value === undefined || value === null) && !Object.hasOwn(required, name)) continue;
    if (!isOf(field, value)) throw malformed(message, `data.${name}`);
    read[name] = value;
  }
  const fact: JsonObject = { id, type, data: read };
  return fact as JsonObject & PodFact;
}

function isOf(field: Field, value: Json | undefined): value is Json {
  switch (field) {
    case 'text':
      return typeof value === 'string' && value.length <= longestText;
    case 'count':
      return Number.isSafeInteger(value) && Number(value) >= 0;
    case 'code':
      return Number.isSafeInteger(value);
    case 'time':
      return typeof value === 'number' && Number.isFinite(value) && value >= 0 && value < 8.64e15;
    case 'flag':
      return typeof value === 'boolean';
    default:
      return typeof value === 'string' && field.includes(value);
  }
}

const malformed = ({ id, type }: JsonObject, what: string): DomainError =>
  new DomainError(
    'BadRequest',
    `fact ${JSON.stringify(id)} of type ${JSON.stringify(type)}: ${what} is not as it must be`,
  );
