/** A JSON value of which integers beyond 2^53 are bigints. */
export type JsonValue = null | boolean | number | bigint | string | JsonValue[] | JsonObject;
export interface JsonObject {
  [key: string]: JsonValue;
}

/** Deeper documents are refused: no config needs it, and recursion must end before the stack does. */
const MAX_DEPTH = 200;

export class JsonSyntaxError extends Error {
  override readonly name = 'JsonSyntaxError';
  /** Both count from 1; columns in UTF-16 units. */
  readonly line: number;
  readonly column: number;

  constructor(text: string, offset: number, what: string) {
    const before = text.slice(0, offset);
    const line = before.split('\n').length;
    const column = offset - (before.lastIndexOf('\n') + 1) + 1;
    super(`${line}:${column}: ${what}`);
    this.line = line;
    this.column = column;
  }
}

/**
 * Parses JSON (RFC 8259) without losing integers: those that a double cannot hold become bigints. JSON.parse rounds them, and its
 * source text access needs Node 21. A repeated key takes its last value, as in JSON.parse; a leading byte order mark is skipped.
 *
 * @throws JsonSyntaxError with line and column.
 */
export function parseJson(text: string): JsonValue {
  return new Parser(text).document();
}

/** The text of a value, bigints as integers; no spaces. */
export function stringifyJson(value: JsonValue): string {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(stringifyJson).join()}]`;
  const members = Object.entries(value).map(
    ([name, member]) => `${JSON.stringify(name)}:${stringifyJson(member)}`,
  );
  return `{${members.join()}}`;
}

// RFC 8259 numbers; sticky, so that it matches at the cursor only.
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
// eslint-disable-next-line no-control-regex -- RFC 8259 forbids exactly these in strings
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const SPACE = /[ \t\n\r]*/y;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

class Parser {
  private readonly text: string;
  private at = 0;
  private depth = 0;

  constructor(text: string) {
    this.text = text;
    if (text.startsWith('\ufeff')) this.at = 1;
  }

  document(): JsonValue {
    this.space();
    const value = this.value();
    this.space();
    if (this.at < this.text.length) this.fail(`unexpected ${this.here()} after the document`);
    return value;
  }

  private value(): JsonValue {
    switch (this.text.charAt(this.at)) {
      case '{':
        return this.object();
      case '[':
        return this.array();
      case '"':
        return this.string();
      case 't':
        return this.word('true', true);
      case 'f':
        return this.word('false', false);
      case 'n':
        return this.word('null', null);
      default:
        return this.number();
    }
  }

  private object(): JsonObject {
    this.enter();
    const result: JsonObject = {};
    if (this.skip('}')) return this.leave(result);
    for (;;) {
      if (this.text[this.at] !== '"') this.fail(`expected a property name, found ${this.here()}`);
      const key = this.string();
      this.space();
      if (!this.skip(':')) this.fail(`expected ":" after a property name, found ${this.here()}`);
      const value = this.value();
      // A plain assignment to this name would set the prototype.
      if (key === '__proto__')
        Object.defineProperty(result, key, { value, enumerable: true, writable: true, configurable: true });
      else result[key] = value;
      this.space();
      if (this.skip('}')) return this.leave(result);
      if (!this.skip(',')) this.fail(`expected "," or "}", found ${this.here()}`);
    }
  }

  private array(): JsonValue[] {
    this.enter();
    const result: JsonValue[] = [];
    if (this.skip(']')) return this.leave(result);
    for (;;) {
      result.push(this.value());
      this.space();
      if (this.skip(']')) return this.leave(result);
      if (!this.skip(',')) this.fail(`expected "," or "]", found ${this.here()}`);
    }
  }

  private string(): string {
    this.at += 1;
    let result = '';
    for (;;) {
      PLAIN.lastIndex = this.at;
      PLAIN.test(this.text);
      result += this.text.slice(this.at, PLAIN.lastIndex);
      this.at = PLAIN.lastIndex;
      const next = this.text[this.at];
      if (next === '"') {
        this.at += 1;
        return result;
      }
      if (next !== '\\')
        this.fail(next === undefined ? 'unterminated string' : 'control character in a string');
      result += this.escape();
    }
  }

  private escape(): string {
    const kind = this.text[this.at + 1] ?? '';
    if (kind === 'u') {
      const digits = this.text.slice(this.at + 2, this.at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.fail('bad \\u escape');
      this.at += 6;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const plain = ESCAPES[kind];
    if (plain === undefined) this.fail('bad escape in a string');
    this.at += 2;
    return plain;
  }

  private number(): number | bigint {
    NUMBER.lastIndex = this.at;
    const match = NUMBER.exec(this.text);
    if (match === null) this.fail(`unexpected ${this.here()}`);
    this.at = NUMBER.lastIndex;
    const value = Number(match[0]);
    const isInteger = match[1] === undefined && match[2] === undefined;
    return isInteger && !Number.isSafeInteger(value) ? BigInt(match[0]) : value;
  }

  private word<T>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.at)) this.fail(`unexpected ${this.here()}`);
    this.at += word.length;
    return value;
  }

  private enter(): void {
    this.depth += 1;
    if (this.depth > MAX_DEPTH) this.fail(`nested deeper than ${MAX_DEPTH} levels`);
    this.at += 1;
    this.space();
  }

  private leave<T>(value: T): T {
    this.depth -= 1;
    return value;
  }

  /** Takes the character and the space behind it. */
  private skip(character: string): boolean {
    if (this.text[this.at] !== character) return false;
    this.at += 1;
    if (character === ',' || character === ':') this.space();
    return true;
  }

  private space(): void {
    const code = this.text.charCodeAt(this.at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
    SPACE.lastIndex = this.at;
    SPACE.test(this.text);
    this.at = SPACE.lastIndex;
  }

  private here(): string {
    const character = this.text[this.at];
    return character === undefined ? 'end of input' : JSON.stringify(character);
  }

  private fail(what: string): never {
    throw new JsonSyntaxError(this.text, this.at, what);
  }
}
