import { resolve } from 'node:path';
import type { CreateOptions } from './operations.js';
import { usageError, type OptionTable, type ParsedOptions } from './options.js';
import type { Invocation } from './verb.js';

/** Options of every verb that makes a container from a bundle. */
export const bundleOptions = {
  bundle: {
    kind: 'string',
    short: 'b',
    value: 'DIR',
    help: 'bundle directory (default: the current directory)',
  },
  'console-socket': {
    kind: 'string',
    value: 'PATH',
    help: 'AF_UNIX socket that receives the master of the console',
  },
  'pid-file': { kind: 'string', value: 'FILE', help: 'file that the process id is written to' },
  'pidfd-socket': {
    kind: 'string',
    value: 'PATH',
    help: 'AF_UNIX socket that receives a pidfd of the process',
  },
  'no-pivot': { kind: 'flag', help: 'enter the root without pivot_root, for a rootfs on a ramdisk' },
  'no-new-keyring': { kind: 'flag', help: "keep the caller's session keyring" },
} as const satisfies OptionTable;

/** Options that `create` and `run` share. */
export const createOptions = {
  ...bundleOptions,
  'preserve-fds': {
    kind: 'integer',
    value: 'N',
    help: 'pass N more descriptors after the standard three and $LISTEN_FDS (default: 0)',
  },
  seed: { kind: 'string', value: 'SEED', help: 'make the container a worker, cloned from this seed' },
} as const satisfies OptionTable;

type Table = typeof createOptions;

/** More than an accident of the environment could mean, fewer than a process may hold. */
const mostPreserved = 1024;

/** Descriptors of socket activation, sd_listen_fds(3). LISTEN_PID is the caller's and is not compared, as in crun. */
function listenFds(env: Readonly<Record<string, string>>): number {
  const text = env['LISTEN_FDS'];
  return text !== undefined && /^\d{1,4}$/.test(text) ? Number(text) : 0;
}

/** What `create` and `run` ask of the daemon, paths made absolute. */
export function toCreateOptions(
  invocation: Pick<Invocation<Table>, 'context' | 'globals' | 'argument'> & {
    readonly options: ParsedOptions<Table>;
  },
): CreateOptions {
  const { context, globals, options } = invocation;
  const listening = listenFds(context.env);
  const preserveFds = (options['preserve-fds'] ?? 0) + listening;
  if (preserveFds > mostPreserved) throw usageError(`--preserve-fds: at most ${mostPreserved}`);
  const path = (given: string) => resolve(context.cwd, given);
  return {
    id: invocation.argument(0),
    bundle: path(options.bundle ?? '.'),
    launcher: context.launcher,
    ...(options['pid-file'] ? { pidFile: path(options['pid-file']) } : {}),
    ...(options['console-socket'] ? { consoleSocket: path(options['console-socket']) } : {}),
    ...(options['pidfd-socket'] ? { pidfdSocket: path(options['pidfd-socket']) } : {}),
    ...(options['no-pivot'] ? { noPivot: true } : {}),
    ...(options['no-new-keyring'] ? { noNewKeyring: true } : {}),
    ...(preserveFds > 0 ? { preserveFds } : {}),
    ...(listening > 0 ? { listenFds: listening } : {}),
    ...(globals.systemdCgroup ? { systemdCgroup: true } : {}),
    ...(options.seed ? { seed: options.seed } : {}),
  };
}
