import type { Json } from '#domain';
import { Composer, isAlias, isMap, isScalar, isSeq, Lexer, Parser, type CST, type Document, type Node } from 'yaml';
import { badRequest, type WireError } from '../wire-error.js';
import { indexPath, keyPath, maxDepth, maxNamedFields, setOwn, shortened, tooDeep, type Parsed } from './parsed.js';

/** Values one document may expand to: aliases let a short text stand for a long one. */
const maxValues = 200_000;

/** YAML is read slowly and only by hand-written clients; kubectl sends JSON. Characters of text. */
const maxTextLength = 1024 * 1024;

/** Words and signs of one document: ten times those of the longest manifests. They bound the time to read it. */
const maxLexemes = 50_000;

/**
 * How deep the library's parser may stack. It parses in a loop and composes by recursion: a stack that runs out there,
 * inside a regular expression, does not throw but ends the process.
 */
const maxParserStack = 3 * maxDepth;

const problem = (text: string): WireError => badRequest(`error converting YAML to JSON: yaml: ${text}`);

/**
 * Reads one YAML 1.2 document. Keys must be scalars, as in JSON. Throws a BadRequest {@link WireError}.
 */
export function parseYaml(text: string): Parsed {
  if (text.length > maxTextLength) throw problem(`a document may have at most ${maxTextLength} characters; send JSON`);
  return new YamlReader(onlyDocument(text)).read();
}

function onlyDocument(text: string): Document {
  const options = { version: '1.2', schema: 'core', uniqueKeys: false, merge: false, prettyErrors: false } as const;
  let only: Document | undefined;
  for (const document of new Composer(options).compose(boundedTokens(text), true, text.length)) {
    if (only) throw problem('more than one document');
    const error = document.errors[0];
    if (error) throw problem(shortened(error.message));
    only = document;
  }
  if (!only) throw problem('no document');
  return only;
}

function* boundedTokens(text: string): Generator<CST.Token> {
  const parser = new Parser();
  let lexemes = 0;
  for (const lexeme of new Lexer().lex(text)) {
    lexemes += 1;
    if (lexemes > maxLexemes) throw problem(`a document may have at most ${maxLexemes} words and signs; send JSON`);
    yield* parser.next(lexeme);
    if (parser.stack.length > maxParserStack) throw tooDeep();
  }
  yield* parser.end();
}

class YamlReader {
  private values = 0;
  private readonly duplicates = new Set<string>();
  private readonly anchors = new Map<string, Node>();

  constructor(private readonly document: Document) {}

  read(): Parsed {
    const value = this.value(this.document.contents, '', 0);
    return { value, duplicateFields: [...this.duplicates] };
  }

  private value(node: unknown, path: string, depth: number): Json {
    if (depth > maxDepth) throw tooDeep();
    this.values += 1;
    if (this.values > maxValues) throw problem('document contains excessive aliasing');
    if (node == null) return null;
    if (isAlias(node)) return this.value(this.anchored(node.source), path, depth + 1);
    if ((isMap(node) || isSeq(node) || isScalar(node)) && node.anchor) this.anchors.set(node.anchor, node);
    if (isMap(node)) return this.map(node.items, path, depth);
    if (isSeq(node)) return node.items.map((item, index) => this.value(item, indexPath(path, index), depth + 1));
    if (isScalar(node)) return this.scalar(node.value, path);
    throw problem('unsupported node');
  }

  /** An anchor stands before its aliases, so reading in order is to know it; one inside itself ends at the depth. */
  private anchored(name: string): Node {
    const node = this.anchors.get(name);
    if (!node) throw problem(`unknown anchor ${JSON.stringify(shortened(name))}`);
    return node;
  }

  private map(items: readonly { readonly key: unknown; readonly value: unknown }[], path: string, depth: number): Json {
    const object: Record<string, Json> = {};
    for (const item of items) {
      const key = this.key(item.key, path);
      const field = keyPath(path, key);
      if (Object.hasOwn(object, key) && this.duplicates.size < maxNamedFields) this.duplicates.add(shortened(field));
      setOwn(object, key, this.value(item.value, field, depth + 1));
    }
    return object;
  }

  private key(node: unknown, path: string): string {
    const value = isScalar(node) ? node.value : undefined;
    if (typeof value === 'string') return value;
    if (typeof value === 'number' || typeof value === 'boolean') return String(value);
    throw problem(`a key of ${shortened(path) || 'the document'} is not a string`);
  }

  private scalar(value: unknown, path: string): Json {
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    throw problem(`${shortened(path) || 'the document'} is not a JSON value`);
  }
}
