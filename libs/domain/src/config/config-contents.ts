import { DomainError } from '../errors.js';

/** What a pod's node knows of the ConfigMaps and Secrets that the pod names, by name. What is not in it does not exist. */
export interface ConfigContents {
  readonly configMaps: ReadonlyMap<
    string,
    {
      readonly data: Readonly<Record<string, string>>;
      /** Base64. */
      readonly binaryData: Readonly<Record<string, string>>;
    }
  >;
  readonly secrets: ReadonlyMap<
    string,
    {
      /** Base64. */
      readonly data: Readonly<Record<string, string>>;
    }
  >;
}

export const NO_CONFIG: ConfigContents = { configMaps: new Map(), secrets: new Map() };

/** A whole ConfigMap or Secret, or one key of it. */
export interface ConfigUse {
  readonly name?: string;
  readonly optional?: boolean;
}

/** The entries of a ConfigMap as bytes. Absent and optional: `undefined`; absent: throws `DomainError` (NotFound). */
export function configMapEntries(
  { name = '', optional }: ConfigUse,
  { configMaps }: ConfigContents,
): ReadonlyMap<string, Uint8Array> | undefined {
  const found = configMaps.get(name);
  if (!found) return absent(`configmap ${JSON.stringify(name)} not found`, optional);
  return new Map([
    ...Object.entries(found.data).map(([key, text]): [string, Uint8Array] => [key, new TextEncoder().encode(text)]),
    ...Object.entries(found.binaryData).map(([key, text]): [string, Uint8Array] => [key, bytesOfBase64(text)]),
  ]);
}

/** The entries of a Secret as bytes; absent as in {@link configMapEntries}. */
export function secretEntries(
  { name = '', optional }: ConfigUse,
  { secrets }: ConfigContents,
): ReadonlyMap<string, Uint8Array> | undefined {
  const found = secrets.get(name);
  if (!found) return absent(`secret ${JSON.stringify(name)} not found`, optional);
  return new Map(Object.entries(found.data).map(([key, text]) => [key, bytesOfBase64(text)]));
}

/** Nothing, where a use may do without; kubelet's words where it may not. */
export function absent(message: string, optional: boolean | undefined): undefined {
  if (!optional) throw new DomainError('NotFound', message);
}

const bytesOfBase64 = (text: string): Uint8Array => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
