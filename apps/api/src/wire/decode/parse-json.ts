import type { Json } from '#domain';
import { badRequest } from '../wire-error.js';
import { indexPath, keyPath, maxDepth, maxNamedFields, setOwn, shortened, tooDeep, type Parsed } from './parsed.js';

const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** A run of string characters without escapes. */
const plainPattern = /[^"\\\u0000-\u001f]*/y;
const whitespacePattern = /[ \t\r\n]*/y;
const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/**
 * Reads one JSON text (RFC 8259). `JSON.parse` cannot be used: it hides repeated keys, which strict field validation must
 * name, and it has no bound on depth. Throws a BadRequest {@link WireError}.
 */
export function parseJson(text: string): Parsed {
  return new JsonReader(text).read();
}

class JsonReader {
  private at = 0;
  private readonly duplicates = new Set<string>();

  constructor(private readonly text: string) {}

  read(): Parsed {
    const value = this.value('', 0);
    this.skipWhitespace();
    if (this.at < this.text.length) throw this.unexpected('after top-level value');
    return { value, duplicateFields: [...this.duplicates] };
  }

  private value(path: string, depth: number): Json {
    if (depth > maxDepth) throw tooDeep();
    this.skipWhitespace();
    const first = this.text[this.at];
    if (first === '{') return this.object(path, depth);
    if (first === '[') return this.list(path, depth);
    if (first === '"') return this.string();
    if (first === 't') return this.word('true', true);
    if (first === 'f') return this.word('false', false);
    if (first === 'n') return this.word('null', null);
    return this.number();
  }

  private object(path: string, depth: number): Json {
    const object: Record<string, Json> = {};
    this.at += 1;
    this.skipWhitespace();
    if (this.take('}')) return object;
    for (;;) {
      this.skipWhitespace();
      if (this.text[this.at] !== '"') throw this.unexpected('looking for beginning of object key string');
      const key = this.string();
      const field = keyPath(path, key);
      if (Object.hasOwn(object, key) && this.duplicates.size < maxNamedFields) this.duplicates.add(shortened(field));
      this.skipWhitespace();
      if (!this.take(':')) throw this.unexpected('after object key');
      setOwn(object, key, this.value(field, depth + 1));
      this.skipWhitespace();
      if (this.take('}')) return object;
      if (!this.take(',')) throw this.unexpected('after object key:value pair');
    }
  }

  private list(path: string, depth: number): Json {
    const list: Json[] = [];
    this.at += 1;
    this.skipWhitespace();
    if (this.take(']')) return list;
    for (;;) {
      list.push(this.value(indexPath(path, list.length), depth + 1));
      this.skipWhitespace();
      if (this.take(']')) return list;
      if (!this.take(',')) throw this.unexpected('after array element');
    }
  }

  private string(): string {
    this.at += 1;
    let result = this.match(plainPattern);
    while (!this.take('"')) {
      if (this.text[this.at] !== '\\') throw this.unexpected('in string literal');
      result += this.escape() + this.match(plainPattern);
    }
    return result;
  }

  private escape(): string {
    const letter = this.text[this.at + 1] ?? '';
    const simple = escapes[letter];
    if (simple !== undefined) {
      this.at += 2;
      return simple;
    }
    const hex = this.text.slice(this.at + 2, this.at + 6);
    if (letter !== 'u' || !/^[0-9a-fA-F]{4}$/.test(hex)) throw this.unexpected('in string escape code');
    this.at += 6;
    return String.fromCharCode(parseInt(hex, 16));
  }

  private number(): number {
    const digits = this.match(numberPattern);
    if (digits === '') throw this.unexpected('looking for beginning of value');
    const number = Number(digits);
    if (!Number.isFinite(number)) throw badRequest(`json: cannot unmarshal number ${digits}: it is out of range`);
    return number;
  }

  private word(word: string, value: Json): Json {
    if (!this.text.startsWith(word, this.at)) throw this.unexpected('looking for beginning of value');
    this.at += word.length;
    return value;
  }

  private match(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? '';
    this.at += found.length;
    return found;
  }

  private skipWhitespace(): void {
    const code = this.text.charCodeAt(this.at);
    if (code === 32 || (code >= 9 && code <= 13)) this.match(whitespacePattern);
  }

  private take(char: string): boolean {
    if (this.text[this.at] !== char) return false;
    this.at += 1;
    return true;
  }

  /** The messages of Go's reader, which clients have learnt to read. */
  private unexpected(where: string): Error {
    const char = this.text[this.at];
    if (char === undefined) return badRequest('unexpected end of JSON input');
    return badRequest(`invalid character ${quoteChar(char)} ${where}`);
  }
}

const quoteChar = (char: string): string => (char === "'" ? `'\\''` : `'${JSON.stringify(char).slice(1, -1)}'`);
