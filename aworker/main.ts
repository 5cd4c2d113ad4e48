#!/usr/bin/env node
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { aworkerNodeFlags } from '../native-shim/node-flags.js';
import { type Limits } from './limits.js';
import { listenOptions } from './listen-address.js';
import { VERSION } from './version.js';
import { envOf, limitsOf, nodeModulesOf, scriptOf, WORKER_OPTIONS } from './worker-options.js';

const HELP = `Usage: aworker SCRIPT [--listen ADDRESS] [--env NAME=VALUE]...
       aworker dev SCRIPT [options]      start anew with every save: aworker dev --help

Runs a worker without turf: one process, no isolation.

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

function parse(args: string[]): Settings | 'help' | 'version' {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      ...WORKER_OPTIONS,
      listen: { type: 'string', default: 'tcp:127.0.0.1:8080' },
      version: { type: 'boolean', short: 'v', default: false },
    },
  });
  if (values.help) return 'help';
  if (values.version) return 'version';
  listenOptions(values.listen);
  return {
    id: 'aworker',
    main: scriptOf(positionals),
    listen: values.listen,
    env: envOf(values.env),
    limits: limitsOf(values.limit),
    nodeModules: nodeModulesOf(values['node-module']),
  };
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
  const [command, ...rest] = process.argv.slice(2);
  if (command === 'dev') {
    const { runDev } = await import('./dev/dev.js');
    await runDev(rest);
  } else {
    const config = parse(process.argv.slice(2));
    if (config === 'help') process.stdout.write(HELP);
    else if (config === 'version') process.stdout.write(`aworker ${VERSION} (Node.js ${process.version})\n`);
    else run(config);
  }
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}
