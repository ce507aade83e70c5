// Writes apps/api/src/wire/schema/{types,descriptions}.generated.ts from the models of @kubernetes/client-node: the one
// source of the API's types, decoding, validation and OpenAPI. Run after changing ROOTS or the version of the package:
//   npm run schema [-- --check]
// `--check` writes nothing and fails when the committed files are not what the installed package gives.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import prettier from 'prettier';
import ts from 'typescript';

/** What is served or understood, by OpenAPI package. Types they mention follow, into the package that reaches them first. */
const ROOTS = {
  'meta.v1': [
    'V1ObjectMeta',
    'V1ListMeta',
    'V1OwnerReference',
    'V1ManagedFieldsEntry',
    'V1LabelSelector',
    'V1LabelSelectorRequirement',
    'V1Condition',
    'V1Status',
    'V1StatusDetails',
    'V1StatusCause',
    'V1DeleteOptions',
    'V1Preconditions',
    'V1APIGroup',
    'V1APIGroupList',
    'V1APIResourceList',
    'V1APIVersions',
  ],
  'core.v1': [
    'V1Namespace',
    'V1NamespaceList',
    'V1Node',
    'V1NodeList',
    'V1Pod',
    'V1PodList',
    'V1PodTemplateSpec',
    'CoreV1Event',
    'CoreV1EventList',
    'V1Binding',
    'V1ConfigMap',
    'V1ConfigMapList',
    'V1Secret',
    'V1SecretList',
    'V1ServiceAccount',
    'V1ServiceAccountList',
  ],
  'apps.v1': [
    'V1ControllerRevision',
    'V1ControllerRevisionList',
    'V1DaemonSet',
    'V1DaemonSetList',
    'V1Deployment',
    'V1DeploymentList',
    'V1ReplicaSet',
    'V1ReplicaSetList',
  ],
  'batch.v1': ['V1Job', 'V1JobList', 'V1CronJob', 'V1CronJobList'],
  'events.v1': ['EventsV1Event', 'EventsV1EventList'],
  'autoscaling.v1': ['V1Scale'],
  'policy.v1': ['V1Eviction'],
  'scheduling.v1': ['V1PriorityClass', 'V1PriorityClassList'],
};

/** The models say `string` where the API says Quantity; of a map, its values. */
const QUANTITIES = new Set([
  'EmptyDirVolumeSource.sizeLimit',
  'ResourceFieldSelector.divisor',
  'ResourceRequirements.limits',
  'ResourceRequirements.requests',
  'VolumeResourceRequirements.limits',
  'VolumeResourceRequirements.requests',
  'PodSpec.overhead',
  'ContainerStatus.allocatedResources',
  'NodeStatus.capacity',
  'NodeStatus.allocatable',
]);

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const target = join(root, 'apps/api/src/wire/schema');
const models = join(dirname(createRequire(import.meta.url).resolve('@kubernetes/client-node')), 'gen/models');

const bare = (model) => model.replace(/^(Core|Events)?V\d+/, '');
const packageOf = new Map();
const types = {};
const descriptions = {};
let kubernetesVersion = '';

/** A property's description and whether it must be there, from the declarations. */
function declarations(model) {
  const text = readFileSync(join(models, `${model}.d.ts`), 'utf8');
  kubernetesVersion ||= /OpenAPI spec version: (\S+)/.exec(text)?.[1] ?? '';
  const source = ts.createSourceFile(`${model}.d.ts`, text, ts.ScriptTarget.ES2022, true);
  const found = { description: '', fields: {} };
  source.forEachChild((node) => {
    if (!ts.isClassDeclaration(node)) return;
    found.description = documentation(node);
    for (const member of node.members) {
      if (!ts.isPropertyDeclaration(member) || !ts.isStringLiteral(member.name)) continue;
      found.fields[member.name.text] = { required: !member.questionToken, description: documentation(member) };
    }
  });
  return found;
}

function documentation(node) {
  const comment = ts.getJSDocCommentsAndTags(node)[0];
  const text =
    typeof comment?.comment === 'string' ? comment.comment : (ts.getTextOfJSDocComment(comment?.comment) ?? '');
  return text.replace(/\\(['"])/g, '$1').trim();
}

const SCALARS = { boolean: 'boolean', any: 'json', IntOrString: 'intOrString', V1MicroTime: 'microtime' };

/** `[]T` a list, `{}T` a map with string keys; the rest is a scalar or a type id. */
function notation(owner, attribute, type = attribute.type) {
  const list = /^Array<(.*)>$/.exec(type);
  if (list) return `[]${notation(owner, attribute, list[1])}`;
  const map = /^\{ \[key: string\]: (.*); \}$/.exec(type);
  if (map) return `{}${notation(owner, attribute, map[1])}`;
  if (SCALARS[type]) return SCALARS[type];
  if (type === 'Date') return attribute.format === 'date-time-micro' ? 'microtime' : 'time';
  if (type === 'number') return attribute.format || 'int32';
  if (type === 'string') {
    if (QUANTITIES.delete(`${bare(owner)}.${attribute.baseName}`)) return 'quantity';
    return attribute.format === 'byte' ? 'bytes' : 'string';
  }
  return `${packageOf.get(type)}.${bare(type)}`;
}

const mentioned = (type) => /(?:Core|Events)?V\d+[A-Z]\w*/.exec(type)?.[0];

async function walk(rootModel, pack) {
  const queue = [rootModel];
  const reached = [];
  while (queue.length > 0) {
    const model = queue.shift();
    if (model === undefined || SCALARS[model] || types[model]) continue;
    if (!packageOf.has(model)) packageOf.set(model, pack);
    const loaded = await import(pathToFileURL(join(models, `${model}.js`)).href);
    types[model] = loaded[model].getAttributeTypeMap();
    reached.push(model);
    for (const attribute of types[model]) queue.push(mentioned(attribute.type));
  }
}

for (const [pack, list] of Object.entries(ROOTS)) for (const model of list) packageOf.set(model, pack);
for (const [pack, list] of Object.entries(ROOTS)) for (const model of list) await walk(model, pack);

const outTypes = {};
for (const model of Object.keys(types)) {
  const id = `${packageOf.get(model)}.${bare(model)}`;
  if (outTypes[id]) throw new Error(`two models claim ${id}`);
  const declared = declarations(model);
  outTypes[id] = {};
  descriptions[id] = declared.description ? { '': declared.description } : {};
  for (const attribute of types[model]) {
    const field = declared.fields[attribute.name];
    if (!field) throw new Error(`${model}.${attribute.name} is in the type map and not in the declarations`);
    outTypes[id][attribute.baseName] = notation(model, attribute) + (field.required ? '!' : '');
    if (field.description) descriptions[id][attribute.baseName] = field.description;
  }
}
if (QUANTITIES.size > 0) throw new Error(`no such quantity fields: ${[...QUANTITIES].join(', ')}`);

const version = JSON.parse(readFileSync(join(models, '../../../package.json'), 'utf8')).version;
const sorted = (object) => Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
const banner = `// Generated by scripts/generate-schema.mjs from @kubernetes/client-node ${version}. Do not edit.\n\n`;
const files = {
  'types.generated.ts':
    `${banner}/** The Kubernetes version whose API this is. */\nexport const kubernetesVersion = '${kubernetesVersion}';\n\n` +
    '/**\n * Every type of the API: field name to type. `[]T` is a list, `{}T` a map with string keys, a trailing `!` marks what\n' +
    ' * must be there; the rest is a scalar or the id of another type.\n */\n' +
    `export const types = ${JSON.stringify(sorted(outTypes))} as const;\n`,
  'descriptions.generated.ts':
    `${banner}/** What each type (key \`''\`) and field means, as OpenAPI and \`kubectl explain\` show it. JSON, parsed on first use. */\n` +
    `export const descriptionsJson =\n${JSON.stringify(JSON.stringify(sorted(descriptions)))};\n`,
};

let stale = false;
for (const [name, text] of Object.entries(files)) {
  const path = join(target, name);
  const options = await prettier.resolveConfig(path);
  const formatted = await prettier.format(text, { ...options, parser: 'typescript' });
  if (process.argv.includes('--check')) {
    let committed = '';
    try {
      committed = readFileSync(path, 'utf8');
    } catch {
      // Missing counts as stale.
    }
    if (committed !== formatted) {
      console.error(`${name} is not what the installed package gives; run node scripts/generate-schema.mjs`);
      stale = true;
    }
  } else {
    writeFileSync(path, formatted);
    console.log(`${name}: ${Object.keys(outTypes).length} types, ${Buffer.byteLength(formatted)} bytes`);
  }
}
process.exitCode = stale ? 1 : 0;
