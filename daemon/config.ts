import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { TurfError } from '../cli/turf-error.js';

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

const absolutePath = z.string().regex(/^\//, 'must be an absolute path');

/** `/etc/turf/config.json`: every field is optional, unknown ones are refused. */
export const configFileSchema = z.strictObject({
  root: absolutePath
    .optional()
    .describe(
      'Directory of sockets and container state. Default /run/turf. turf itself reads no file: tell it by --root or TURF_ROOT.',
    ),
  socket: absolutePath.optional().describe('REST socket. Default <root>/turf.sock, mode 0660.'),
  logLevel: z.enum(LOG_LEVELS).optional().describe('Least severe level that is logged. Default info.'),
  cgroupManager: z
    .enum(['cgroupfs', 'systemd'])
    .optional()
    .describe('Who makes the cgroups of containers. Default cgroupfs; a call may ask for systemd.'),
});

export interface DaemonConfig {
  readonly root: string;
  readonly socket: string;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  readonly cgroupManager: 'cgroupfs' | 'systemd';
}

export const CONFIG_FILE = '/etc/turf/config.json';

export const USAGE = `usage: turfd [options]

Serves containers, seeds and workers under one root, in the foreground.

  --root DIR                   sockets and container state (TURF_ROOT; default /run/turf)
  --socket PATH                REST socket (TURF_SOCKET; default <root>/turf.sock)
  --log-level LEVEL            ${LOG_LEVELS.join('|')} (TURF_LOG_LEVEL; default info)
  --cgroup-manager MANAGER     cgroupfs|systemd (TURF_CGROUP_MANAGER; default cgroupfs)
  --config FILE                configuration (TURF_CONFIG; default ${CONFIG_FILE}, if it exists)
  --help, --version

Flags come before the environment, the environment before the file.
`;

export type Invocation =
  | { readonly action: 'help' }
  | { readonly action: 'version' }
  /** turfd asks where its root is, which it needs before the daemon runs. */
  | { readonly action: 'print-root'; readonly root: string }
  | { readonly action: 'serve'; readonly config: DaemonConfig };

/**
 * Reads flags, environment and configuration file, in that precedence.
 *
 * @param argv without the program's name
 * @throws TurfError TURF_ERR_USAGE naming the flag, variable or field at fault and what was expected
 */
export function readInvocation(argv: readonly string[], env: NodeJS.ProcessEnv): Invocation {
  const flags = parseFlags(argv);
  if (flags.help === true) return { action: 'help' };
  if (flags.version === true) return { action: 'version' };
  const file = readFile(flags.config ?? env['TURF_CONFIG']);
  const flag = (name: 'root' | 'socket' | 'log-level' | 'cgroup-manager'): [string, string | undefined][] => [
    [`--${name}`, flags[name]],
    [`TURF_${name.toUpperCase().replace('-', '_')}`, env[`TURF_${name.toUpperCase().replace('-', '_')}`]],
  ];
  const root = resolve(firstGiven(flag('root')) ?? file.root ?? '/run/turf');
  const config: DaemonConfig = {
    root,
    socket: resolve(firstGiven(flag('socket')) ?? file.socket ?? join(root, 'turf.sock')),
    logLevel: oneOf(configFileSchema.shape.logLevel, flag('log-level')) ?? file.logLevel ?? 'info',
    cgroupManager:
      oneOf(configFileSchema.shape.cgroupManager, flag('cgroup-manager')) ?? file.cgroupManager ?? 'cgroupfs',
  };
  return flags['print-root'] === true ? { action: 'print-root', root } : { action: 'serve', config };
}

function parseFlags(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        root: { type: 'string' },
        socket: { type: 'string' },
        'log-level': { type: 'string' },
        'cgroup-manager': { type: 'string' },
        config: { type: 'string' },
        'print-root': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean', short: 'v' },
      },
    }).values;
  } catch (cause) {
    throw new TurfError('TURF_ERR_USAGE', cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function firstGiven(sources: readonly [string, string | undefined][]): string | undefined {
  const given = sources.find(([, value]) => value !== undefined && value !== '');
  return given?.[1];
}

/** The first value given, checked against the schema that the file uses too. */
function oneOf<T>(schema: z.ZodType<T>, sources: readonly [string, string | undefined][]): T | undefined {
  for (const [name, value] of sources) {
    if (value === undefined || value === '') continue;
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    throw new TurfError('TURF_ERR_USAGE', `${name}: ${issueText(parsed.error)}, got "${value}"`, {
      path: name,
    });
  }
  return undefined;
}

function readFile(path: string | undefined): z.infer<typeof configFileSchema> {
  let text: string;
  try {
    text = readFileSync(path ?? CONFIG_FILE, 'utf8');
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    // Only the default file may be missing: one that was named must be there.
    if (missing && path === undefined) return {};
    throw new TurfError('TURF_ERR_USAGE', cause instanceof Error ? cause.message : String(cause), { cause });
  }
  const name = path ?? CONFIG_FILE;
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TurfError('TURF_ERR_USAGE', `${name}: ${reason}`, { path: name, cause });
  }
  const parsed = configFileSchema.safeParse(document);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
  throw new TurfError('TURF_ERR_USAGE', `${name}: ${field}${issueText(parsed.error)}`, { path: name });
}

function issueText(error: z.ZodError): string {
  return error.issues.map(({ message }) => message).join('; ');
}
