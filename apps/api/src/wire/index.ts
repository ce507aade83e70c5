/**
 * The wire form of the API: what bytes from clients mean, and how answers, discovery and OpenAPI are written. Pure; no
 * framework, log or bus. Everything rests on one schema (`schema/types.generated.ts`), and everything that reads a
 * client's bytes throws {@link WireError} and nothing else.
 */
export { WireError, type WireErrorReason } from './wire-error.js';
export type { ResourceInfo, SubresourceInfo, Verb } from './resource-info.js';

export type { TypeId, Wire, WireObject } from './schema/wire-type.js';
export { apiVersionOf, parseApiVersion, typeOfKind, type GroupVersionKind } from './schema/schema.js';

export {
  decodeObject,
  decodeStrict,
  fieldProblems,
  maxBodyBytes,
  strictDecodingError,
  textOf,
  type BodyFormat,
  type Decoded,
} from './decode/decode-strict.js';

export { parseJson } from './decode/parse-json.js';
export { decodeProtobuf } from './protobuf/decode-protobuf.js';

export { asKept, defaulted } from './defaults/defaults.js';
export { faultsOf, faultsOfChange, warningsOf } from './validation/validate.js';
export { dnsLabelProblems, dnsSubdomainProblems } from './validation/names.js';
export * as fault from './validation/faults.js';

export { applyPatch, parsePatch, type PlainPatchType } from './patch/apply-patch.js';
export { jsonPatch } from './patch/json-patch.js';
export { mergePatch } from './patch/merge-patch.js';
export { strategicMergePatch } from './patch/strategic-merge-patch.js';

export {
  formatLabelSelector,
  labelSelectorOf,
  matchesLabels,
  parseLabelSelector,
  type LabelSelector,
} from './selectors/label-selector.js';
export { matchesFields, parseFieldSelector, selectedName, type FieldSelector } from './selectors/field-selector.js';

export {
  aggregatedDiscovery,
  aggregatedMediaType,
  apiGroup,
  apiGroupList,
  apiResourceList,
  apiVersions,
} from './discovery/discovery.js';
export {
  bodyTypeOf,
  negotiate,
  patchTypeOf,
  type AnswerForm,
  type BodyType,
  type Negotiated,
  type OfferedForm,
  type PatchType,
} from './discovery/negotiate.js';

export { openApiV2ProtobufType } from './openapi/gnostic.js';
export { openApiOf, type Document, type OpenApi } from './openapi/openapi.js';

export {
  parseIncludeObject,
  partialObjectMetadata,
  partialObjectMetadataList,
  tableOf,
  type ColumnDefinition,
  type IncludeObject,
  type TableOptions,
  type TableRow,
} from './table/table.js';

export { ownershipAfter, ownershipDelta, type Writer } from './ownership/managed-fields.js';
