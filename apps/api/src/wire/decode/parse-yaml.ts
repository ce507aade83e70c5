import type { Json } from '#domain';
import { isAlias, isMap, isScalar, isSeq, parseDocument, type Document, type Node } from 'yaml';
import { badRequest, WireError } from '../wire-error.js';
import { indexPath, keyPath, maxDepth, maxNamedFields, setOwn, shortened, tooDeep, type Parsed } from './parsed.js';

/** Values one document may expand to: aliases let a short text stand for a long one. */
const maxValues = 200_000;

/** YAML is read slowly and only by hand-written clients; nobody writes more than this. Bytes of text. */
const maxTextLength = 1024 * 1024;

/**
 * Reads one YAML 1.2 document. Keys must be scalars, as in JSON. Throws a BadRequest {@link WireError}.
 */
export function parseYaml(text: string): Parsed {
  if (text.length > maxTextLength)
    throw badRequest(`YAML bodies may have at most ${maxTextLength} characters; send JSON`);
  const document = parsedDocument(text);
  const problem = document.errors[0];
  if (problem) throw badRequest(`error converting YAML to JSON: yaml: ${problem.message.split('\n')[0] ?? ''}`);
  return new YamlReader(document).read();
}

function parsedDocument(text: string): Document {
  try {
    return parseDocument(text, { version: '1.2', schema: 'core', uniqueKeys: false, merge: false, logLevel: 'error' });
  } catch (error) {
    // The library recurses with the nesting of its input: a hostile document ends in an overflow of the stack.
    throw new WireError('BadRequest', 'error converting YAML to JSON: yaml: the document cannot be read', {
      cause: error,
    });
  }
}

class YamlReader {
  private values = 0;
  private readonly duplicates = new Set<string>();

  constructor(private readonly document: Document) {}

  read(): Parsed {
    const value = this.value(this.document.contents, '', 0);
    return { value, duplicateFields: [...this.duplicates] };
  }

  private value(node: unknown, path: string, depth: number): Json {
    if (depth > maxDepth) throw tooDeep();
    this.values += 1;
    if (this.values > maxValues)
      throw badRequest('error converting YAML to JSON: yaml: document contains excessive aliasing');
    if (node == null) return null;
    if (isAlias(node)) return this.value(this.target(node), path, depth + 1);
    if (isMap(node)) return this.map(node.items, path, depth);
    if (isSeq(node)) return node.items.map((item, index) => this.value(item, indexPath(path, index), depth + 1));
    if (isScalar(node)) return this.scalar(node.value, path);
    throw badRequest('error converting YAML to JSON: yaml: unsupported node');
  }

  private target(node: Node): Node {
    const target = isAlias(node) ? node.resolve(this.document) : undefined;
    if (!target) throw badRequest('error converting YAML to JSON: yaml: unknown anchor');
    return target;
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
    throw badRequest(`error converting YAML to JSON: a key of ${shortened(path) || 'the document'} is not a string`);
  }

  private scalar(value: unknown, path: string): Json {
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    throw badRequest(`error converting YAML to JSON: ${shortened(path) || 'the document'} is not a JSON value`);
  }
}
