// Makes docs/events.md from the event types of libs/domain and their catalogue, through the TypeScript checker: what the
// page says of a field is what the compiler says of it. `--check` fails when the page is out of date.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const root = join(import.meta.dirname, '..');
const file = join(root, 'libs/domain/src/event-catalogue.ts');
const page = join(root, 'docs/events.md');

const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
const program = ts.createProgram([file], { ...options, incremental: false, noEmit: true });
const checker = program.getTypeChecker();
const source = program.getSourceFile(file);

const aliases = new Map();
let catalogue;
for (const statement of source.statements) {
  if (ts.isTypeAliasDeclaration(statement)) aliases.set(statement.name.text, checker.getTypeAtLocation(statement));
  if (ts.isVariableStatement(statement)) catalogue = statement.declarationList.declarations[0].initializer;
}
const text = (node) => (ts.isStringLiteralLike(node) ? node.text : node.getText(source));
const entries = new Map(
  catalogue.properties.map((entry) => [
    entry.name.getText(source),
    Object.fromEntries(
      entry.initializer.properties.map((field) => [field.name.getText(source), text(field.initializer)]),
    ),
  ]),
);

/** A type in one line, with the names of the domain left as they are. */
const typeText = (type) =>
  checker.typeToString(
    type,
    undefined,
    ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.UseSingleQuotesForStringLiteralType,
  );
const cell = (value) => value.replaceAll('|', '\\|').replaceAll('readonly ', '');

/** Of data that is one of several shapes, a field that not all of them have counts as optional. */
function fieldsOf(data) {
  const shapes = data.isUnion() ? data.types : [data];
  const names = new Set(shapes.flatMap((shape) => shape.getProperties().map(({ name }) => name)));
  return [...names].filter((name) => !name.startsWith('__')).map((name) => fieldOf(shapes, name));
}

function fieldOf(shapes, name) {
  const properties = shapes.flatMap((shape) => shape.getProperty(name) ?? []);
  const isOptional = (property) => (property.flags & ts.SymbolFlags.Optional) !== 0;
  const optional = properties.length < shapes.length || properties.some(isOptional);
  const shown = properties.map((property) => {
    const declaration = property.valueDeclaration ?? property.declarations?.[0];
    const type = checker.getTypeOfSymbolAtLocation(property, declaration ?? source);
    return typeText(isOptional(property) ? checker.getNonNullableType(type) : type);
  });
  const docs = properties.map((property) => ts.displayPartsToString(property.getDocumentationComment(checker)));
  const doc = (docs.find((each) => each !== '') ?? '').replaceAll('\n', ' ');
  return `| \`${name}${optional ? '?' : ''}\` | \`${cell([...new Set(shown)].join(' | '))}\` | ${cell(doc)} |`;
}

const lines = [
  '# Events',
  '',
  'Made by `npm run docs:events` from `libs/domain`; do not edit.',
  '',
  'Every event carries, besides its data: `id`, `revision`, `stream`, `version`, `time`, `schemaVersion`, `actor`, `requestId`, `causationId`,',
  '`correlationId`, `commandId` and `commandLast` (see `EventEnvelope`). On NATS an event is published once on `events.<kind>.<EventType>`.',
  '',
  '| event | producer | cause |',
  '|---|---|---|',
];
const types = aliases.get('DomainEvent').types;
const byName = new Map(types.map((type) => [checker.getTypeOfSymbol(type.getProperty('type')).value, type]));
for (const [name, { producer, cause }] of entries)
  lines.push(`| [${name}](#${name.toLowerCase()}) | ${producer} | ${cell(cause)} |`);
for (const [name, { producer, cause }] of entries) {
  const type = byName.get(name);
  if (!type) throw new Error(`${name} is in the catalogue and not among the types`);
  const fields = fieldsOf(checker.getTypeOfSymbol(type.getProperty('data')));
  lines.push('', `## ${name}`, '', `${cause} Producer: ${producer}.`, '');
  if (fields.length === 0) lines.push('No data.');
  else lines.push('| field | type | meaning |', '|---|---|---|', ...fields);
}
const made = `${lines.join('\n')}\n`;

if (!process.argv.includes('--check')) writeFileSync(page, made);
else if (readFileSync(page, 'utf8') !== made) {
  console.error('docs/events.md is out of date: run npm run docs:events');
  process.exit(1);
}
