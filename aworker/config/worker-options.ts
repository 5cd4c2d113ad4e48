import { existsSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { resolve } from 'node:path';
import { type Limits, parseLimits } from './limits.js';

/** A command line that cannot be carried out; the message says why. */
export class UsageError extends Error {}

/** What every command that runs a script takes, as parseArgs of node:util wants it. */
export const WORKER_OPTIONS = {
  env: { type: 'string', multiple: true, default: [] as string[] },
  limit: { type: 'string', multiple: true, default: [] as string[] },
  'node-module': { type: 'string', multiple: true, default: [] as string[] },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/**
 * The script that the arguments name.
 *
 * @returns its absolute path
 * @throws UsageError
 */
export function scriptOf([script, ...rest]: readonly string[]): string {
  if (script === undefined) throw new UsageError('which script?');
  if (rest.length > 0) throw new UsageError(`one script only, not also ${rest.join(' ')}`);
  if (!existsSync(script)) throw new UsageError(`${script} does not exist`);
  return resolve(script);
}

/** @param texts of `--env` @throws UsageError */
export function envOf(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(texts.map((text) => pair('env', text)));
}

/** @param texts of `--limit` @throws UsageError */
export function limitsOf(texts: readonly string[]): Limits {
  const given = texts.map((text) => pair('limit', text)).map(([name, value]) => [name, Number(value)]);
  try {
    return parseLimits('--limit', Object.fromEntries(given));
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** @param names of `--node-module` @throws UsageError */
export function nodeModulesOf(names: readonly string[]): readonly string[] {
  const wrong = names.find((name) => !name.startsWith('node:') || !isBuiltin(name));
  if (wrong === undefined) return names;
  throw new UsageError(`--node-module ${wrong}: not a module of Node.js as node:NAME`);
}

function pair(option: string, text: string): [string, string] {
  const at = text.indexOf('=');
  if (at <= 0) throw new UsageError(`--${option} ${text}: write NAME=VALUE`);
  return [text.slice(0, at), text.slice(at + 1)];
}
