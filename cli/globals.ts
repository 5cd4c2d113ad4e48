import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseOptions, usageError, type OptionTable, type ParsedOptions } from './options.js';
import { TurfError } from './turf-error.js';

export const globalOptions = {
  root: { kind: 'string', value: 'DIR', help: 'directory of container state (default: /run/turf)' },
  log: { kind: 'string', value: 'FILE', help: 'append errors to this file' },
  'log-format': {
    kind: 'string',
    value: 'FORMAT',
    choices: ['text', 'json'],
    help: 'format of the log file: text or json (default: text)',
  },
  'log-level': {
    kind: 'string',
    value: 'LEVEL',
    choices: ['error', 'warning', 'info', 'debug'],
    help: 'debug is --debug, the others change nothing (as crun has it)',
  },
  debug: { kind: 'flag', help: 'say more about errors, and log what is done' },
  'systemd-cgroup': { kind: 'flag', help: 'let systemd manage cgroups' },
  'cgroup-manager': {
    kind: 'string',
    value: 'NAME',
    choices: ['cgroupfs', 'systemd'],
    help: 'who manages cgroups: cgroupfs or systemd',
  },
  rootless: {
    kind: 'string',
    value: 'VALUE',
    choices: ['auto', 'true', 'false'],
    help: 'accepted for compatibility: auto or false; true is refused',
  },
  criu: { kind: 'string', value: 'PATH', help: 'the criu program (default: criu on the PATH of the daemon)' },
  version: { kind: 'flag', short: 'v', help: 'print versions' },
} as const satisfies OptionTable;

type GlobalOptions = ParsedOptions<typeof globalOptions>;

export interface Globals {
  readonly logFile?: string;
  readonly logFormat: 'text' | 'json';
  readonly debug: boolean;
  readonly systemdCgroup: boolean;
  /** Absolute. */
  readonly criu?: string;
}

export interface CommandLine {
  readonly options: GlobalOptions;
  readonly help: boolean;
  /** The verb and what follows it. */
  readonly rest: readonly string[];
}

/** Splits a command line (without the program's name) into global options and the verb with its arguments. */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const { options, positionals, help } = parseOptions(globalOptions, argv, true);
  return { options, help, rest: positionals };
}

/** Where errors go, as far as a command line that may be wrong elsewhere says it. */
export function logSettings(options: GlobalOptions, cwd: string): Globals {
  return {
    ...(options.log === undefined || options.log === '' ? {} : { logFile: resolve(cwd, options.log) }),
    logFormat: options['log-format'] === 'json' ? 'json' : 'text',
    debug: options.debug || options['log-level'] === 'debug',
    systemdCgroup: options['systemd-cgroup'] || options['cgroup-manager'] === 'systemd',
    ...criuPath(options.criu, cwd),
  };
}

/** A path where there is a slash; runc's default, the bare name, means the one on PATH. */
function criuPath(given: string | undefined, cwd: string): Pick<Globals, 'criu'> {
  return given?.includes('/') === true ? { criu: resolve(cwd, given) } : {};
}

/**
 * Refuses global options that this daemon cannot honour.
 *
 * @throws {TurfError} TURF_ERR_UNSUPPORTED, TURF_ERR_USAGE
 */
export function checkGlobals(options: GlobalOptions, cwd: string, root: string): void {
  if (options.rootless === 'true') {
    throw new TurfError('TURF_ERR_UNSUPPORTED', 'rootless operation is not supported', {
      path: '--rootless',
    });
  }
  // The thin client has chosen the daemon by the leading global options; acting on another root's containers would be worse.
  if (options.root === undefined) return;
  const given = resolve(cwd, options.root);
  if (given !== root && realPath(given) !== realPath(root)) {
    throw usageError(`--root ${options.root} must come first: the daemon of ${root} was asked`);
  }
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
