import { parseArgs } from 'node:util';
import { type Limits } from '../config/limits.js';
import {
  envOf,
  limitsOf,
  nodeModulesOf,
  scriptOf,
  UsageError,
  WORKER_OPTIONS,
} from '../config/worker-options.js';

export const DEV_HELP = `Usage: aworker dev SCRIPT [--port N] [--env NAME=VALUE]...

Serves a worker while it is being written: it is started anew whenever one of its files is saved.

  --port N           port to listen on, kept across restarts; 0: any; default 8080
  --host ADDRESS     numeric address to listen on; default 127.0.0.1
  --env NAME=VALUE   an entry of the worker's env; may be repeated
  --limit NAME=N     a limit (docs/aworker.md); may be repeated
  --node-module NAME a module of Node.js that the code may import; may be repeated
  --inspect          let Chrome DevTools (chrome://inspect) or an editor attach
  --inspect-port N   on that port; default 9229
  --help
`;

export interface DevOptions {
  /** Absolute path. */
  readonly main: string;
  readonly host: string;
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
  readonly limits: Limits;
  readonly nodeModules: readonly string[];
  /** Where debuggers attach; undefined: nowhere. */
  readonly inspectPort: number | undefined;
}

/**
 * @param args what follows `aworker dev`
 * @throws UsageError; TypeError for an option that does not exist
 */
export function parseDevOptions(args: readonly string[]): DevOptions | 'help' {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      ...WORKER_OPTIONS,
      port: { type: 'string', default: '8080' },
      host: { type: 'string', default: '127.0.0.1' },
      inspect: { type: 'boolean', default: false },
      'inspect-port': { type: 'string' },
    },
  });
  if (values.help) return 'help';
  const inspectPort = values['inspect-port'];
  return {
    main: scriptOf(positionals),
    host: values.host,
    port: portOf('port', values.port),
    env: envOf(values.env),
    limits: limitsOf(values.limit),
    nodeModules: nodeModulesOf(values['node-module']),
    inspectPort:
      inspectPort === undefined ? (values.inspect ? 9229 : undefined) : portOf('inspect-port', inspectPort),
  };
}

function portOf(option: string, text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new UsageError(`--${option} ${text}: not a number from 0 to 65535`);
}
