import { WireError } from '../wire-error.js';

/** One entry of an Accept header, or a Content-Type. */
export interface MediaType {
  /** `application/json`, in lower case. */
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** How much of a header is read: no client sends more, and it bounds the work. */
const maxEntries = 64;

/** Reads one media type; `undefined` when there is none. */
export function parseMediaType(text: string): MediaType | undefined {
  const [type = '', ...rest] = text.split(';').map((part) => part.trim());
  if (!/^[^\s/;,]+\/[^\s/;,]+$/.test(type)) return undefined;
  const parameters = new Map<string, string>();
  for (const parameter of rest) {
    const equals = parameter.indexOf('=');
    if (equals < 1) continue;
    const value = parameter.slice(equals + 1).trim();
    parameters.set(parameter.slice(0, equals).trim().toLowerCase(), value.replace(/^"(.*)"$/, '$1'));
  }
  return { type: type.toLowerCase(), parameters };
}

/** What an answer can be turned into, by the `as` parameter of `application/json`. */
export type AnswerForm =
  | { readonly as: 'object' }
  | { readonly as: 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList'; readonly version: 'v1' | 'v1beta1' }
  | { readonly as: 'APIGroupDiscoveryList'; readonly version: 'v2' | 'v2beta1' };

/** What a route can answer with, besides plain JSON. */
export type OfferedForm = Exclude<AnswerForm['as'], 'object'>;

export interface Negotiated {
  readonly form: AnswerForm;
  /** The media type asked for; what is sent is always JSON (or YAML where that was asked). */
  readonly encoding: 'json' | 'yaml';
}

const groups: Readonly<Record<OfferedForm, { group: string; versions: readonly string[] }>> = {
  Table: { group: 'meta.k8s.io', versions: ['v1', 'v1beta1'] },
  PartialObjectMetadata: { group: 'meta.k8s.io', versions: ['v1', 'v1beta1'] },
  PartialObjectMetadataList: { group: 'meta.k8s.io', versions: ['v1', 'v1beta1'] },
  APIGroupDiscoveryList: { group: 'apidiscovery.k8s.io', versions: ['v2', 'v2beta1'] },
};

const plain: AnswerForm = { as: 'object' };

/**
 * Chooses the answer's form: the first entry of the Accept header that can be served, quality values aside, as
 * Kubernetes' server does for its own types. No header means JSON. Throws `WireError` NotAcceptable when none can be
 * served; protobuf never can.
 */
export function negotiate(accept: string | undefined, offered: readonly OfferedForm[] = []): Negotiated {
  if (accept === undefined || accept.trim() === '') return { form: plain, encoding: 'json' };
  for (const entry of accept.split(',').slice(0, maxEntries)) {
    const media = parseMediaType(entry);
    const chosen = media && serve(media, offered);
    if (chosen) return chosen;
  }
  throw new WireError(
    'NotAcceptable',
    `only the following media types are accepted: ${['application/json', 'application/yaml'].join(', ')}`,
  );
}

function serve(media: MediaType, offered: readonly OfferedForm[]): Negotiated | undefined {
  if (media.parameters.get('q') === '0') return undefined;
  const encoding = encodings[media.type];
  if (!encoding) return undefined;
  const as = media.parameters.get('as');
  if (as === undefined) return { form: plain, encoding };
  const form = offered.find((candidate) => candidate === as);
  if (!form || encoding !== 'json') return undefined;
  const { group, versions } = groups[form];
  const version = media.parameters.get('v');
  if (media.parameters.get('g') !== group || version === undefined || !versions.includes(version)) return undefined;
  return { form: answerForm(form, version), encoding };
}

function answerForm(as: OfferedForm, version: string): AnswerForm {
  if (as === 'APIGroupDiscoveryList') return { as, version: version === 'v2' ? 'v2' : 'v2beta1' };
  return { as, version: version === 'v1' ? 'v1' : 'v1beta1' };
}

const encodings: Readonly<Record<string, Negotiated['encoding'] | undefined>> = {
  'application/json': 'json',
  'application/*': 'json',
  '*/*': 'json',
  'application/yaml': 'yaml',
};

/** How a request's body is written. */
export type BodyType = 'json' | 'yaml' | 'protobuf';

const bodyTypes: Readonly<Record<string, BodyType | undefined>> = {
  'application/json': 'json',
  'application/yaml': 'yaml',
  'application/vnd.kubernetes.protobuf': 'protobuf',
};

/** How a body is written, by its Content-Type; a missing one means JSON. Throws `WireError` UnsupportedMediaType. */
export function bodyTypeOf(contentType: string | undefined): BodyType {
  if (contentType === undefined || contentType.trim() === '') return 'json';
  const found = bodyTypes[parseMediaType(contentType)?.type ?? ''];
  if (!found) throw unsupported(Object.keys(bodyTypes));
  return found;
}

/** The patches of the API. */
export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';

const patchTypes: Readonly<Record<string, PatchType | undefined>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
};

/** Which patch a body is. Throws `WireError` UnsupportedMediaType, also for those not in `supported`. */
export function patchTypeOf(contentType: string | undefined, supported: readonly PatchType[]): PatchType {
  const found = patchTypes[parseMediaType(contentType ?? '')?.type ?? ''];
  if (found && supported.includes(found)) return found;
  throw unsupported(Object.keys(patchTypes).filter((type) => supported.some((patch) => patch === patchTypes[type])));
}

const unsupported = (accepted: readonly string[]): WireError =>
  new WireError(
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );
