import type { OciConfig, OciProcess, OciResources } from './config.js';
import { ConfigError, type ConfigIssue } from './config-error.js';
import { configSchema } from './config-schema.js';
import { JsonSyntaxError, parseJson } from './json.js';
import { processSchema } from './schema-process.js';
import { resourcesSchema } from './schema-resources.js';
import { configIssues, processIssues, resourcesIssues } from './semantic.js';
import { validator } from './validate.js';

const isConfig = validator(configSchema);
const isProcess = validator(processSchema);
const isResources = validator(resourcesSchema);

/** Compiles the validators now, some 50 ms, instead of at the first config: for a daemon that has nothing else to do yet. */
export function prepareParser(): void {
  isConfig({}, []);
  isProcess({}, []);
}

/**
 * Reads the text of a config.json: syntax, shape, ranges, and the rules that tie fields together. Members whose value is null
 * count as absent, as in the other runtimes; unknown members are kept.
 *
 * @throws ConfigError listing every issue of the first of these steps that found any; a syntax error says line:column.
 */
export function parseConfig(text: string): OciConfig {
  return validateConfig(parseDocument(text));
}

/**
 * The same for a document that is an object already (a REST body). Integers that JSON.parse rounded are refused.
 *
 * @throws ConfigError
 */
export function validateConfig(document: unknown): OciConfig {
  const issues: ConfigIssue[] = [];
  const value = withoutNulls(document);
  if (!isConfig(value, issues)) throw new ConfigError(issues);
  issues.push(...configIssues(value));
  if (issues.length > 0) throw new ConfigError(issues);
  return value;
}

/**
 * Reads a `process` object on its own, as `exec --process FILE` takes it. Paths in errors start at `process`.
 *
 * @throws ConfigError
 */
export function parseProcess(text: string): OciProcess {
  return validateProcess(readProcess(text));
}

/** The same before the rules that tie fields together, for what is still to be completed: `validateProcess` follows. */
export function readProcess(text: string): OciProcess {
  const issues: ConfigIssue[] = [];
  const value = withoutNulls(parseDocument(text));
  if (!isProcess(value, issues, 'process')) throw new ConfigError(issues);
  return value;
}

/** @throws ConfigError */
export function validateProcess(process: OciProcess): OciProcess {
  const issues: ConfigIssue[] = [];
  if (!isProcess(process, issues, 'process')) throw new ConfigError(issues);
  issues.push(...processIssues(process));
  if (issues.length > 0) throw new ConfigError(issues);
  return process;
}

/**
 * Reads a `linux.resources` object on its own, as `update --resources FILE` takes it: what is absent is to stay as it is. Paths in
 * errors start at `linux.resources`.
 *
 * @throws ConfigError
 */
export function parseResources(text: string): OciResources {
  return validateResources(parseDocument(text));
}

/** The same for a document that is an object already (a REST body). @throws ConfigError */
export function validateResources(document: unknown): OciResources {
  const issues: ConfigIssue[] = [];
  const value = withoutNulls(document);
  if (!isResources(value, issues, 'linux.resources')) throw new ConfigError(issues);
  issues.push(...resourcesIssues(value));
  if (issues.length > 0) throw new ConfigError(issues);
  return value;
}

function parseDocument(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw new ConfigError([{ path: '', message: error.message }]);
    throw error;
  }
}

/** No deeper than the parser's own limit, so that a REST body cannot exhaust the stack. */
const MAX_DEPTH = 200;

function withoutNulls(value: unknown, depth = 0): unknown {
  if (depth > MAX_DEPTH)
    throw new ConfigError([{ path: '', message: `nested deeper than ${MAX_DEPTH} levels` }]);
  if (Array.isArray(value)) {
    const holdsObjects = value.some((item) => typeof item === 'object');
    return holdsObjects ? value.map((item) => withoutNulls(item, depth + 1)) : value;
  }
  if (typeof value !== 'object' || value === null) return value;
  const kept: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    if (member === null) continue;
    Object.defineProperty(kept, name, {
      value: withoutNulls(member, depth + 1),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return kept;
}
