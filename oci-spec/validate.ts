import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';

import { type ConfigIssue, show } from './config-error.js';
import { shareDefinitions } from './share-definitions.js';
import { INTEGER_KINDS, type IntegerKind, type Infer, type Schema } from './schema-builder.js';

type IntegerBounds = IntegerKind | readonly [min: number, max: number];

/** Bounds of an integer kind, both included. */
function boundsOf(kind: IntegerBounds): { min: bigint; max: bigint } {
  return typeof kind === 'string' ? INTEGER_KINDS[kind] : { min: BigInt(kind[0]), max: BigInt(kind[1]) };
}

/** Numbers count where a double holds them exactly; JSON beyond that arrives as bigint. */
function integerChecker(kind: IntegerBounds): (value: unknown) => boolean {
  const { min, max } = boundsOf(kind);
  const low = Number(min);
  const high = Number(max);
  return (value) => {
    if (typeof value === 'number') return Number.isSafeInteger(value) && value >= low && value <= high;
    return typeof value === 'bigint' && value >= min && value <= max;
  };
}

/**
 * A validator for a schema: compiled at the first use, because compiling costs some tens of milliseconds that `turf state` need not pay.
 *
 * @returns a function that narrows the value, or collects every issue into `issues` and answers false.
 */
export function validator<S extends Schema<unknown>>(
  schema: S,
): (value: unknown, issues: ConfigIssue[], prefix?: string) => value is Infer<S> {
  let compiled: ValidateFunction | undefined;
  return (value, issues, prefix = ''): value is Infer<S> => {
    compiled ??= newAjv().compile(shareDefinitions(schema.json));
    if (compiled(value)) return true;
    const found = new Map<string, ConfigIssue>();
    for (const error of compiled.errors ?? []) {
      const issue = toIssue(error, prefix);
      if (issue !== undefined) found.set(`${issue.path} ${issue.message}`, issue);
    }
    issues.push(...found.values());
    return false;
  };
}

function newAjv(): Ajv {
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    strict: false,
    // Each of these shortens compiling; together from 120 to 40 ms.
    meta: false,
    validateSchema: false,
    validateFormats: false,
    messages: false,
    code: { optimize: false },
  });
  ajv.addKeyword({ keyword: 'integerOf', errors: false, compile: integerChecker });
  ajv.addKeyword('errorMessage');
  return ajv;
}

/** `/linux/namespaces/2/path` to `linux.namespaces[2].path`. */
export function formatPath(prefix: string, pointer: string): string {
  let path = prefix;
  for (const step of pointer.split('/').slice(1)) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
    if (/^[0-9]+$/.test(name)) path += `[${name}]`;
    else if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) path += `[${JSON.stringify(name)}]`;
    else path += path === '' ? name : `.${name}`;
  }
  return path;
}

interface KeywordParams {
  readonly missingProperty?: string;
  readonly type?: string;
  readonly limit?: number;
}

function toIssue(error: ErrorObject<string, KeywordParams>, prefix: string): ConfigIssue | undefined {
  // What is wrong with each alternative is said by the message of anyOf.
  if (error.schemaPath.includes('/anyOf/')) return undefined;
  const path = formatPath(prefix, error.instancePath);
  const got = `got ${show(error.data)}`;
  switch (error.keyword) {
    case 'required': {
      const name = error.params.missingProperty ?? '';
      return { path: formatPath(path, `/${name}`), message: 'is required' };
    }
    case 'type': {
      const type = error.params.type ?? '';
      const article = type === 'object' || type === 'array' ? 'an' : 'a';
      return { path, message: `must be ${article} ${type}, ${got}` };
    }
    case 'integerOf': {
      const { min, max } = boundsOf(error.schema as IntegerBounds);
      return { path, message: `must be an integer from ${min.toString()} to ${max.toString()}, ${got}` };
    }
    case 'enum': {
      const values = (error.schema as readonly unknown[]).filter((value) => value !== '').map(show);
      return { path, message: `must be ${values.length > 1 ? 'one of ' : ''}${values.join(', ')}; ${got}` };
    }
    case 'minItems':
      return { path, message: 'must not be empty' };
    case 'anyOf': {
      const { errorMessage } = error.parentSchema as { errorMessage?: string };
      return { path, message: `${errorMessage ?? 'fits no alternative'}, ${got}` };
    }
    default:
      return { path, message: error.message ?? error.keyword };
  }
}
