import { TurfError } from './turf-error.js';

interface OptionBase {
  readonly short?: string;
  readonly help: string;
}

interface FlagOption extends OptionBase {
  readonly kind: 'flag';
}

interface ValueOption extends OptionBase {
  readonly kind: 'string' | 'integer' | 'number' | 'size';
  /** Placeholder in help. */
  readonly value: string;
  readonly choices?: readonly string[];
}

interface ListOption extends OptionBase {
  readonly kind: 'list';
  readonly value: string;
}

export type Option = FlagOption | ValueOption | ListOption;

/** Options by long name. */
export type OptionTable = Readonly<Record<string, Option>>;

type ValueOf<O extends Option> = O extends FlagOption
  ? boolean
  : O extends ListOption
    ? readonly string[]
    : O extends { readonly kind: 'string' }
      ? string | undefined
      : number | undefined;

export type ParsedOptions<T extends OptionTable> = { readonly [K in keyof T]: ValueOf<T[K]> };

export interface Parsed<T extends OptionTable> {
  readonly options: ParsedOptions<T>;
  readonly positionals: readonly string[];
  /** `--help` or `-h` was among the options. */
  readonly help: boolean;
}

type Value = string | number | boolean | readonly string[] | undefined;

/**
 * Parses options as runc's command line does: one dash or two, `--name value` or `--name=value`, `--flag=false`; `--`
 * ends them. Unlike runc, options may also follow positional arguments.
 *
 * @param stopAtPositional leave everything from the first positional on alone (global options)
 * @throws {TurfError} TURF_ERR_USAGE in runc's words
 */
export function parseOptions<const T extends OptionTable>(
  table: T,
  argv: readonly string[],
  stopAtPositional = false,
): Parsed<T> {
  const values: Record<string, Value> = {};
  for (const [name, option] of Object.entries(table)) {
    values[name] = option.kind === 'flag' ? false : option.kind === 'list' ? [] : undefined;
  }
  const positionals: string[] = [];
  let help = false;
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? '';
    if (word === '--') {
      positionals.push(...argv.slice(index + 1));
      break;
    }
    const match = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(word);
    if (match === null) {
      // A lone `-`, `--=x` or a word without a dash.
      if (word.startsWith('-') && word !== '-') throw usageError(`bad flag syntax: ${word}`);
      if (stopAtPositional) {
        positionals.push(...argv.slice(index));
        break;
      }
      positionals.push(word);
      continue;
    }
    const given = match[1] ?? '';
    const [name, option] = find(table, given);
    if (option === undefined) {
      if (given !== 'help' && given !== 'h') throw usageError(`flag provided but not defined: -${given}`);
      help = true;
    } else if (option.kind === 'flag') {
      values[name] = flagValue(given, match[2]);
    } else {
      const text = match[2] ?? argv[++index];
      if (text === undefined) throw usageError(`flag needs an argument: -${given}`);
      const before = values[name];
      values[name] = option.kind === 'list' ? [...listOf(before), text] : convert(option, given, text);
    }
  }
  // Every key of the table was set above, each to what its kind says.
  return { options: values as ParsedOptions<T>, positionals, help };
}

function find(table: OptionTable, given: string): readonly [string, Option | undefined] {
  if (Object.hasOwn(table, given)) return [given, table[given]];
  return Object.entries(table).find(([, option]) => option.short === given) ?? [given, undefined];
}

function listOf(value: Value): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function flagValue(given: string, text: string | undefined): boolean {
  if (text === undefined || /^(?:1|t|T|TRUE|true|True)$/.test(text)) return true;
  if (/^(?:0|f|F|FALSE|false|False)$/.test(text)) return false;
  throw usageError(`invalid boolean value ${JSON.stringify(text)} for -${given}: parse error`);
}

function convert(option: ValueOption, given: string, text: string): string | number {
  switch (option.kind) {
    case 'string':
      if (option.choices !== undefined && !option.choices.includes(text)) {
        const choices = option.choices.join(', ');
        throw usageError(`invalid value ${JSON.stringify(text)} for flag -${given}: one of ${choices}`);
      }
      return text;
    case 'integer':
      if (/^\d{1,15}$/.test(text)) return Number(text);
      break;
    case 'number':
      if (/^\d{1,15}(?:\.\d{1,9})?$|^\.\d{1,9}$/.test(text)) return Number(text);
      break;
    case 'size': {
      const size = parseSize(text);
      if (size !== undefined) return size;
      break;
    }
  }
  throw usageError(`invalid value ${JSON.stringify(text)} for flag -${given}: parse error`);
}

/** `64m`, `1.5g`, `2Mi`, `512KiB` or plain bytes, in powers of 1024; undefined where it is none of these. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,15}(?:\.\d{1,9})?) ?(?:([kmgtp])i?)?b?$/i.exec(text);
  if (match === null) return undefined;
  const power = ['', 'k', 'm', 'g', 't', 'p'].indexOf((match[2] ?? '').toLowerCase());
  const bytes = Math.floor(Number(match[1]) * 1024 ** power);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

export function usageError(message: string): TurfError {
  return new TurfError('TURF_ERR_USAGE', message);
}
