import { resolve } from 'node:path';
import { CGROUP_MODES, NETWORK_LOCKS, type CriuOptions } from './checkpoint.js';
import { usageError, type OptionTable, type ParsedOptions } from './options.js';
import type { Invocation } from './verb.js';

/** Options that `checkpoint` and `restore` share. */
export const criuOptions = {
  'image-path': { kind: 'string', value: 'DIR', help: 'directory of the images (default: checkpoint)' },
  'work-path': {
    kind: 'string',
    value: 'DIR',
    help: 'directory of logs and statistics (default: that of the images)',
  },
  'tcp-established': { kind: 'flag', help: 'allow open TCP connections' },
  'tcp-close': { kind: 'flag', help: 'let open TCP connections come back closed' },
  'network-lock': {
    kind: 'string',
    value: 'METHOD',
    choices: NETWORK_LOCKS,
    help: 'how packets are kept away meanwhile: iptables, nftables or skip',
  },
  'ext-unix-sk': { kind: 'flag', help: 'allow Unix sockets whose other end is outside of the container' },
  'shell-job': { kind: 'flag', help: "allow a session or process group that is the caller's" },
  'file-locks': { kind: 'flag', help: 'allow file locks' },
  'manage-cgroups-mode': {
    kind: 'string',
    value: 'MODE',
    choices: CGROUP_MODES,
    help: "the container's own cgroups below its cgroup: soft, full, strict or ignore (default: soft)",
  },
  'empty-ns': { kind: 'string', value: 'TYPE', help: 'network: leave the contents of the namespace out' },
  'auto-dedup': { kind: 'flag', help: 'remove pages from earlier images that later ones replace' },
  'lazy-pages': { kind: 'flag', help: 'serve memory on demand: restore needs criu lazy-pages beside it' },
} as const satisfies OptionTable;

type Table = typeof criuOptions;

/** What they ask of the daemon, paths made absolute. @throws {TurfError} TURF_ERR_USAGE */
export function toCriuOptions({
  context,
  globals,
  options,
}: Pick<Invocation<Table>, 'context' | 'globals'> & {
  readonly options: ParsedOptions<Table>;
}): CriuOptions {
  const path = (given: string): string => resolve(context.cwd, given);
  const mode = CGROUP_MODES.find((name) => name === options['manage-cgroups-mode']);
  const lock = NETWORK_LOCKS.find((name) => name === options['network-lock']);
  const empty = options['empty-ns'] ?? '';
  if (!['', 'network', 'net'].includes(empty))
    throw usageError(`--empty-ns ${empty}: only network can be empty`);
  return {
    imagePath: path(options['image-path'] || 'checkpoint'),
    ...(options['work-path'] ? { workPath: path(options['work-path']) } : {}),
    ...(globals.criu === undefined ? {} : { criu: globals.criu }),
    ...(options['tcp-established'] ? { tcpEstablished: true } : {}),
    ...(options['tcp-close'] ? { tcpClose: true } : {}),
    ...(lock === undefined ? {} : { networkLock: lock }),
    ...(options['ext-unix-sk'] ? { externalUnixSockets: true } : {}),
    ...(options['shell-job'] ? { shellJob: true } : {}),
    ...(options['file-locks'] ? { fileLocks: true } : {}),
    ...(mode === undefined ? {} : { manageCgroups: mode }),
    ...(options['auto-dedup'] ? { autoDedup: true } : {}),
    ...(options['lazy-pages'] ? { lazyPages: true } : {}),
    ...(empty === '' ? {} : { emptyNetwork: true }),
  };
}
