#!/usr/bin/env node
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { constants } from 'node:os';
import { resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { aworkerNodeFlags } from '../native-shim/node-flags.js';
import { type Limits, parseLimits } from './limits.js';
import { listenOptions } from './listen-address.js';
import { VERSION } from './version.js';

const HELP = `Usage: aworker SCRIPT [--listen ADDRESS] [--env NAME=VALUE]...

Runs a worker without turf, for development: one process, no isolation.

  --listen ADDRESS   unix:PATH or tcp:HOST:PORT; default tcp:127.0.0.1:8080
  --env NAME=VALUE   an entry of the worker's env; may be repeated
  --limit NAME=N     a limit (docs/aworker.md): requestMs, bodyBytes, graceMs, …; may be repeated
  --node-module NAME a module of Node.js that the code may import: node:buffer, …; may be repeated
  --help, --version

The worker ends with 0 on its own, 1 after an error nobody handled, 143 after SIGTERM.
`;

/** TURF_WORKER, as config.ts parses it. */
interface Settings {
  readonly id: string;
  readonly main: string;
  readonly listen: string;
  readonly env: Record<string, string>;
  readonly limits: Limits;
  readonly nodeModules: readonly string[];
}

class UsageError extends Error {}

function parse(args: string[]): Settings | 'help' | 'version' {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      listen: { type: 'string', default: 'tcp:127.0.0.1:8080' },
      env: { type: 'string', multiple: true, default: [] },
      limit: { type: 'string', multiple: true, default: [] },
      'node-module': { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', short: 'h', default: false },
      version: { type: 'boolean', short: 'v', default: false },
    },
  });
  if (values.help) return 'help';
  if (values.version) return 'version';
  const [script, ...rest] = positionals;
  if (script === undefined) throw new UsageError('which script?');
  if (rest.length > 0) throw new UsageError(`one script only, not also ${rest.join(' ')}`);
  if (!existsSync(script)) throw new UsageError(`${script} does not exist`);
  listenOptions(values.listen);
  return {
    id: 'aworker',
    main: resolve(script),
    listen: values.listen,
    env: Object.fromEntries(values.env.map((text) => pair('env', text))),
    limits: limitsFrom(values.limit),
    nodeModules: values['node-module'].map(nodeModule),
  };
}

/** @throws UsageError */
function nodeModule(name: string): string {
  if (name.startsWith('node:') && isBuiltin(name)) return name;
  throw new UsageError(`--node-module ${name}: not a module of Node.js as node:NAME`);
}

/** @throws UsageError */
function limitsFrom(texts: readonly string[]): Limits {
  try {
    const given = texts.map((text) => pair('limit', text)).map(([name, value]) => [name, Number(value)]);
    return parseLimits('--limit', Object.fromEntries(given));
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function pair(option: string, text: string): [string, string] {
  const at = text.indexOf('=');
  if (at <= 0) throw new UsageError(`--${option} ${text}: write NAME=VALUE`);
  return [text.slice(0, at), text.slice(at + 1)];
}

/** Node reads its engine flags at start only, so the worker is a process of its own. */
function run(config: Settings): void {
  const program = fileURLToPath(new URL('run.js', import.meta.url));
  const child = spawn(process.execPath, [...aworkerNodeFlags(config.limits.heapBytes), program], {
    stdio: 'inherit',
    env: { ...process.env, TURF_WORKER: JSON.stringify(config) },
  });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => fail(error.message));
  child.on('exit', (code, signal) =>
    process.exit(signal === null ? (code ?? 1) : 128 + constants.signals[signal]),
  );
}

function fail(message: string): never {
  process.stderr.write(`aworker: ${message}\nTry aworker --help\n`);
  return process.exit(2);
}

try {
  const config = parse(process.argv.slice(2));
  if (config === 'help') process.stdout.write(HELP);
  else if (config === 'version') process.stdout.write(`aworker ${VERSION} (Node.js ${process.version})\n`);
  else run(config);
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}
