#!/usr/bin/env -S node --experimental-vm-modules --expose-internals --no-warnings
import { createRequire } from 'node:module';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loneNodeFlags } from '../native-shim/node-flags.js';
import { splitEngineOptions } from './config/engine-options.js';
import { type Limits } from './config/limits.js';
import { listenOptions } from './config/listen-address.js';
import { VERSION } from './version.js';
import { envOf, limitsOf, nodeModulesOf, scriptOf, WORKER_OPTIONS } from './config/worker-options.js';

const HELP = `Usage: aworker SCRIPT [--listen ADDRESS] [--env NAME=VALUE]...
       aworker dev SCRIPT [options]      start anew with every save: aworker dev --help

Runs a worker without turf: one process, no isolation.

  --listen ADDRESS   unix:PATH or tcp:HOST:PORT; default tcp:127.0.0.1:8080
  --env NAME=VALUE   an entry of the worker's env; may be repeated
  --limit NAME=N     a limit (docs/aworker.md): requestMs, bodyBytes, graceMs, …; may be repeated
  --node-module NAME a module of Node.js that the code may import: node:buffer, …; may be repeated
  --help, --version

Options of Node.js that it takes: --inspect[=HOST:PORT], --cpu-prof, --heap-prof, --cpu-prof-dir=DIR …,
--report-on-fatalerror, --report-on-signal, --report-uncaught-exception, --report-dir=DIR …,
--heapsnapshot-near-heap-limit=N, --heapsnapshot-signal=SIGNAL, --diagnostic-dir=DIR.

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

function parse(args: readonly string[]): Settings | 'help' | 'version' {
  const { values, positionals } = parseArgs({
    args: [...args],
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

/** Node reads its engine's flags at start only: where one is missing, this process starts anew with it. */
async function run(config: Settings, engine: readonly string[]): Promise<void> {
  const flags = [...loneNodeFlags(config.limits.heapBytes), ...engine];
  if (flags.every((flag) => process.execArgv.includes(flag))) {
    process.env['TURF_WORKER'] = JSON.stringify(config);
    createRequire(import.meta.url)('./run.cjs');
    return;
  }
  const { execProgram } = await import('../native-shim/exec.js');
  const program = fileURLToPath(import.meta.url);
  execProgram(
    process.execPath,
    [...process.execArgv, ...flags, program, ...process.argv.slice(2)],
    process.env,
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
    const { engine, rest: own } = splitEngineOptions(process.argv.slice(2));
    const config = parse(own);
    if (config === 'help') process.stdout.write(HELP);
    else if (config === 'version') process.stdout.write(`aworker ${VERSION} (Node.js ${process.version})\n`);
    else await run(config, engine);
  }
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}
